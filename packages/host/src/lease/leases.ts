// What a member does with leases: it proposes what changes them, asks the leader for what only that one
// knows, and keeps them itself while it leads (lessor.ts).
import {
  encodeKeepAliveResponse,
  encodeLeaseGrant,
  encodeLeaseRevoke,
  encodeLeasesResponse,
  encodeTimeToLiveResponse,
  grantCommandOf,
  KvError,
  leaseIdOf,
  nobody,
  OperationKind,
  RevokeCause,
} from "@quorate/kv";
import type {
  Identity,
  Lease,
  LeaseGrantRequest,
  LeaseId,
  LeaseTimeToLiveRequest,
} from "@quorate/kv";
import { latin1Decode } from "@quorate/base";
import type { Random } from "@quorate/storage";
import type { LeaseApi, ReplySink } from "../host-api.ts";
import { LeaseQuestionKind } from "../peers/lease-codec.ts";
import type { LeaseAnswer, LeaseAsk } from "../peers/lease-codec.ts";
import { kvFailure } from "../proposals.ts";
import type { LeaseRouting } from "./lease-routing.ts";
import type { Lessor } from "./lessor.ts";
import { leaseTtlSecondsMin, makeLessor, makeRouting } from "./make-leases.ts";
import type { LeaseWiring } from "./make-leases.ts";

export class Leases implements LeaseApi {
  readonly #wiring: LeaseWiring;
  readonly #lessor: Lessor;
  readonly #routing: LeaseRouting;
  readonly #random: Random;
  /** What is asked for less is granted for so long: an election must not end a lease. */
  readonly #ttlSecondsMin: number;
  #nowTick: number;

  constructor(wiring: LeaseWiring) {
    this.#wiring = wiring;
    this.#nowTick = 0;
    this.#lessor = makeLessor(wiring, () => this.#nowTick);
    this.#routing = makeRouting(wiring, this.#lessor);
    this.#random = wiring.env.random.fork("leases");
    this.#ttlSecondsMin = leaseTtlSecondsMin(wiring.config);
  }

  /** For the simulator's checkers. */
  get lessor(): Pick<Lessor, "inOffice" | "expiryMs"> {
    return this.#lessor;
  }

  tick(nowTick: number): void {
    this.#nowTick = nowTick;
    this.#lessor.tick();
    this.#routing.tick(nowTick);
  }

  stop(): void {
    this.#routing.stop();
  }

  asked(from: number, ask: LeaseAsk): void {
    this.#routing.asked(from, ask);
  }

  answered(answer: LeaseAnswer): void {
    this.#routing.answered(answer);
  }

  // ---- By the log -------------------------------------------------------------------------------------

