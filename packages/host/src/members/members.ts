// The leader's part in membership (P2): takes requests one after the other, puts a newcomer's raft id
// into the configuration once its process answers at the address on record, promotes who has caught
// up, and knows when a removed member may be told so. Whatever it proposes is checked again at apply
// by every member; losing leadership loses nothing but what waits here.
import { ConfChangeType, isVoter, Proposal, ProposeOutcome } from "@quorate/raft";
import type {
  ConfChange,
  Index,
  NodeId,
  ProgressStatus,
  RaftApi,
  RaftStatus,
  Term,
} from "@quorate/raft";
import type { Trace } from "@quorate/storage";
import type { PeersApi } from "../peers/peers-api.ts";
import { CatchUp } from "./catch-up.ts";
import { changeOf, decide, weakens } from "./change-rules.ts";
import type { MembersView } from "./change-rules.ts";
import { HostEntryKind } from "./entry-kinds.ts";
import { MemberAim } from "./member-record.ts";
import { decodeMemberRequest } from "./member-request.ts";
import type { MemberRequest } from "./member-request.ts";
import { encodeRecordChanges, MemberError, RecordChangeKind } from "./members-change.ts";
import type { MembershipTable } from "./membership-table.ts";
import { Rejoining } from "./rejoining.ts";
import type { RejoiningParts } from "./rejoining.ts";

/** Requests that wait for a change in flight; past it they are refused. */
const waitingMax = 16;

export interface MemberAnswer {
  appended(index: Index, term: Term): void;
  refused(error: MemberError): void;
  /** Not proposed, and will not be. */
  failed(outcome: ProposeOutcome): void;
}

interface Waiting {
  readonly request: MemberRequest;
  readonly answer: MemberAnswer;
  readonly deadlineTick: number;
}

export interface MembersParts {
  readonly raft: RaftApi;
  readonly table: MembershipTable;
  readonly peers: RejoiningParts["peers"] & Pick<PeersApi, "status" | "setRemoved">;
  readonly trace: Trace;
  readonly selfId: NodeId;
  readonly healthMs: number;
  readonly learnersMax: number;
  readonly timeoutTicks: number;
  readonly electionTimeoutMs: number;
  /** A request waits so long for its turn. */
  readonly waitTicksMax: number;
}

export class Members {
  readonly #parts: MembersParts;
  readonly #catchUp: CatchUp;
  readonly #rejoining: Rejoining;
  #waiting: Waiting[];
  #nowTick: number;
  /** Of the newest change that removed somebody, or above it. */
  #removedIndex: Index;
  #removed: readonly NodeId[];
  #removedMembers: readonly string[];
  /** `removed` is safely known: this member leads, and may tell them. */
  #final: boolean;

  /** `applied`: of the table as it is now. */
  constructor(parts: MembersParts, applied: Index) {
    this.#parts = parts;
    this.#catchUp = new CatchUp(parts.timeoutTicks);
    this.#rejoining = new Rejoining({ ...parts, propose: (change) => this.#propose(change) });
    this.#waiting = [];
    this.#nowTick = 0;
    this.#removedIndex = applied;
    this.#removed = [];
    this.#removedMembers = [];
    this.#final = false;
  }

