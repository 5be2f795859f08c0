// One member as the membership table knows it, and its bytes: in the table's snapshot, in entries and
// in what a joining member is told.
import type { ByteReader, ByteWriter } from "@quorate/base";
import type { NodeId } from "@quorate/raft";

/** What a member is to become. In bytes: never reuse. */
export const MemberAim = {
  /** Promoted by the leader as soon as it has caught up. */
  Voter: 1,
  /** Stays a learner until somebody promotes it. */
  Learner: 2,
} as const;
export type MemberAim = (typeof MemberAim)[keyof typeof MemberAim];

export class MemberRecord {
  readonly memberId: string;
  /** 0: unborn, its process has not spoken yet; the configuration does not name it. */
  readonly raftId: NodeId;
  /** Empty until it has started, as in etcd. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly aim: MemberAim;

  constructor(
    memberId: string,
    raftId: NodeId,
    name: string,
    peerUrls: readonly string[],
    clientUrls: readonly string[],
    aim: MemberAim = MemberAim.Voter,
  ) {
    this.memberId = memberId;
    this.raftId = raftId;
    this.name = name;
    this.peerUrls = peerUrls;
    this.clientUrls = clientUrls;
    this.aim = aim;
  }

  with(changes: Partial<Omit<MemberRecord, "with">>): MemberRecord {
    return new MemberRecord(
      changes.memberId ?? this.memberId,
      changes.raftId ?? this.raftId,
      changes.name ?? this.name,
      changes.peerUrls ?? this.peerUrls,
      changes.clientUrls ?? this.clientUrls,
      changes.aim ?? this.aim,
    );
  }
}

/** Of a cluster, unborn ones included. */
export const membersMax = 64;
/** Of either kind of URLs of a member, as its bytes may say. */
export const urlsMax = 64;
/** Of peer URLs, so that all members fit into what one that joins is told (join-frames.ts). */
export const peerUrlsMax = 16;
export const urlCharsMax = 256;

/** By the id of the API; a total order that all members share. */
export function byMemberId(a: MemberRecord, b: MemberRecord): number {
  return a.memberId < b.memberId ? -1 : a.memberId > b.memberId ? 1 : 0;
}

export function sameUrls(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((url) => b.includes(url));
}

export function encodeMember(writer: ByteWriter, member: MemberRecord): void {
  writer.text(member.memberId);
  writer.varint(member.raftId);
  writer.text(member.name);
  encodeTexts(writer, member.peerUrls);
  encodeTexts(writer, member.clientUrls);
  writer.u8(member.aim);
}

export function decodeMember(reader: ByteReader): MemberRecord | null {
  const memberId = reader.text();
  const raftId = reader.varint();
  const name = reader.text();
  const peerUrls = decodeTexts(reader);
  const clientUrls = decodeTexts(reader);
  const aim = decodeAim(reader);
  if (!reader.ok) return null;
  return new MemberRecord(memberId, raftId, name, peerUrls, clientUrls, aim);
}

export function decodeAim(reader: ByteReader): MemberAim {
  const aim = reader.u8();
  if (aim !== MemberAim.Voter && aim !== MemberAim.Learner) reader.fail();
  return aim as MemberAim;
}

export function encodeTexts(writer: ByteWriter, texts: readonly string[]): void {
  writer.varint(texts.length);
  for (const text of texts) writer.text(text);
}

export function decodeTexts(reader: ByteReader): string[] {
  const texts: string[] = [];
  const count = reader.varint();
  if (count > urlsMax) reader.fail();
  for (let left = count; left > 0 && reader.ok; left -= 1) texts.push(reader.text());
  return texts;
}
