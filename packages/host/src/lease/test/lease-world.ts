// Members that share a log and nothing else: each has a state, a lessor, a clock of its own, and a belief
// whether it leads. Commits and confirmations come when the test lets them, and to the true leader
// only: what an old one appends is lost.
import { assert } from "@quorate/base";
import {
  encodeLeaseGrant,
  encodeLeaseRevoke,
  KvState,
  leaseIdOf,
  OperationKind,
  RevokeCause,
} from "@quorate/kv";
import type { LeaseId } from "@quorate/kv";
import { MemoryRows } from "@quorate/kv/internal";
import { LeaseQuestionKind } from "../../peers/lease-codec.ts";
import { LeaseQuestion } from "../lease-question.ts";
import { Lessor } from "../lessor.ts";

interface Entry {
  readonly term: number;
  readonly kind: OperationKind;
  readonly payload: Uint8Array;
}

export const id = (n: number): LeaseId => leaseIdOf(0, n);

const nothing = (): undefined => undefined;
const trace = { debug: nothing, info: nothing, warn: nothing, error: nothing, mark: nothing };

export class LeaseMember {
  readonly world: LeaseWorld;
  readonly kv: KvState;
  readonly lessor: Lessor;
  /** This one's clock is so far ahead of the world's. */
  readonly offsetMs: number;
  /** In which it believes that it leads; 0: it does not. */
  leadsTerm: number;
  applied: number;
  /** Read barriers on their way: asked in that term. */
  barriers: { readonly term: number; readonly done: (ok: boolean) => void }[];

  constructor(world: LeaseWorld, offsetMs: number, intervalMs: number, ratePerSecond: number) {
    this.world = world;
    this.offsetMs = offsetMs;
    this.leadsTerm = 0;
    this.applied = 0;
    this.barriers = [];
    this.kv = new KvState({
      rows: new MemoryRows(),
      clusterId: 1n,
      memberId: 2n,
      txnOpsMax: 128,
      rangeBytesMax: 1 << 20,
    });
    this.lessor = new Lessor({
      clock: { monotonicMs: () => world.nowMs + offsetMs },
      raft: { isLeader: () => this.leadsTerm > 0, term: () => Math.max(1, this.leadsTerm) },
      leases: this.kv.leases,
      trace,
      remainderIntervalMs: intervalMs,
      revokesPerSecondMax: ratePerSecond,
      readBarrier: (done) => void this.barriers.push({ term: this.leadsTerm, done }),
      propose: (kind, record) => world.append(this, kind, this.kv.envelope("", 0, record)),
    });
    this.kv.leases.observer = this.lessor;
  }

  apply(): void {
    const { log } = this.world;
    while (this.applied < log.length) {
      const { term, kind, payload } = log[this.applied]!;
      this.applied += 1;
      const operation = { kind, level: 1, index: this.applied, term, wallMs: 1, payload };
      this.kv.apply(operation, false, term);
    }
  }

  /** Those of the true leader succeed, others fail once it knows. */
  answerBarriers(): void {
    const { leader, term } = this.world;
    const asked = this.barriers;
    this.barriers = [];
    for (const barrier of asked) {
      if (leader === this && barrier.term === term) {
        this.apply();
        barrier.done(true);
      } else if (this.leadsTerm === 0) {
        // Served by the new leader's word.
        this.apply();
        barrier.done(true);
      } else this.barriers.push(barrier);
    }
  }

  /** Asks for a renewal of its own accord, as a client at it would. */
  renew(n: number, heard: (outcome: string) => void): void {
    const sink = {
      known: (ttlSeconds: number): void => heard(`renewed ${ttlSeconds}`),
      unknown: (): void => heard("unknown"),
      failed: (): void => heard("failed"),
    };
    const owner = { ended: nothing, lost: (): void => heard("lost") };
    const question = new LeaseQuestion(LeaseQuestionKind.Renew, id(n), 1e9, sink, owner);
    question.askedMs = this.world.nowMs + this.offsetMs;
    this.lessor.confirm((ok) => {
      if (ok) this.lessor.answer(question);
      else heard("lost");
    });
  }

