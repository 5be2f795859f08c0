// Brings questions about leases to the leader, whichever member was asked, and the answers back. Asking
// twice does no harm, so a question whose leader has gone, or whose answer was lost, is asked again
// until its time is up.
import type { LeaseId } from "@quorate/kv";
import type { NodeId, RaftApi } from "@quorate/raft";
import type { Clock } from "@quorate/storage";
import { FailureCode } from "../host-api.ts";
import type { Failure } from "../host-api.ts";
import { LeaseOutcome } from "../peers/lease-codec.ts";
import type { LeaseAnswer, LeaseAsk, LeaseQuestionKind } from "../peers/lease-codec.ts";
import type { LeaseTalkApi } from "../peers/peers-api.ts";
import { failure } from "../proposals.ts";
import { LeaseQuestion } from "./lease-question.ts";
import type { LeaseQuestionOwner, LeaseSink } from "./lease-question.ts";
import type { Lessor } from "./lessor.ts";

export interface LeaseRoutingParts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly raft: Pick<RaftApi, "isLeader" | "leader">;
  readonly talk: LeaseTalkApi;
  readonly lessor: Pick<Lessor, "confirm" | "answer">;
  readonly timeoutTicks: number;
  /** An answer that has not come for so long is asked for again. */
  readonly retryTicks: number;
  /** Questions at one time, own and others'. */
  readonly questionsMax: number;
  missing(): readonly string[];
  /** Env's: nobody is answered while he asks. */
  schedule(turn: () => void): void;
}

const sweepEveryTicks = 10;

export class LeaseRouting {
  readonly #parts: LeaseRoutingParts;
  /** In order of arrival, which is that of deadlines. */
  #open: LeaseQuestion[];
  #openHead: number;
  #count: number;
  /** By the number under which the leader was asked. */
  readonly #sent: Map<number, LeaseQuestion>;
  /** There was no leader to ask. */
  #parked: LeaseQuestion[];
  readonly #own: LeaseQuestionOwner;
  readonly #others: LeaseQuestionOwner;
  #nextNumber: number;
  #nowTick: number;
  #sweepTick: number;
  #stopped: boolean;

