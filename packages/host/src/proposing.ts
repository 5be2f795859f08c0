// What gathers between two turns to be proposed: own clients' writes, those that followers forwarded,
// and requests to change the members. A leader appends them as one batch; everybody else forwards.
import { Proposal, ProposeOutcome } from "@quorate/raft";
import type { RaftApi } from "@quorate/raft";
import type { Clock, StorageApi } from "@quorate/storage";
import type { Forwards } from "./forwards.ts";
import { FailureCode } from "./host-api.ts";
import type { Load } from "./load/load.ts";
import { HostEntryKind } from "./members/entry-kinds.ts";
import type { MemberAnswer, Members } from "./members/members.ts";
import { ForwardOutcome } from "./peers/peers-api.ts";
import type { PeersApi } from "./peers/peers-api.ts";
import { failure, memberFailure } from "./proposals.ts";
import type { Proposals, Waiter } from "./proposals.ts";

export interface ProposingParts {
  readonly raft: RaftApi;
  readonly storage: StorageApi;
  readonly peers: PeersApi;
  readonly proposals: Proposals;
  readonly forwards: Forwards;
  readonly members: Members;
  readonly load: Pick<Load, "queue" | "room">;
  readonly clock: Pick<Clock, "monotonicMs">;
  missing(): readonly string[];
}

/** A proposal that a follower forwarded. */
interface RemoteProposal {
  readonly from: number;
  readonly number: number;
  readonly proposal: Proposal;
}

export class Proposing {
  readonly #parts: ProposingParts;
  #remote: RemoteProposal[];
  /** Per follower: session and highest number of forwarded writes; a repeated frame is not proposed. */
  readonly #forwardSeen: Map<number, { session: number; number: number }>;

  constructor(parts: ProposingParts) {
    this.#parts = parts;
    this.#remote = [];
    this.#forwardSeen = new Map();
  }

  add(waiter: Waiter): void {
    this.#parts.load.queue.add(waiter);
  }

  /** False: it was heard before. */
  addForwarded(from: number, number: number, kind: number, payload: Uint8Array): boolean {
    const session = this.#parts.peers.sessionOf(from);
    const seen = this.#forwardSeen.get(from);
    if (seen !== undefined && seen.session === session && number <= seen.number) {
      return false;
    }
    this.#forwardSeen.set(from, { session, number });
    this.#remote.push({ from, number, proposal: new Proposal(kind, payload) });
    return true;
  }

  run(leader: number): void {
    this.#proposeIncoming(leader);
    this.#proposeRemote();
  }

  /** Those that never left are failed. */
  stop(): void {
    this.#parts.members.stop();
    for (const waiter of this.#parts.load.queue.drain()) {
      this.#parts.proposals.fail(waiter, failure(FailureCode.Stopped));
    }
  }

  /** Of those that wait some can go. */
  get wantsTurn(): boolean {
    const { load } = this.#parts;
    return load.queue.stands && load.room().count > 0;
  }

  #proposeIncoming(leader: number): void {
    const { raft, proposals, forwards, members, load, clock } = this.#parts;
    if (load.queue.count === 0) return;
    const incoming = load.queue.take(
      load.room(),
      () => clock.monotonicMs(),
      (waiter) => proposals.fail(waiter, failure(FailureCode.TooManyRequests)),
    );
    if (incoming.length === 0) return;
    if (!raft.isLeader()) {
      for (const waiter of incoming) {
        forwards.send(leader, waiter);
      }
      return;
    }
    const batch: Proposal[] = [];
    const waiters: Waiter[] = [];
    for (const waiter of incoming) {
      if (waiter.answered) continue;
      if (waiter.kind === HostEntryKind.MemberRequest) {
        members.request(waiter.payload, this.#answerOf(waiter));
        continue;
      }
      batch.push(new Proposal(waiter.kind, waiter.payload));
      waiters.push(waiter);
    }
    if (batch.length === 0) return;
    const outcome = this.#proposeBatch(batch);
    if (outcome !== ProposeOutcome.Accepted) {
      for (const waiter of waiters) this.#fail(waiter, outcome);
      return;
    }
    const first = raft.lastIndex() - batch.length + 1;
    for (let at = 0; at < waiters.length; at += 1) {
      proposals.bind(waiters[at]!, first + at, raft.term());
    }
  }

