// A member comes back with another disk (P3): the leader gives its place to the new raft id, in one
// change with the removal of the old one. Joint consensus makes that safe whatever the old process does;
// what is made sure of here is that nobody is evicted who lives: a second process started by mistake
// costs nothing. So the old raft id must have been silent for two election timeouts for the leader, for
// every voter that answers its heartbeats, and for a quorum in all; each is asked, in rounds.
import { ConfChangeType, isJoint, ProposeOutcome } from "@quorate/raft";
import type { ConfChange, ConfState, NodeId, RaftStatus } from "@quorate/raft";
import type { Trace } from "@quorate/storage";
import type { Heard, PeersApi } from "../peers/peers-api.ts";
import { changeOf } from "./change-rules.ts";
import { MemberAim } from "./member-record.ts";
import type { MemberRecord } from "./member-record.ts";
import { RecordChangeKind } from "./members-change.ts";
import type { MembershipTable } from "./membership-table.ts";

export interface RejoiningParts {
  readonly table: MembershipTable;
  readonly peers: Pick<PeersApi, "dialledRaftId" | "silence">;
  readonly trace: Trace;
  readonly selfId: NodeId;
  readonly timeoutTicks: number;
  readonly electionTimeoutMs: number;
  propose(change: ConfChange): ProposeOutcome;
}

interface Question {
  readonly speaks: NodeId;
  askedTick: number;
  /** Said once: the old process lives. */
  refused: boolean;
}

/** Nothing yet: answers are missing. */
export type Verdict = "gone" | "unknown" | { readonly hearer: NodeId; readonly silence: Heard };

export class Rejoining {
  readonly #parts: RejoiningParts;
  /** By the raft id on record. */
  readonly #questions: Map<NodeId, Question>;

  constructor(parts: RejoiningParts) {
    this.#parts = parts;
    this.#questions = new Map();
  }

  /** Some address answers under another raft id than the one on record, or did so at the last tick. */
  isNeeded(): boolean {
    const { members } = this.#parts.table;
    return this.#questions.size > 0 || members.some((member) => this.#newcomerOf(member) !== 0);
  }

  /** At every tick of a leader when it is needed. */
  tick(status: RaftStatus, nowTick: number): void {
    this.#forgetOthers();
    if (isJoint(status.confState)) return;
    for (const member of this.#parts.table.members) {
      const speaks = this.#newcomerOf(member);
      if (speaks !== 0) this.#consider(member, speaks, status, nowTick);
    }
  }

  /** It does not lead any more. */
  stop(): void {
    for (const lost of this.#questions.keys()) this.#forget(lost);
  }

  /** Of a born member, whose address answers under another raft id on a link dialled there; or 0. */
  #newcomerOf({ memberId, raftId }: MemberRecord): NodeId {
    const { table, peers, selfId } = this.#parts;
    if (raftId === 0 || raftId === selfId) return 0;
    const speaks = peers.dialledRaftId(memberId);
    const known = table.byRaftId(speaks) !== null || table.removed.includes(speaks);
    return known ? 0 : speaks;
  }

  #consider(member: MemberRecord, speaks: NodeId, status: RaftStatus, nowTick: number): void {
    const { peers, timeoutTicks, electionTimeoutMs, selfId } = this.#parts;
    const lost = member.raftId;
    const question = this.#questionOf(lost, speaks, nowTick);
    if (nowTick >= question.askedTick + timeoutTicks) {
      question.askedTick = nowTick;
      const others = status.confState.voters.filter((id) => id !== selfId && id !== lost);
      peers.silence.ask(lost, others);
    }
    const heard = new Map([...peers.silence.answers(lost), [selfId, peers.silence.of(lost)]]);
    const answering = status.progress
      .filter(({ id, silentTicks }) => id !== selfId && silentTicks <= timeoutTicks)
      .map(({ id }) => id);
    const verdict = judge(status.confState, lost, answering, heard, 2 * electionTimeoutMs);
    if (verdict === "gone") this.#replace(member, speaks, status.confState);
    else if (verdict !== "unknown") this.#refuse(member, question, verdict, status.confState);
  }

  #questionOf(lost: NodeId, speaks: NodeId, nowTick: number): Question {
    const present = this.#questions.get(lost);
    if (present?.speaks === speaks) return present;
    const askedTick = nowTick - this.#parts.timeoutTicks;
    const question: Question = { speaks, askedTick, refused: false };
    this.#questions.set(lost, question);
    return question;
  }

  #replace(member: MemberRecord, speaks: NodeId, conf: ConfState): void {
    const { trace } = this.#parts;
    const { memberId, raftId: lostRaftId } = member;
    const outcome = this.#parts.propose(replacement(conf, member, speaks));
    if (outcome !== ProposeOutcome.Accepted) return;
    this.#forget(lostRaftId);
    trace.info("a member rejoins with another disk", {
      member: memberId,
      lost: lostRaftId,
      raftId: speaks,
    });
  }

  #refuse(
    { memberId, raftId, aim }: MemberRecord,
    question: Question,
    { hearer, silence }: Exclude<Verdict, string>,
    conf: ConfState,
  ): void {
    const { table, trace, electionTimeoutMs } = this.#parts;
    // Whoever died a moment ago was heard a moment ago.
    if (question.refused || silence.address === "") return;
    question.refused = true;
    trace.warn("a member is not replaced: its old process may be alive", {
      member: memberId,
      raftId,
      votes: aim === MemberAim.Voter && conf.voters.includes(raftId),
      at: silence.address,
      heardBy: table.byRaftId(hearer)?.name ?? String(hearer),
      silentMs: Math.floor(silence.silentMs),
      neededMs: 2 * electionTimeoutMs,
      speaks: question.speaks,
    });
  }

  /** Whose address answers as it is on record again, or that have left. */
  #forgetOthers(): void {
    const { table } = this.#parts;
    for (const lost of this.#questions.keys()) {
      const member = table.byRaftId(lost);
      if (member === null || this.#newcomerOf(member) === 0) this.#forget(lost);
    }
  }

  #forget(lost: NodeId): void {
    this.#questions.delete(lost);
    this.#parts.peers.silence.forget(lost);
  }
}

/** `heard`: by each voter that has answered, the leader among them. */
export function judge(
  { voters }: ConfState,
  lost: NodeId,
  answering: readonly NodeId[],
  heard: ReadonlyMap<NodeId, Heard>,
  silentMsMin: number,
): Verdict {
  const others = voters.filter((id) => id !== lost);
  for (const id of others) {
    const silence = heard.get(id);
    if (silence !== undefined && silence.silentMs < silentMsMin) return { hearer: id, silence };
  }
  const missing = others.some((id) => answering.includes(id) && !heard.has(id));
  const answered = others.filter((id) => heard.has(id)).length;
  return missing || answered * 2 <= voters.length ? "unknown" : "gone";
}

/**
 * Voter for voter with an odd number of voters: never worse than a learner first, and a second loss
 * becomes survivable as soon as the new disk has caught up. With an even number the quorum is smaller
 * without the lost one (P2).
 */
export function replacement(conf: ConfState, member: MemberRecord, raftId: NodeId): ConfChange {
  const { memberId, raftId: lostRaftId } = member;
  const atOnce = conf.voters.includes(lostRaftId) && conf.voters.length % 2 === 1;
  const type = atOnce ? ConfChangeType.AddVoter : ConfChangeType.AddLearner;
  return changeOf(
    [
      [ConfChangeType.Remove, lostRaftId],
      [type, raftId],
    ],
    [{ kind: RecordChangeKind.Rebind, memberId, lostRaftId, raftId }],
  );
}
