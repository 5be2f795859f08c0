// One client that holds leases, one after the other: it is granted one, or takes over one that another has,
// puts keys with it, keeps it alive at a pace of its own or not at all, asks about it, and lets it go or
// takes it back. What it puts and reads is in the history of keys like any other client's.
import { latin1Encode, must } from "@quorate/base";
import { type Credential, type Failure, type HostApi, Need } from "@quorate/host";
import {
  decodeLeaseResponse,
  DeleteRangeRequest,
  type Identity,
  KvError,
  leaseIdOf,
  type LeaseId,
  type LeaseResponse,
  noLease,
  PutRequest,
  RangeRequest,
  leaseIdHigh,
  leaseIdLow,
} from "@quorate/kv";
import type { SimCluster } from "../cluster.ts";
import { numberOfLease } from "../model/lease-number.ts";
import type { SimRandom } from "../sim-random.ts";
import { planned, type PlannedOperation } from "../workloads/workload.ts";
import { enter } from "./entrance.ts";
import { type History, Outcome } from "./history.ts";
import { LeaseCall, type LeaseHistory, type LeaseOperation } from "./lease-history.ts";

/** What becomes of its leases, drawn for each. */
interface Manner {
  readonly ttlSeconds: number;
  /** From one keep-alive to the next; Infinity: none. */
  readonly paceMs: number;
  /** It holds the lease for so long, then looks after it no more. */
  readonly holdsMs: number;
  readonly revokes: boolean;
}

/** Ids that clients ask for by name, so that they meet. */
const namedIds = 4;
const keysOfAll = 5;
const second = 1_000_000;
/** Clients of keys count from 0; this one's puts are told from theirs. */
const clientFirst = 500;

export class LeaseClient {
  readonly #cluster: SimCluster;
  readonly #history: History;
  readonly #leases: LeaseHistory;
  readonly #random: SimRandom;
  readonly #number: number;
  /** What it brings; null: nothing. */
  readonly #credential: Credential | null;
  #member: string;
  #values: number;
  #stopped: boolean;

  constructor(
    cluster: SimCluster,
    history: History,
    leases: LeaseHistory,
    random: SimRandom,
    number: number,
    credential: Credential | null,
  ) {
    this.#cluster = cluster;
    this.#history = history;
    this.#leases = leases;
    this.#random = random;
    this.#number = number;
    this.#credential = credential;
    this.#member = random.pick(cluster.memberNames);
    this.#values = 0;
    this.#stopped = false;
  }

  start(): void {
    this.#after(this.#random.doublings(1_000, second), () => this.#begin());
  }

  /** It asks for nothing more; what it holds ends by itself. */
  stop(): void {
    this.#stopped = true;
  }

