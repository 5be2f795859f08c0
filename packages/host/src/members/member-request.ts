// What an operator asks for through the API, as it travels from the member that was asked to the
// leader. Ids are drawn before (DESIGN.md 10), so that a repeated request names the same member.
import { ByteReader, ByteWriter } from "@quorate/base";
import { decodeAim, decodeTexts, encodeTexts, membersMax } from "./member-record.ts";
import type { MemberAim } from "./member-record.ts";

/** On the wire: never reuse a value. */
export const MemberRequestKind = { Add: 1, Remove: 2, Update: 3, Promote: 4, Several: 5 } as const;
export type MemberRequestKind = (typeof MemberRequestKind)[keyof typeof MemberRequestKind];

export type SingleRequest =
  | {
      readonly kind: typeof MemberRequestKind.Add;
      readonly memberId: string;
      /** Empty: it will say so itself. */
      readonly name: string;
      readonly peerUrls: readonly string[];
      readonly aim: MemberAim;
    }
  | {
      readonly kind: typeof MemberRequestKind.Update;
      readonly memberId: string;
      readonly peerUrls: readonly string[];
    }
  | {
      readonly kind: typeof MemberRequestKind.Remove | typeof MemberRequestKind.Promote;
      readonly memberId: string;
    };

/** In force at once or not at all; held against P2 instead of etcd's counts. */
export interface SeveralRequest {
  readonly kind: typeof MemberRequestKind.Several;
  readonly changes: readonly SingleRequest[];
  /** Even if one of its phases is weaker than what is there (P2). */
  readonly force: boolean;
}

export type MemberRequest = SingleRequest | SeveralRequest;

const format = 1;
/** Of one request: nobody has more members. */
const changesMax = membersMax;

export function encodeMemberRequest(request: MemberRequest): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(format);
  if (request.kind === MemberRequestKind.Several) {
    writer.u8(request.kind);
    writer.u8(request.force ? 1 : 0);
    writer.varint(request.changes.length);
    for (const change of request.changes) write(writer, change);
  } else {
    write(writer, request);
  }
  return writer.take();
}

function write(writer: ByteWriter, request: SingleRequest): void {
  writer.u8(request.kind);
  writer.text(request.memberId);
  if (request.kind === MemberRequestKind.Add) {
    writer.text(request.name);
    writer.u8(request.aim);
  }
  if (request.kind === MemberRequestKind.Add || request.kind === MemberRequestKind.Update) {
    encodeTexts(writer, request.peerUrls);
  }
}

/** Null: nonsense, or of a newer format. */
export function decodeMemberRequest(bytes: Uint8Array): MemberRequest | null {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== format) return null;
  const kind = reader.u8();
  const request =
    kind === MemberRequestKind.Several ? readSeveral(reader) : readSingle(reader, kind);
  return reader.ok && reader.done ? request : null;
}

function readSeveral(reader: ByteReader): SeveralRequest | null {
  const force = reader.u8();
  const count = reader.varint();
  if (!reader.ok || force > 1 || count === 0 || count > changesMax) return null;
  const changes: SingleRequest[] = [];
  for (let left = count; left > 0; left -= 1) {
    const change = readSingle(reader, reader.u8());
    if (change === null || !reader.ok) return null;
    changes.push(change);
  }
  return { kind: MemberRequestKind.Several, changes, force: force === 1 };
}

function readSingle(reader: ByteReader, kind: number): SingleRequest | null {
  const memberId = reader.text();
  switch (kind) {
    case MemberRequestKind.Add: {
      const name = reader.text();
      const aim = decodeAim(reader);
      return { kind, memberId, name, aim, peerUrls: decodeTexts(reader) };
    }
    case MemberRequestKind.Update:
      return { kind, memberId, peerUrls: decodeTexts(reader) };
    case MemberRequestKind.Remove:
    case MemberRequestKind.Promote:
      return { kind, memberId };
    default:
      return null;
  }
}
