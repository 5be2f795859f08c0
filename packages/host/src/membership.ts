// The replicated table of members: who they are for the API (etcd's ids, names, URLs), which raft id
// speaks for each, and the configuration those ids form. Changed only by apply.
import { assert, ByteReader, ByteWriter, crc32c } from "@quorate/base";
import type { ReplicatedTable } from "@quorate/kv";
import { ConfState, decodeConfState, encodeConfState } from "@quorate/raft";
import type { NodeId } from "@quorate/raft";
import type { GenesisRecord } from "./peers/peers-api.ts";

/** Entry kinds of the host itself; the state machine's end below. On disk: never reuse. */
export const HostEntryKind = {
  /** A member's own name and client URLs (etcd's "publish"). */
  Attributes: 64,
} as const;

export class MemberRecord {
  readonly memberId: string;
  readonly raftId: NodeId;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];

  constructor(
    memberId: string,
    raftId: NodeId,
    name: string,
    peerUrls: readonly string[],
    clientUrls: readonly string[],
  ) {
    this.memberId = memberId;
    this.raftId = raftId;
    this.name = name;
    this.peerUrls = peerUrls;
    this.clientUrls = clientUrls;
  }
}

const tableFormat = 1;
const textsMax = 64;

export class MembershipTable implements ReplicatedTable {
  readonly name: string;
  #members: readonly MemberRecord[];
  #confState: ConfState;
  /** Raft ids that were members and are not any more: refused for good (P2). */
  #removed: readonly NodeId[];
  #snapshot: Uint8Array | null;

  constructor() {
    this.name = "membership";
    this.#members = [];
    this.#confState = emptyConfState;
    this.#removed = [];
    this.#snapshot = null;
  }

  /** The first configuration: every member of the genesis votes. */
  found(genesis: GenesisRecord): void {
    this.#members = genesis.members
      .map((m) => new MemberRecord(m.memberId, m.raftId, m.name, m.peerUrls, []))
      .sort(byMemberId);
    const voters = genesis.members.map((m) => m.raftId).sort((a, b) => a - b);
    this.#confState = new ConfState(voters, [], [], [], false);
    this.#removed = [];
    this.#snapshot = null;
  }

  get members(): readonly MemberRecord[] {
    return this.#members;
  }

  get confState(): ConfState {
    return this.#confState;
  }

  get removed(): readonly NodeId[] {
    return this.#removed;
  }

  byRaftId(raftId: NodeId): MemberRecord | null {
    return this.#members.find((m) => m.raftId === raftId) ?? null;
  }

  byMemberId(memberId: string): MemberRecord | null {
    return this.#members.find((m) => m.memberId === memberId) ?? null;
  }

  /** A configuration change took effect. Ids that left the configuration are removed for good. */
  setConfState(confState: ConfState): void {
    const present = new Set([
      ...confState.voters,
      ...confState.votersOutgoing,
      ...confState.learners,
    ]);
    const gone = this.#members.filter((m) => !present.has(m.raftId)).map((m) => m.raftId);
    this.#removed = [...new Set([...this.#removed, ...gone])].sort((a, b) => a - b);
    this.#members = this.#members.filter((m) => present.has(m.raftId));
    this.#confState = confState;
    this.#snapshot = null;
  }

  /** Adds or replaces the record behind a raft id. */
  put(record: MemberRecord): void {
    const others = this.#members.filter(
      (m) => m.raftId !== record.raftId && m.memberId !== record.memberId,
    );
    this.#members = [...others, record].sort(byMemberId);
    this.#snapshot = null;
  }

  digest(): { readonly low: number; readonly high: number } {
    const bytes = this.snapshot();
    return { low: crc32c(bytes), high: crc32c(bytes, 0, bytes.length, 0x5bd1e995) };
  }

  snapshot(): Uint8Array {
    if (this.#snapshot === null) {
      const writer = new ByteWriter();
      writer.u8(tableFormat);
      writer.lengthBytes(encodeConfState(this.#confState));
      writer.varint(this.#removed.length);
      for (const id of this.#removed) {
        writer.varint(id);
      }
      writer.varint(this.#members.length);
      for (const member of this.#members) {
        encodeMember(writer, member);
      }
      this.#snapshot = writer.take();
    }
    return this.#snapshot;
  }

  restore(bytes: Uint8Array): boolean {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== tableFormat) {
      return false;
    }
    const confState = decodeConfState(reader.lengthBytes());
    const removed: NodeId[] = [];
    for (let left = reader.varint(); left > 0 && reader.ok; left -= 1) {
      removed.push(reader.varint());
    }
    const members: MemberRecord[] = [];
    for (let left = reader.varint(); left > 0 && reader.ok; left -= 1) {
      const member = decodeMember(reader);
      if (member === null) {
        return false;
      }
      members.push(member);
    }
    if (!reader.ok || !reader.done || confState === null) {
      return false;
    }
    this.#confState = confState;
    this.#removed = removed;
    this.#members = members;
    this.#snapshot = null;
    return true;
  }

  clear(): void {
    this.#members = [];
    this.#confState = emptyConfState;
    this.#removed = [];
    this.#snapshot = null;
  }
}

const emptyConfState = new ConfState([], [], [], [], false);

function byMemberId(a: MemberRecord, b: MemberRecord): number {
  return a.memberId < b.memberId ? -1 : a.memberId > b.memberId ? 1 : 0;
}

export function encodeMember(writer: ByteWriter, member: MemberRecord): void {
  writer.text(member.memberId);
  writer.varint(member.raftId);
  writer.text(member.name);
  encodeTexts(writer, member.peerUrls);
  encodeTexts(writer, member.clientUrls);
}

export function decodeMember(reader: ByteReader): MemberRecord | null {
  const memberId = reader.text();
  const raftId = reader.varint();
  const name = reader.text();
  const peerUrls = decodeTexts(reader);
  const clientUrls = decodeTexts(reader);
  return reader.ok ? new MemberRecord(memberId, raftId, name, peerUrls, clientUrls) : null;
}

/** Payload of an Attributes entry: the whole record as it shall be. */
export function encodeAttributes(member: MemberRecord): Uint8Array {
  const writer = new ByteWriter();
  encodeMember(writer, member);
  return writer.take();
}

export function decodeAttributes(payload: Uint8Array): MemberRecord | null {
  const reader = new ByteReader(payload);
  const member = decodeMember(reader);
  return reader.done ? member : null;
}

/** Name and client URLs of a member that is still the same one; others are left alone. */
export function applyAttributes(table: MembershipTable, payload: Uint8Array): void {
  const attributes = decodeAttributes(payload);
  assert(attributes !== null, "an attributes entry was checked before it was proposed");
  const present = table.byRaftId(attributes.raftId);
  if (present !== null && present.memberId === attributes.memberId) {
    table.put(
      new MemberRecord(
        present.memberId,
        present.raftId,
        attributes.name,
        present.peerUrls,
        attributes.clientUrls,
      ),
    );
  }
}

function encodeTexts(writer: ByteWriter, texts: readonly string[]): void {
  writer.varint(texts.length);
  for (const text of texts) {
    writer.text(text);
  }
}

function decodeTexts(reader: ByteReader): string[] {
  const texts: string[] = [];
  const count = reader.varint();
  if (count > textsMax) {
    return texts;
  }
  for (let left = count; left > 0 && reader.ok; left -= 1) {
    texts.push(reader.text());
  }
  return texts;
}