  #after(us: number, act: () => void): void {
    this.#cluster.world.after(us, () => {
      if (!this.#stopped) act();
    });
  }

  // ---- The life of one lease --------------------------------------------------------------------------

  #begin(): void {
    const random = this.#random;
    const named = random.chance(0.4) ? leaseIdOf(0, random.between(1, namedIds)) : noLease;
    const ttlSeconds = random.pick([0, 1, 2, 2, 3, 5]);
    this.#ask(
      LeaseCall.Grant,
      named,
      (leases, sink, who) => leases.grant({ id: named, ttlSeconds }, sink, who),
      {
        heard: ({ id, ttlSeconds: granted }) => this.#hold(id, this.#manner(granted)),
        // Somebody has it: it may be used by anybody.
        refused: ({ kvError }) => {
          if (kvError === KvError.LeaseExists) this.#hold(named, this.#manner(2));
          else this.#next();
        },
      },
    );
  }

  #manner(ttlSeconds: number): Manner {
    const random = this.#random;
    const ttlMs = ttlSeconds * 1000;
    return {
      ttlSeconds,
      paceMs: random.pick([0.1, 0.33, 0.33, 0.7, 1, Infinity]) * ttlMs,
      holdsMs: random.doublings(200, 15_000),
      revokes: random.chance(0.2),
    };
  }

  #hold(id: LeaseId, manner: Manner): void {
    const { world } = this.#cluster;
    const untilUs = world.nowUs + manner.holdsMs * 1000;
    for (let left = this.#random.below(4); left > 0; left -= 1) this.#touchLater(id, untilUs);
    if (manner.paceMs < Infinity) this.#keepAliveLater(id, manner, untilUs);
    this.#after(manner.holdsMs * 1000, () => {
      if (!manner.revokes) return this.#next();
      this.#ask(LeaseCall.Revoke, id, (leases, sink, who) => leases.revoke(id, sink, who), {
        heard: () => this.#next(),
        refused: () => this.#next(),
      });
    });
  }

  #next(): void {
    this.#after(this.#random.doublings(10_000, 2 * second), () => this.#begin());
  }

  #keepAliveLater(id: LeaseId, manner: Manner, untilUs: number): void {
    const us = Math.round(manner.paceMs * 1000 * (0.8 + this.#random.below(400) / 1000));
    this.#after(us, () => {
      if (this.#cluster.world.nowUs > untilUs) return;
      const again = (): void => this.#keepAliveLater(id, manner, untilUs);
      this.#ask(LeaseCall.KeepAlive, id, (leases, sink, who) => leases.keepAlive(id, sink, who), {
        heard: again,
        refused: again,
      });
    });
  }

  /** Something with the keys of the lease, then again. */
  #touchLater(id: LeaseId, untilUs: number): void {
    this.#after(this.#random.doublings(1_000, 2 * second), () => {
      if (this.#cluster.world.nowUs > untilUs) return;
      this.#touch(id);
      this.#touchLater(id, untilUs);
    });
  }

  #touch(id: LeaseId): void {
    const draw = this.#random.below(20);
    if (draw === 0) {
      const keys = this.#random.chance(0.7);
      const request = { id, keys };
      const done = { heard: () => undefined, refused: () => undefined };
      this.#ask(
        LeaseCall.TimeToLive,
        id,
        (leases, sink, who) => leases.timeToLive(request, sink, who),
        done,
      );
      return;
    }
    this.#askKeys(this.#planOfKeys(id, draw));
  }

  #planOfKeys(id: LeaseId, draw: number): PlannedOperation {
    const key = latin1Encode(`lease/${this.#random.below(keysOfAll)}`);
    const value = latin1Encode(`l${this.#number}v${++this.#values}`);
    const all = { key: latin1Encode("lease/"), rangeEnd: latin1Encode("lease0") };
    if (draw < 4) return planned(new RangeRequest(all));
    if (draw < 6) return planned(new DeleteRangeRequest({ key, prevKv: true }));
    if (draw < 8) return planned(new PutRequest({ key, value }));
    if (draw < 10) return planned(new PutRequest({ key, value, ignoreLease: true }));
    const leaseHigh = leaseIdHigh(id);
    const leaseLow = leaseIdLow(id);
    const prevKv = this.#random.chance(0.3);
    return planned(new PutRequest({ key, value, leaseHigh, leaseLow, prevKv }));
  }

  // ---- Asking -----------------------------------------------------------------------------------------

  #askKeys(plan: PlannedOperation): void {
    const { world } = this.#cluster;
    if (!world.actions.admit(world.nowUs, `lease client ${this.#number}`)) return;
    if (this.#random.chance(0.1)) this.#move();
    const client = clientFirst + this.#number;
    const operation = this.#history.call(client, this.#member, plan, this.#credential);
    const timeout = world.after(this.#patienceUs(), () => {
      if (operation.outcome !== Outcome.Pending) return;
      this.#history.failed(operation, null);
      this.#move();
    });
    this.#cluster.request(this.#member, operation, {
      reply: (bytes) => {
        if (operation.outcome !== Outcome.Pending) return;
        world.cancel(timeout);
        this.#history.ok(operation, bytes);
      },
      fail: (failure) => {
        if (operation.outcome !== Outcome.Pending) return;
        world.cancel(timeout);
        this.#history.failed(operation, failure);
        this.#move();
      },
    });
  }

  #ask(
    call: LeaseCall,
    id: LeaseId,
    ask: (
      leases: HostApi["leases"],
      sink: { reply: (bytes: Uint8Array) => void; fail: (failure: Failure) => void },
      who: Identity,
    ) => void,
    then: {
      heard: (response: LeaseResponse) => void;
      refused: (operation: LeaseOperation) => void;
    },
  ): void {
    const { world } = this.#cluster;
    if (!world.actions.admit(world.nowUs, `lease client ${this.#number}`)) return this.#next();
    if (this.#random.chance(0.1)) this.#move();
    const operation = this.#leases.begin(
      call,
      this.#member,
      numberOfLease(id),
      world.nowUs,
      this.#credential,
    );
    const { entrance } = operation;
    const isOpen = (): boolean => operation.outcome === Outcome.Pending;
    const failed = (failure: Failure | null): void => {
      if (!isOpen()) return;
      this.#leases.failed(operation, failure, world.nowUs);
      this.#move();
      if (!this.#stopped) then.refused(operation);
    };
    const timeout = world.after(this.#patienceUs(), () => failed(null));
    const { incarnation, host } = this.#cluster.member(this.#member);
    if (incarnation === null || !incarnation.alive || host === null) {
      world.cancel(timeout);
      world.after(1000, () => failed(null));
      return;
    }
    const fail = (failure: Failure): void => {
      world.cancel(timeout);
      failed(failure);
    };
    const reply = (bytes: Uint8Array): void => {
      if (!isOpen()) return;
      entrance.answered(host);
      world.cancel(timeout);
      const response = must(decodeLeaseResponse(bytes), "a response about a lease");
      this.#leases.heard(operation, response, world.nowUs);
      if (!this.#stopped) then.heard(response);
    };
    incarnation.run(() =>
      enter(host, entrance, Need.User, {
        admitted: (identity) => ask(host.leases, { reply, fail }, identity),
        refused: fail,
      }),
    );
  }

  #patienceUs(): number {
    return this.#random.between(200_000, 4 * second);
  }

  #move(): void {
    this.#member = this.#random.pick(this.#cluster.memberNames);
  }
}
