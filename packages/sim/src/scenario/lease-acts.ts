// What a story does with leases through the hosts' own requests, as a client would, and what the members
// hold. All of it is judged when the story says so: T1 and T4 (checkers/lease-*.ts).
import { latin1Encode, must } from "@quorate/base";
import type { HostApi, ReplySink } from "@quorate/host";
import {
  decodeLeaseResponse,
  leaseIdHigh,
  leaseIdLow,
  leaseIdOf,
  type LeaseId,
  PutRequest,
} from "@quorate/kv";
import { Evidence } from "../checkers/evidence.ts";
import { Outcome } from "../client/history.ts";
import { LeaseCall, LeaseHistory, type LeaseOperation } from "../client/lease-history.ts";
import { judgeLeases } from "../judge.ts";
import { numberOfLease } from "../model/lease-number.ts";
import { planned } from "../workloads/workload.ts";
import type { Scenario } from "./scenario.ts";

export class LeaseActs {
  readonly history: LeaseHistory;
  readonly #s: Scenario;

  constructor(s: Scenario) {
    this.history = new LeaseHistory(s.history);
    this.#s = s;
  }

  /** Under this number; with one key, `leased/<number>`. */
  grant(at: string, number: number, ttlSeconds: number): LeaseId {
    const id = leaseIdOf(0, number);
    const operation = this.#ask(LeaseCall.Grant, at, id, (leases, sink) =>
      leases.grant({ id, ttlSeconds }, sink),
    );
    this.#answered(operation, "is granted");
    const put = this.#s.ask(
      at,
      planned(
        new PutRequest({
          key: latin1Encode(`leased/${number}`),
          value: latin1Encode(`of ${number} ${this.#s.history.operations.length}`),
          leaseHigh: leaseIdHigh(id),
          leaseLow: leaseIdLow(id),
        }),
      ),
    );
    this.#s.waitFor("its key is put", 2_000, () => put.acknowledged);
    return id;
  }

  /** Asks, and waits for nothing. */
  keepAlive(at: string, id: LeaseId): LeaseOperation {
    return this.#ask(LeaseCall.KeepAlive, at, id, (leases, sink) => leases.keepAlive(id, sink));
  }

  /** And hears that it is renewed. */
  renew(at: string, id: LeaseId): void {
    const operation = this.keepAlive(at, id);
    this.#answered(operation, "is renewed");
    this.#s.expect("it has all its time", operation.ttlSeconds > 0);
  }

  revoke(at: string, id: LeaseId): void {
    const operation = this.#ask(LeaseCall.Revoke, at, id, (leases, sink) =>
      leases.revoke(id, sink),
    );
    this.#answered(operation, "is revoked");
  }

  /** By what this member has applied. */
  has(at: string, id: LeaseId): boolean {
    return must(this.#s.inside(at), `${at} runs`).kv.leases.get(id) !== null;
  }

  /** What the log knows to be left of it, there. */
  owedSeconds(at: string, id: LeaseId): number {
    return this.#s.inside(at)?.kv.leases.get(id)?.owedTtlSeconds ?? 0;
  }

  /** T1 no lease ended early, T4 answers. */
  judge(): void {
    const { history, watch, cluster } = this.#s;
    const entries = watch.committed.entries();
    const { replay } = new Evidence(history, entries, cluster.members[0]!.config);
    judgeLeases(this.history, replay.model, watch.leases);
    this.#s.timeline.tell("story", "holds: T1, T4");
  }

  #answered(operation: LeaseOperation, what: string): void {
    this.#s.waitFor(`lease ${operation.lease} ${what}`, 8_000, () => isOk(operation));
  }

  #ask(
    call: LeaseCall,
    at: string,
    id: LeaseId,
    ask: (leases: HostApi["leases"], sink: ReplySink) => void,
  ): LeaseOperation {
    const { world } = this.#s;
    const operation = this.history.begin(call, at, numberOfLease(id), world.nowUs);
    const { incarnation, host } = this.#s.member(at);
    must(incarnation, `${at} runs`).run(() => {
      ask(must(host, `${at} runs`).leases, {
        reply: (bytes) => {
          const response = must(decodeLeaseResponse(bytes), "a response about a lease");
          this.history.heard(operation, response, world.nowUs);
        },
        fail: (failure) => this.history.failed(operation, failure, world.nowUs),
      });
    });
    return operation;
  }
}

function isOk({ outcome }: LeaseOperation): boolean {
  return outcome === Outcome.Ok;
}
