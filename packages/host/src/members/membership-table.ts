// The replicated table of members: who they are for the API (etcd's ids, names, URLs), which raft id
// speaks for each, and the configuration those ids form. Changed only by apply.
import { ByteReader, ByteWriter, crc32c } from "@quorate/base";
import type { ReplicatedTable } from "@quorate/kv";
import { ConfState, decodeConfState, encodeConfState, memberIds } from "@quorate/raft";
import type { NodeId } from "@quorate/raft";
import type { GenesisRecord } from "../peers/peers-api.ts";
import {
  byMemberId,
  decodeMember,
  encodeMember,
  MemberRecord,
  membersMax,
} from "./member-record.ts";

/** 3: ids of members that were removed. 2 has none; members say what they are to become. */
const tableFormat = 3;
const formatWithoutRemovedMembers = 2;

/** The oldest of them are forgotten. */
const removedMembersMax = 4096;

export class MembershipTable implements ReplicatedTable {
  readonly name: string;
  #members: readonly MemberRecord[];
  #confState: ConfState;
  /** Raft ids that were members and are not any more: refused for good (P2). */
  #removed: readonly NodeId[];
  /**
   * Ids of members that were removed, oldest first: whoever lost its disk before that, or was never
   * born, is known by nothing else. An id is not given twice, because the time is in it; should one be,
   * it is a member again.
   */
  #removedMembers: readonly string[];
  #snapshot: Uint8Array | null;

  constructor() {
    this.name = "membership";
    this.#members = [];
    this.#confState = emptyConfState;
    this.#removed = [];
    this.#removedMembers = [];
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
    this.#removedMembers = [];
    this.#snapshot = null;
  }

  /** Sorted by member id; unborn ones among them. */
  get members(): readonly MemberRecord[] {
    return this.#members;
  }

  get confState(): ConfState {
    return this.#confState;
  }

  get removed(): readonly NodeId[] {
    return this.#removed;
  }

  get removedMembers(): readonly string[] {
    return this.#removedMembers;
  }

  byRaftId(raftId: NodeId): MemberRecord | null {
    return raftId === 0 ? null : (this.#members.find((m) => m.raftId === raftId) ?? null);
  }

  byMemberId(memberId: string): MemberRecord | null {
    return this.#members.find((m) => m.memberId === memberId) ?? null;
  }

  /** A configuration change took effect. Ids that left the configuration are removed for good. */
  setConfState(confState: ConfState): void {
    const present = new Set(memberIds(confState));
    const gone = memberIds(this.#confState).filter((id) => !present.has(id));
    this.#removed = [...new Set([...this.#removed, ...gone])].sort((a, b) => a - b);
    const left = this.#members.filter((m) => m.raftId !== 0 && !present.has(m.raftId));
    this.#members = this.#members.filter((m) => !left.includes(m));
    this.#remember(left.map((m) => m.memberId));
    this.#confState = confState;
    this.#snapshot = null;
  }

  /** Adds or replaces the record of a member. */
  put(record: MemberRecord): void {
    const others = this.#members.filter((m) => m.memberId !== record.memberId);
    this.#members = [...others, record].sort(byMemberId);
    this.#forget(record.memberId);
    this.#snapshot = null;
  }

  drop(memberId: string): void {
    this.#members = this.#members.filter((m) => m.memberId !== memberId);
    this.#remember([memberId]);
    this.#snapshot = null;
  }

  #remember(memberIds: readonly string[]): void {
    if (memberIds.length === 0) return;
    this.#removedMembers = [...this.#removedMembers, ...memberIds].slice(-removedMembersMax);
  }

  #forget(memberId: string): void {
    if (!this.#removedMembers.includes(memberId)) return;
    this.#removedMembers = this.#removedMembers.filter((id) => id !== memberId);
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
      writer.varint(this.#removedMembers.length);
      for (const memberId of this.#removedMembers) {
        writer.text(memberId);
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
    const format = reader.u8();
    if (format !== tableFormat && format !== formatWithoutRemovedMembers) {
      return false;
    }
    const confState = decodeConfState(reader.lengthBytes());
    const removed: NodeId[] = [];
    for (let left = reader.varint(); left > 0 && reader.ok; left -= 1) {
      removed.push(reader.varint());
    }
    const removedMembers: string[] = [];
    const removedCount = format === tableFormat ? reader.varint() : 0;
    if (removedCount > removedMembersMax) reader.fail();
    for (let left = removedCount; left > 0 && reader.ok; left -= 1) {
      removedMembers.push(reader.text());
    }
    const members: MemberRecord[] = [];
    const count = reader.varint();
    if (count > membersMax) reader.fail();
    for (let left = count; left > 0 && reader.ok; left -= 1) {
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
    this.#removedMembers = removedMembers;
    this.#members = members;
    this.#snapshot = null;
    return true;
  }

  clear(): void {
    this.#members = [];
    this.#confState = emptyConfState;
    this.#removed = [];
    this.#removedMembers = [];
    this.#snapshot = null;
  }
}

const emptyConfState = new ConfState([], [], [], [], false);