  grant(request: LeaseGrantRequest, sink: ReplySink, identity: Identity = nobody): void {
    const { requests, quota } = this.#wiring;
    const command = grantCommandOf(request, this.#ttlSecondsMin, () => this.#freshId());
    if (typeof command === "number") return requests.refuse(sink, kvFailure(command));
    const record = encodeLeaseGrant(command);
    if (quota.refuses(OperationKind.LeaseGrant, record)) {
      return requests.refuse(sink, kvFailure(KvError.NoSpace));
    }
    this.#propose(OperationKind.LeaseGrant, record, sink, identity);
  }

  revoke(id: LeaseId, sink: ReplySink, identity: Identity = nobody): void {
    const record = encodeLeaseRevoke({ cause: RevokeCause.Client, id });
    this.#propose(OperationKind.LeaseRevoke, record, sink, identity);
  }

  #propose(
    kind: OperationKind,
    record: Uint8Array,
    sink: ReplySink,
    { user, authRevision }: Identity,
  ): void {
    const { kv, requests } = this.#wiring;
    requests.propose(kind, kv.envelope(user, authRevision, record), sink, this.#nowTick);
  }

  /** etcd's are positive. */
  #freshId(): LeaseId {
    const { kv } = this.#wiring;
    for (;;) {
      const id = leaseIdOf(this.#random.below(2 ** 31), 1 + this.#random.below(2 ** 32 - 1));
      if (kv.leases.get(id) === null) return id;
    }
  }

  // ---- By the leader's word ---------------------------------------------------------------------------

  /** While authentication is on: by who may revoke it, as the newest state has it. */
  keepAlive(id: LeaseId, sink: ReplySink, identity: Identity = nobody): void {
    const { kv } = this.#wiring;
    if (!kv.auth.enabled) return this.#renew(id, sink);
    this.#read(sink, () => {
      const error = kv.mayKeepLease(identity, id);
      if (error === KvError.None) this.#renew(id, sink);
      else sink.fail(kvFailure(error));
    });
  }

  #renew(id: LeaseId, sink: ReplySink): void {
    const { kv, raft } = this.#wiring;
    // Before it is renewed: whoever sees it live at a revision can rely on it (etcd#6690).
    const header = kv.responseHeader(raft.term());
    this.#routing.ask(LeaseQuestionKind.Renew, id, {
      known: (ttlSeconds) => sink.reply(encodeKeepAliveResponse(header, id, ttlSeconds)),
      unknown: () => sink.reply(encodeKeepAliveResponse(header, id, 0)),
      failed: (failure) => sink.fail(failure),
    });
  }

  timeToLive(
    { id, keys }: LeaseTimeToLiveRequest,
    sink: ReplySink,
    identity: Identity = nobody,
  ): void {
    this.#routing.ask(LeaseQuestionKind.TimeToLive, id, {
      known: (ttlSeconds, granted) => {
        if (!keys) return this.#replyTimeToLive(id, ttlSeconds, granted, [], sink);
        this.#read(sink, () => this.#replyWithKeys(id, ttlSeconds, sink, identity));
      },
      unknown: () => this.#replyTimeToLive(id, -1, 0, [], sink),
      failed: (failure) => sink.fail(failure),
    });
  }

  /** The leader has answered, and this member has applied what it had by then. */
  #replyWithKeys(id: LeaseId, ttlSeconds: number, sink: ReplySink, identity: Identity): void {
    const { kv } = this.#wiring;
    const lease = kv.leases.get(id);
    if (lease === null) return this.#replyTimeToLive(id, -1, 0, [], sink);
    const refusal = this.#mayReadKeysOf(lease, identity);
    if (refusal !== KvError.None) return sink.fail(kvFailure(refusal));
    const { grantedTtlSeconds } = lease;
    this.#replyTimeToLive(id, ttlSeconds, grantedTtlSeconds, kv.leaseKeys(lease), sink);
  }

  /** Their names tell of them (CVE-2023-32082). */
  #mayReadKeysOf(lease: Lease, identity: Identity): KvError {
    const { kv } = this.#wiring;
    if (!kv.auth.enabled) return KvError.None;
    return kv.auth.mayRangeKeys(
      identity,
      kv.leaseKeys(lease).map((key) => latin1Decode(key)),
    );
  }

  #replyTimeToLive(
    id: LeaseId,
    ttlSeconds: number,
    grantedTtlSeconds: number,
    keys: readonly Uint8Array[],
    sink: ReplySink,
  ): void {
    const { kv, raft } = this.#wiring;
    const header = kv.responseHeader(raft.term());
    sink.reply(encodeTimeToLiveResponse(header, id, ttlSeconds, grantedTtlSeconds, keys));
  }

  // ---- By what is applied -----------------------------------------------------------------------------

  /** At the leader by when they end, as etcd has it; elsewhere by their ids. */
  list(sink: ReplySink, identity: Identity = nobody): void {
    this.#read(sink, () => {
      const { kv, raft } = this.#wiring;
      if (kv.auth.enabled) {
        for (const lease of kv.leases.all()) {
          const refusal = this.#mayReadKeysOf(lease, identity);
          if (refusal !== KvError.None) return sink.fail(kvFailure(refusal));
        }
      }
      const ids = [...kv.leases.all()].map((lease) => lease.id);
      const ends = new Map(ids.map((id) => [id, this.#lessor.expiryMs(id) ?? 0]));
      ids.sort((a, b) => ends.get(a)! - ends.get(b)! || (a < b ? -1 : 1));
      sink.reply(encodeLeasesResponse(kv.responseHeader(raft.term()), ids));
    });
  }

  #read(sink: ReplySink, then: () => void): void {
    const fail: ReplySink["fail"] = (failure) => sink.fail(failure);
    this.#wiring.requests.barrier({ reply: then, fail }, this.#nowTick);
  }
}
