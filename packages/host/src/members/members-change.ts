// Changes of member records as they stand in the log: alone in an entry of their own, or as the
// context of the ConfChange that takes effect with them. The leader checks one before it proposes it,
// and every member checks it again at apply, by the table of that moment and nothing else: what was
// overtaken by another change has no effect anywhere.
import { assertNever, ByteReader, ByteWriter } from "@quorate/base";
import { isVoter } from "@quorate/raft";
import type { NodeId } from "@quorate/raft";
import {
  decodeAim,
  decodeTexts,
  encodeTexts,
  MemberAim,
  MemberRecord,
  membersMax,
  peerUrlsMax,
  sameUrls,
  urlCharsMax,
} from "./member-record.ts";
import type { MembershipTable } from "./membership-table.ts";

/** On disk and on the wire: never reuse a value. */
export const RecordChangeKind = {
  /** Known by its URLs; unborn until its process has said its raft id. */
  Add: 1,
  /** The process at its URLs has this raft id: it is born. Comes with the change that admits it. */
  Bind: 2,
  /** It is to become a voter, or to stay a learner. */
  Aim: 3,
  Urls: 4,
  /** Of an unborn one; a born one leaves with the configuration. */
  Drop: 5,
  /** Its disk was lost (P3): another raft id speaks for it. Comes with the change that swaps them. */
  Rebind: 6,
} as const;
export type RecordChangeKind = (typeof RecordChangeKind)[keyof typeof RecordChangeKind];

export type RecordChange =
  | {
      readonly kind: typeof RecordChangeKind.Add;
      readonly memberId: string;
      readonly name: string;
      readonly peerUrls: readonly string[];
      readonly aim: MemberAim;
    }
  | {
      readonly kind: typeof RecordChangeKind.Bind;
      readonly memberId: string;
      readonly raftId: NodeId;
    }
  | {
      readonly kind: typeof RecordChangeKind.Aim;
      readonly memberId: string;
      readonly aim: MemberAim;
    }
  | {
      readonly kind: typeof RecordChangeKind.Urls;
      readonly memberId: string;
      readonly peerUrls: readonly string[];
    }
  | { readonly kind: typeof RecordChangeKind.Drop; readonly memberId: string }
  | {
      readonly kind: typeof RecordChangeKind.Rebind;
      readonly memberId: string;
      /** Whose disk was lost. */
      readonly lostRaftId: NodeId;
      readonly raftId: NodeId;
    };

/** Why a change is refused, before it is proposed or at apply. On the wire: never reuse a value. */
export const MemberError = {
  None: 0,
  IdExists: 1,
  PeerUrlExists: 2,
  NotFound: 3,
  NotLearner: 4,
  LearnerNotReady: 5,
  TooManyLearners: 6,
  NotEnoughStarted: 7,
  Unhealthy: 8,
  BadUrls: 9,
  TooManyMembers: 10,
  NameExists: 11,
  /** Another change overtook it. */
  Overtaken: 12,
  /** P2: a phase would not survive one more loss that the present configuration would. */
  Weakens: 13,
} as const;
export type MemberError = (typeof MemberError)[keyof typeof MemberError];

/** Those that nobody means to promote, at apply; what a leader proposes is up to its setting. */
export const learnersMax = 9;

const format = 1;
const changesMax = 64;

// ---- Rules -----------------------------------------------------------------------------------------

/** Each by the table as the ones before leave it; `None`: all may be applied. */
export function checkRecordChanges(
  table: MembershipTable,
  changes: readonly RecordChange[],
): MemberError {
  const draft = draftOf(table);
  for (const change of changes) {
    const error = check(draft, change);
    if (error !== MemberError.None) return error;
    apply(draft, change);
  }
  return MemberError.None;
}

/** Checked before. */
export function applyRecordChanges(table: MembershipTable, changes: readonly RecordChange[]): void {
  for (const change of changes) apply(table, change);
}

/** What both a table and a draft of one can do. */
type Records = Pick<
  MembershipTable,
  "members" | "confState" | "removed" | "byMemberId" | "byRaftId" | "put" | "drop"
>;

function draftOf(table: MembershipTable): Records {
  let members = table.members;
  return {
    get members() {
      return members;
    },
    confState: table.confState,
    removed: table.removed,
    byMemberId: (id) => members.find((m) => m.memberId === id) ?? null,
    byRaftId: (id) => members.find((m) => m.raftId === id) ?? null,
    put: (record) => {
      members = [...members.filter((m) => m.memberId !== record.memberId), record];
    },
    drop: (id) => {
      members = members.filter((m) => m.memberId !== id);
    },
  };
}

function check(table: Records, change: RecordChange): MemberError {
  const present = table.byMemberId(change.memberId);
  if (change.kind === RecordChangeKind.Add) return checkAdd(table, change, present);
  if (present === null) return MemberError.NotFound;
  switch (change.kind) {
    case RecordChangeKind.Bind:
      return checkBind(table, present, 0, change.raftId);
    case RecordChangeKind.Rebind:
      return checkBind(table, present, change.lostRaftId, change.raftId);
    case RecordChangeKind.Aim:
      if (change.aim !== MemberAim.Voter) return MemberError.None;
      return isVoter(table.confState, present.raftId) ? MemberError.NotLearner : MemberError.None;
    case RecordChangeKind.Urls:
      return checkUrls(table, change.peerUrls, change.memberId);
    case RecordChangeKind.Drop:
      return present.raftId === 0 ? MemberError.None : MemberError.Overtaken;
    default:
      return assertNever(change, "record change");
  }
}