  /** Whole seconds; null: nobody knows it. */
  secondsLeft(n: number): number | null {
    let left: number | null = null;
    const sink = { known: (ttl: number) => (left = ttl), unknown: nothing, failed: nothing };
    const owner = { ended: nothing, lost: nothing };
    const kind = LeaseQuestionKind.TimeToLive;
    this.lessor.answer(new LeaseQuestion(kind, id(n), 1e9, sink, owner));
    return left;
  }
}

export interface LeaseWorldOptions {
  readonly members: number;
  readonly remainderIntervalMs: number;
  readonly revokesPerSecondMax: number;
}

const defaults = { members: 3, remainderIntervalMs: 300_000, revokesPerSecondMax: 1000 };

export class LeaseWorld {
  nowMs: number;
  term: number;
  /** Committed. */
  readonly log: Entry[];
  /** Appended by the true leader, not committed. */
  pending: Entry[];
  readonly members: readonly LeaseMember[];
  leader: LeaseMember;
  /** Accepts no proposal. */
  full: boolean;

  constructor(options: Partial<LeaseWorldOptions> = {}) {
    const { members, remainderIntervalMs, revokesPerSecondMax } = { ...defaults, ...options };
    this.nowMs = 1000;
    this.term = 0;
    this.log = [];
    this.pending = [];
    this.full = false;
    this.members = Array.from(
      { length: members },
      (_, at) => new LeaseMember(this, at * 777_777, remainderIntervalMs, revokesPerSecondMax),
    );
    this.leader = this.members[0]!;
    this.elect(0);
  }

  /** `keeps`: of what the old leader had not committed, the new one has so many entries. */
  elect(at: number, keeps: number = 0, knows: boolean = true): void {
    const old = this.leader;
    this.term += 1;
    this.pending = this.pending.slice(0, keeps);
    this.leader = this.members[at]!;
    if (knows && old !== this.leader) old.leadsTerm = 0;
    this.leader.leadsTerm = this.term;
  }

  append(by: LeaseMember, kind: OperationKind, payload: Uint8Array): boolean {
    assert(by.leadsTerm > 0, "LeaseWorld: only who believes to lead appends");
    if (this.full) return false;
    const isTrue = by === this.leader && by.leadsTerm === this.term;
    if (isTrue) this.pending.push({ term: this.term, kind, payload });
    return true;
  }

  commit(): void {
    this.log.push(...this.pending);
    this.pending = [];
    this.leader.apply();
  }

  /** By a client, and committed at once. */
  grant(n: number, ttlSeconds: number): void {
    const record = encodeLeaseGrant({ id: id(n), ttlSeconds });
    this.append(this.leader, OperationKind.LeaseGrant, this.leader.kv.envelope("", 0, record));
    this.commit();
  }

  revoke(n: number): void {
    const record = encodeLeaseRevoke({ cause: RevokeCause.Client, id: id(n) });
    this.append(this.leader, OperationKind.LeaseRevoke, this.leader.kv.envelope("", 0, record));
    this.commit();
  }

  /** Time passes in ticks; after each whatever can be confirmed and committed is. */
  run(ms: number): void {
    for (const until = this.nowMs + ms; this.nowMs < until;) {
      this.nowMs = Math.min(until, this.nowMs + 10);
      this.step();
    }
  }

  /** Time passes and nobody runs. */
  stall(ms: number): void {
    this.nowMs += ms;
  }

  step(): void {
    for (const member of this.members) member.lessor.tick();
    for (const member of this.members) member.answerBarriers();
    this.commit();
  }

  has(n: number): boolean {
    this.leader.apply();
    return this.leader.kv.leases.get(id(n)) !== null;
  }
}