  /** The table changed at this index. */
  changed(index: Index): void {
    const { table } = this.#parts;
    const { removed, removedMembers } = table;
    if (removed === this.#removed && removedMembers === this.#removedMembers) return;
    if (removed !== this.#removed) this.#removedIndex = index;
    this.#removed = removed;
    this.#removedMembers = removedMembers;
    this.#final = false;
    this.#tellPeers();
  }

  /** Leader only. Exactly one of the answers, now or later. */
  request(payload: Uint8Array, answer: MemberAnswer): void {
    const request = decodeMemberRequest(payload);
    if (request === null) return answer.refused(MemberError.BadUrls);
    if (this.#waiting.length >= waitingMax) return answer.failed(ProposeOutcome.Overloaded);
    const deadlineTick = this.#nowTick + this.#parts.waitTicksMax;
    this.#waiting.push({ request, answer, deadlineTick });
    this.#serveWaiting();
  }

  tick(nowTick: number): void {
    this.#nowTick = nowTick;
    const { raft } = this.#parts;
    this.#judgeFinal();
    if (!raft.isLeader()) {
      this.#failAll(ProposeOutcome.NotLeader);
      this.#catchUp.keep([]);
      this.#rejoining.stop();
      return;
    }
    if (this.#waiting.length > 0) this.#serveWaiting();
    if (this.#rejoining.isNeeded()) this.#rejoining.tick(raft.status(), nowTick);
    if (this.#isSettled()) return;
    this.#admitOne();
    this.#promote(raft.status());
  }

  /** Nobody is unborn or waits for promotion: the usual case, at every tick. */
  #isSettled(): boolean {
    const { members, confState } = this.#parts.table;
    const settled = members.every(
      (m) => m.raftId !== 0 && (m.aim === MemberAim.Learner || confState.voters.includes(m.raftId)),
    );
    if (settled) this.#catchUp.keep([]);
    return settled;
  }

  stop(): void {
    this.#failAll(ProposeOutcome.NotLeader);
  }

  // ---- Requests ------------------------------------------------------------------------------------

  #serveWaiting(): void {
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      if (!this.#serve(first)) return;
      this.#waiting.shift();
    }
  }

  /** False: a change is in flight, it waits on. */
  #serve({ request, answer, deadlineTick }: Waiting): boolean {
    const { raft } = this.#parts;
    const decision = decide(this.#view(), request);
    if ("error" in decision) {
      answer.refused(decision.error);
      return true;
    }
    const outcome =
      "change" in decision
        ? this.#propose(decision.change)
        : raft.propose([
            new Proposal(HostEntryKind.Members, encodeRecordChanges(decision.records)),
          ]);
    if (outcome === ProposeOutcome.Accepted) {
      answer.appended(raft.lastIndex(), raft.term());
    } else if (outcome === ProposeOutcome.ConfChangePending && this.#nowTick < deadlineTick) {
      return false;
    } else {
      answer.failed(outcome);
    }
    return true;
  }

  #propose(change: ConfChange): ProposeOutcome {
    return this.#parts.raft.proposeConfChange(change);
  }

  #failAll(outcome: ProposeOutcome): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const { answer } of waiting) answer.failed(outcome);
  }

  #view(): MembersView {
    const { raft, peers, table, selfId, healthMs, learnersMax } = this.#parts;
    const status = raft.status();
    const connections = peers.status();
    return {
      table,
      selfId,
      healthMs,
      learnersMax,
      connectedMs: (id) => connections.find((peer) => peer.raftId === id)?.connectedMs ?? -1,
      match: (id) => matchOf(status, id),
    };
  }

  // ---- Newcomers -----------------------------------------------------------------------------------

  /**
   * The process that answers at the address on record, on a link that this leader dialled, gives the
   * unborn member its raft id: whoever merely claims to be it does not (P3).
   */
  #admitOne(): void {
    const { table, peers, trace } = this.#parts;
    for (const { memberId, raftId } of table.members) {
      if (raftId !== 0) continue;
      const speaks = peers.dialledRaftId(memberId);
      const known = table.byRaftId(speaks) !== null || table.removed.includes(speaks);
      if (speaks === 0 || known) continue;
      const bind = { kind: RecordChangeKind.Bind, memberId, raftId: speaks } as const;
      const outcome = this.#propose(changeOf([[ConfChangeType.AddLearner, speaks]], [bind]));
      if (outcome !== ProposeOutcome.Accepted) return;
      trace.info("admitting a new member", { member: memberId, raftId: speaks });
      return;
    }
  }

  /** All that are ready, in one change; one that answers and is not ready yet is waited for. */
  #promote(status: RaftStatus): void {
    const { confState } = status;
    const learners = status.progress.filter((progress) => this.#isToVote(progress, confState));
    this.#catchUp.keep(learners.map(({ id }) => id));
    const live = learners.filter((progress) => this.#reaches(progress));
    if (live.length === 0) return;
    const ready = live.filter((progress) =>
      this.#catchUp.hasCaughtUp(progress, status.lastIndex, this.#nowTick),
    );
    if (ready.length < live.length) return;
    const change = changeOf(
      ready.map(({ id }) => [ConfChangeType.AddVoter, id] as const),
      [],
    );
    const reachable = new Set(
      status.progress.filter((progress) => this.#reaches(progress)).map(({ id }) => id),
    );
    if (weakens(confState, change, (id) => reachable.has(id))) return;
    if (this.#propose(change) !== ProposeOutcome.Accepted) return;
    this.#parts.trace.info("promoting members that have caught up", { count: ready.length });
  }

  #isToVote({ id, regressed }: ProgressStatus, confState: RaftStatus["confState"]): boolean {
    if (regressed || isVoter(confState, id) || confState.learnersNext.includes(id)) return false;
    return this.#parts.table.byRaftId(id)?.aim === MemberAim.Voter;
  }

  #reaches({ id, silentTicks }: ProgressStatus): boolean {
    return id === this.#parts.selfId || silentTicks <= this.#parts.timeoutTicks;
  }

  // ---- Those who left ------------------------------------------------------------------------------

  /**
   * A removed member is needed for votes until a majority of the new voters has applied its removal;
   * only then it is told, and may go (P2). Only a leader knows that.
   */
  #judgeFinal(): void {
    const { raft } = this.#parts;
    const final =
      this.#removed.length > 0 && raft.isLeader() && raft.appliedByQuorum() >= this.#removedIndex;
    if (final === this.#final) return;
    this.#final = final;
    this.#tellPeers();
  }

  #tellPeers(): void {
    this.#parts.peers.setRemoved(this.#removed, this.#removedMembers, this.#final);
  }
}

function matchOf(status: RaftStatus, id: NodeId): Index {
  return status.progress.find((progress) => progress.id === id)?.match ?? 0;
}