function checkAdd(
  table: Records,
  change: Extract<RecordChange, { kind: typeof RecordChangeKind.Add }>,
  present: MemberRecord | null,
): MemberError {
  if (present !== null) return MemberError.IdExists;
  const urls = checkUrls(table, change.peerUrls, change.memberId);
  if (urls !== MemberError.None) return urls;
  const named = change.name !== "" && table.members.some((m) => m.name === change.name);
  if (named) return MemberError.NameExists;
  if (table.members.length >= membersMax) return MemberError.TooManyMembers;
  const learners = table.members.filter((m) => m.aim === MemberAim.Learner).length;
  const full = change.aim === MemberAim.Learner && learners >= learnersMax;
  return full ? MemberError.TooManyLearners : MemberError.None;
}

function checkBind(table: Records, present: MemberRecord, from: NodeId, to: NodeId): MemberError {
  const taken = table.byRaftId(to) !== null || table.removed.includes(to);
  return present.raftId !== from || taken ? MemberError.Overtaken : MemberError.None;
}

function checkUrls(table: Records, urls: readonly string[], memberId: string): MemberError {
  const fit = urls.length <= peerUrlsMax && urls.every((url) => url.length <= urlCharsMax);
  if (urls.length === 0 || !fit) return MemberError.BadUrls;
  const taken = table.members.some(
    (m) => m.memberId !== memberId && m.peerUrls.some((url) => urls.includes(url)),
  );
  return taken ? MemberError.PeerUrlExists : MemberError.None;
}

function apply(table: Records, change: RecordChange): void {
  const present = table.byMemberId(change.memberId);
  if (change.kind === RecordChangeKind.Add) {
    const { memberId, name, peerUrls, aim } = change;
    table.put(new MemberRecord(memberId, 0, name, peerUrls, [], aim));
    return;
  }
  if (present === null) return;
  switch (change.kind) {
    case RecordChangeKind.Bind:
    case RecordChangeKind.Rebind:
      return table.put(present.with({ raftId: change.raftId }));
    case RecordChangeKind.Aim:
      return table.put(present.with({ aim: change.aim }));
    case RecordChangeKind.Urls:
      return table.put(present.with({ peerUrls: change.peerUrls }));
    case RecordChangeKind.Drop:
      return table.drop(change.memberId);
    default:
      return assertNever(change, "record change");
  }
}

/** The member whose record has exactly these peer URLs. */
export function byPeerUrls(table: MembershipTable, urls: readonly string[]): MemberRecord | null {
  return table.members.find((m) => sameUrls(m.peerUrls, urls)) ?? null;
}

// ---- Bytes -----------------------------------------------------------------------------------------

export function encodeRecordChanges(changes: readonly RecordChange[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(format);
  writer.varint(changes.length);
  for (const change of changes) {
    writer.u8(change.kind);
    writer.text(change.memberId);
    encodeRest(writer, change);
  }
  return writer.take();
}

function encodeRest(writer: ByteWriter, change: RecordChange): void {
  switch (change.kind) {
    case RecordChangeKind.Add:
      writer.text(change.name);
      encodeTexts(writer, change.peerUrls);
      writer.u8(change.aim);
      return;
    case RecordChangeKind.Bind:
      writer.varint(change.raftId);
      return;
    case RecordChangeKind.Rebind:
      writer.varint(change.lostRaftId);
      writer.varint(change.raftId);
      return;
    case RecordChangeKind.Aim:
      writer.u8(change.aim);
      return;
    case RecordChangeKind.Urls:
      encodeTexts(writer, change.peerUrls);
      return;
    case RecordChangeKind.Drop:
      return;
    default:
      assertNever(change, "record change");
  }
}

/** Null: nonsense, or of a newer format. */
export function decodeRecordChanges(bytes: Uint8Array): readonly RecordChange[] | null {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== format) return null;
  const count = reader.varint();
  if (!reader.ok || count > changesMax) return null;
  const changes: RecordChange[] = [];
  for (let left = count; left > 0 && reader.ok; left -= 1) {
    const change = decodeChange(reader);
    if (change === null) return null;
    changes.push(change);
  }
  return reader.ok && reader.done ? changes : null;
}

function decodeChange(reader: ByteReader): RecordChange | null {
  const kind = reader.u8();
  const memberId = reader.text();
  switch (kind) {
    case RecordChangeKind.Add: {
      const name = reader.text();
      const peerUrls = decodeTexts(reader);
      return { kind, memberId, name, peerUrls, aim: decodeAim(reader) };
    }
    case RecordChangeKind.Bind:
      return { kind, memberId, raftId: reader.varint() };
    case RecordChangeKind.Rebind:
      return { kind, memberId, lostRaftId: reader.varint(), raftId: reader.varint() };
    case RecordChangeKind.Aim:
      return { kind, memberId, aim: decodeAim(reader) };
    case RecordChangeKind.Urls:
      return { kind, memberId, peerUrls: decodeTexts(reader) };
    case RecordChangeKind.Drop:
      return { kind, memberId };
    default:
      return null;
  }
}