  constructor(parts: LeaseRoutingParts) {
    this.#parts = parts;
    this.#open = [];
    this.#openHead = 0;
    this.#count = 0;
    this.#sent = new Map();
    this.#parked = [];
    const ended = (): void => void (this.#count -= 1);
    this.#own = { ended, lost: (question) => void this.#parked.push(question) };
    this.#others = { ended, lost: (question) => question.fail(failure(FailureCode.NoLeader)) };
    this.#nextNumber = 1;
    this.#nowTick = 0;
    this.#sweepTick = 0;
    this.#stopped = false;
  }

  /** A client of this member asks. */
  ask(kind: LeaseQuestionKind, id: LeaseId, sink: LeaseSink): void {
    if (!this.#admits()) {
      const why = this.#stopped ? FailureCode.Stopped : FailureCode.TooManyRequests;
      return this.#parts.schedule(() => sink.failed(failure(why)));
    }
    this.#route(this.#take(kind, id, sink, this.#own));
  }

  /** Another member asks for one of its clients. It repeats what is lost, and has its own patience. */
  asked(from: NodeId, { number, kind, id }: LeaseAsk): void {
    const answer = (outcome: LeaseOutcome, ttlSeconds = 0, grantedTtlSeconds = 0): void =>
      this.#parts.talk.answer(from, { number, outcome, ttlSeconds, grantedTtlSeconds });
    if (!this.#parts.raft.isLeader()) return answer(LeaseOutcome.NotLeader);
    if (!this.#admits()) return answer(LeaseOutcome.Overloaded);
    const sink: LeaseSink = {
      known: (ttlSeconds, granted) => answer(LeaseOutcome.Known, ttlSeconds, granted),
      unknown: () => answer(LeaseOutcome.Unknown),
      failed: ({ code }) => {
        const full = code === FailureCode.TooManyRequests;
        answer(full ? LeaseOutcome.Overloaded : LeaseOutcome.NotLeader);
      },
    };
    this.#serve(this.#take(kind, id, sink, this.#others));
  }

  /** By the leader, or by one that has led. */
  answered({ number, outcome, ttlSeconds, grantedTtlSeconds }: LeaseAnswer): void {
    const question = this.#sent.get(number);
    if (question === undefined) return;
    this.#sent.delete(number);
    switch (outcome) {
      case LeaseOutcome.Known:
        return question.known(ttlSeconds, grantedTtlSeconds);
      case LeaseOutcome.Unknown:
        return question.unknown();
      case LeaseOutcome.Overloaded:
        return question.fail(failure(FailureCode.TooManyRequests));
      case LeaseOutcome.NotLeader:
        this.#parked.push(question);
    }
  }

  tick(nowTick: number): void {
    this.#nowTick = nowTick;
    this.#expire();
    const { raft } = this.#parts;
    if (this.#parked.length > 0 && (raft.isLeader() || raft.leader() !== 0)) {
      for (const question of this.#parked.splice(0)) this.#route(question);
    }
    if (nowTick < this.#sweepTick) return;
    this.#sweepTick = nowTick + sweepEveryTicks;
    this.#sweep();
  }

  stop(): void {
    this.#stopped = true;
    for (const question of this.#open.slice(this.#openHead)) {
      question.fail(failure(FailureCode.Stopped));
    }
    this.#open = [];
    this.#openHead = 0;
  }

  #admits(): boolean {
    return !this.#stopped && this.#count < this.#parts.questionsMax;
  }

  #take(
    kind: LeaseQuestionKind,
    id: LeaseId,
    sink: LeaseSink,
    owner: LeaseQuestionOwner,
  ): LeaseQuestion {
    const deadlineTick = this.#nowTick + this.#parts.timeoutTicks;
    const question = new LeaseQuestion(kind, id, deadlineTick, sink, owner);
    this.#count += 1;
    this.#open.push(question);
    return question;
  }

  #route(question: LeaseQuestion): void {
    if (question.answered) return;
    const { raft, talk } = this.#parts;
    if (raft.isLeader()) return this.#serve(question);
    const leader = raft.leader();
    const number = this.#nextNumber;
    const { kind, id } = question;
    if (leader === 0 || !talk.ask(leader, { number, kind, id })) {
      this.#parked.push(question);
      return;
    }
    this.#nextNumber += 1;
    question.sentTick = this.#nowTick;
    question.sentTo = leader;
    this.#sent.set(number, question);
  }

  /** As the leader. */
  #serve(question: LeaseQuestion): void {
    const { clock, lessor } = this.#parts;
    question.askedMs = clock.monotonicMs();
    lessor.confirm((ok) => {
      if (question.answered) return;
      if (ok) lessor.answer(question);
      else question.lost();
    });
  }

  /** All wait equally long: the first one open is the first whose time is up. */
  #expire(): void {
    for (; this.#openHead < this.#open.length; this.#openHead += 1) {
      const first = this.#open[this.#openHead]!;
      if (!first.answered && first.deadlineTick > this.#nowTick) break;
      if (!first.answered) first.fail(this.#tooLate());
    }
    if (this.#openHead > 1024 && this.#openHead * 2 > this.#open.length) {
      this.#open = this.#open.slice(this.#openHead);
      this.#openHead = 0;
    }
  }

  #tooLate(): Failure {
    const parts = this.#parts;
    if (parts.raft.leader() !== 0) return failure(FailureCode.TimedOut);
    return failure(FailureCode.NoLeader, parts.missing());
  }

  #sweep(): void {
    const { raft, retryTicks } = this.#parts;
    this.#parked = this.#parked.filter(({ answered }) => !answered);
    for (const [number, question] of this.#sent) {
      const isLate = this.#nowTick - question.sentTick >= retryTicks;
      if (!question.answered && !isLate && question.sentTo === raft.leader()) continue;
      this.#sent.delete(number);
      if (!question.answered) this.#parked.push(question);
    }
  }
}