  #fail(waiter: Waiter, outcome: ProposeOutcome): void {
    const code = failureOf(outcome);
    const missing = code === FailureCode.NoLeader ? this.#parts.missing() : [];
    this.#parts.proposals.fail(waiter, failure(code, missing));
  }

  #answerOf(waiter: Waiter): MemberAnswer {
    const { proposals } = this.#parts;
    return {
      appended: (index, term) => proposals.bind(waiter, index, term),
      refused: (error) => proposals.fail(waiter, memberFailure(error)),
      failed: (outcome) => this.#fail(waiter, outcome),
    };
  }

  #proposeRemote(): void {
    const remote = this.#remote;
    if (remote.length === 0) {
      return;
    }
    this.#remote = [];
    const { raft, peers, members } = this.#parts;
    const leads = raft.isLeader();
    const batch: RemoteProposal[] = [];
    for (const one of remote) {
      if (leads && one.proposal.kind === HostEntryKind.MemberRequest) {
        members.request(one.proposal.payload, this.#remoteAnswerOf(one));
      } else {
        batch.push(one);
      }
    }
    if (batch.length === 0) return;
    const outcome = leads
      ? this.#proposeBatch(batch.map((r) => r.proposal))
      : ProposeOutcome.NotLeader;
    if (outcome !== ProposeOutcome.Accepted) {
      for (const { from, number } of batch) {
        peers.answerForward(from, number, forwardOutcomeOf(outcome), 0, 0);
      }
      return;
    }
    const first = raft.lastIndex() - batch.length + 1;
    for (let at = 0; at < batch.length; at += 1) {
      const { from, number } = batch[at]!;
      peers.answerForward(from, number, ForwardOutcome.Appended, first + at, raft.term());
    }
  }

  #remoteAnswerOf({ from, number }: RemoteProposal): MemberAnswer {
    const { peers } = this.#parts;
    const { Appended, MemberRefused } = ForwardOutcome;
    return {
      appended: (index, term) => peers.answerForward(from, number, Appended, index, term),
      refused: (error) => peers.answerForward(from, number, MemberRefused, error, 0),
      failed: (outcome) => peers.answerForward(from, number, forwardOutcomeOf(outcome), 0, 0),
    };
  }

  /** Rows that no checkpoint has written yet are bounded: past that nothing new is accepted. */
  #proposeBatch(batch: readonly Proposal[]): ProposeOutcome {
    return this.#parts.storage.rowsFull()
      ? ProposeOutcome.Overloaded
      : this.#parts.raft.propose(batch);
  }
}

function failureOf(outcome: ProposeOutcome): FailureCode {
  switch (outcome) {
    case ProposeOutcome.TooLarge:
      return FailureCode.TooLarge;
    case ProposeOutcome.Overloaded:
    case ProposeOutcome.ConfChangePending:
      return FailureCode.TooManyRequests;
    default:
      return FailureCode.NoLeader;
  }
}

function forwardOutcomeOf(outcome: ProposeOutcome): ForwardOutcome {
  switch (outcome) {
    case ProposeOutcome.TooLarge:
      return ForwardOutcome.TooLarge;
    case ProposeOutcome.Overloaded:
      return ForwardOutcome.Overloaded;
    case ProposeOutcome.Transferring:
      return ForwardOutcome.Transferring;
    case ProposeOutcome.ConfChangePending:
      return ForwardOutcome.ChangePending;
    default:
      return ForwardOutcome.NotLeader;
  }
}
