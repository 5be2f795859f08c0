// Client operations at the door: checked by every rule that needs no state, bounded, and sent on as
// a proposal or a read. Refusals never come inside the call (ReplySink).
import {
  encodeAlarmCommand,
  encodeAuthCommand,
  encodeDowngradeCommand,
  KvError,
  nobody,
  OperationKind,
} from "@quorate/kv";
import type { AlarmCommand, AuthCommand, DowngradeCommand, Identity, KvApi } from "@quorate/kv";
import type { Env } from "@quorate/storage";
import type { Quota } from "./alarms/quota.ts";
import { FailureCode, rangeRequest } from "./host-api.ts";
import type { HostConfig, ReplySink, RequestKind, Failure } from "./host-api.ts";
import type { Load } from "./load/load.ts";
import { failure, kvFailure, Waiter } from "./proposals.ts";
import type { Proposals } from "./proposals.ts";
import type { Pump } from "./pump.ts";
import { PendingRead, ReadKind } from "./reads.ts";

export interface RequestsParts {
  readonly env: Env;
  readonly config: HostConfig;
  readonly kv: KvApi;
  readonly pump: Pump;
  readonly proposals: Proposals;
  readonly quota: Quota;
  readonly load: Load;
}

export class Requests {
  readonly #env: Env;
  readonly #config: HostConfig;
  readonly #kv: KvApi;
  readonly #pump: Pump;
  readonly #proposals: Proposals;
  readonly #quota: Quota;
  readonly #load: Load;
  readonly #timeoutTicks: number;

  constructor({ env, config, kv, pump, proposals, quota, load }: RequestsParts) {
    this.#env = env;
    this.#config = config;
    this.#kv = kv;
    this.#pump = pump;
    this.#proposals = proposals;
    this.#quota = quota;
    this.#load = load;
    this.#timeoutTicks = Math.ceil(config.requestTimeoutMs / config.tickMs);
  }

  take(
    kind: RequestKind,
    payload: Uint8Array,
    serializable: boolean,
    sink: ReplySink,
    nowTick: number,
    identity: Identity,
  ): void {
    if (kind === rangeRequest) {
      if (this.#refusesRead(kind, payload, sink)) return;
      this.read(ReadKind.Range, payload, serializable, sink, nowTick, identity);
      return;
    }
    if (payload.length > this.#config.requestBytesMax) {
      this.refuse(sink, failure(FailureCode.TooLarge));
      return;
    }
    const refusal = this.#kv.check(kind, payload);
    if (refusal !== KvError.None) {
      this.refuse(sink, kvFailure(refusal));
      return;
    }
    if (kind === OperationKind.Txn && this.#kv.isReadOnlyTxn(payload)) {
      if (this.#refusesRead(kind, payload, sink)) return;
      this.read(ReadKind.Txn, payload, serializable, sink, nowTick, identity);
      return;
    }
    if (this.#quota.refuses(kind, payload)) {
      this.refuse(sink, kvFailure(KvError.NoSpace));
      return;
    }
    this.#proposeFor(identity, kind, payload, sink, nowTick);
  }

  /** True: there is too much to do, or too much of what was read before is not taken by its clients. */
  #refusesRead(kind: RequestKind, payload: Uint8Array, sink: ReplySink): boolean {
    if (sink.full !== true && !this.#load.refusesRead(kind, payload)) return false;
    this.refuse(sink, failure(FailureCode.TooManyRequests));
    return true;
  }

  read(
    kind: ReadKind,
    payload: Uint8Array,
    serializable: boolean,
    sink: ReplySink,
    nowTick: number,
    identity: Identity,
  ): void {
    const read = new PendingRead(kind, payload, sink, nowTick + this.#timeoutTicks, identity);
    const reads = this.#pump.reads;
    if (serializable ? reads.addLocal(read) : reads.add(read)) {
      this.#pump.schedule();
    } else {
      this.refuse(sink, failure(FailureCode.TooManyRequests));
    }
  }

  alarm(command: AlarmCommand, identity: Identity, sink: ReplySink, nowTick: number): void {
    const record = encodeAlarmCommand(command);
    this.#proposeFor(identity, OperationKind.Alarm, record, sink, nowTick);
  }

  auth(command: AuthCommand, identity: Identity, sink: ReplySink, nowTick: number): void {
    const record = encodeAuthCommand(command);
    if (record.length > this.#config.requestBytesMax) {
      return this.refuse(sink, failure(FailureCode.TooLarge));
    }
    this.#proposeFor(identity, OperationKind.Auth, record, sink, nowTick);
  }

  downgrade(command: DowngradeCommand, identity: Identity, sink: ReplySink, nowTick: number): void {
    const record = encodeDowngradeCommand(command);
    this.#proposeFor(identity, OperationKind.Downgrade, record, sink, nowTick);
  }

  #proposeFor(
    { user, authRevision }: Identity,
    kind: OperationKind,
    request: Uint8Array,
    sink: ReplySink,
    nowTick: number,
  ): void {
    this.propose(kind, this.#kv.envelope(user, authRevision, request), sink, nowTick);
  }

  barrier(sink: ReplySink, nowTick: number): void {
    this.read(ReadKind.Barrier, noBytes, false, sink, nowTick, nobody);
  }

  /** `payload` as it shall stand in the log. */
  propose(kind: number, payload: Uint8Array, sink: ReplySink, nowTick: number): void {
    const waiter = new Waiter(kind, payload, sink, nowTick + this.#timeoutTicks);
    const refuses = this.#load.refusesWrite(kind);
    if (!refuses && this.#proposals.admit(waiter, this.#load.shareOf(kind))) {
      this.#pump.propose(waiter);
    } else {
      this.refuse(sink, failure(FailureCode.TooManyRequests));
    }
  }

  /** Never inside the call that asks. */
  refuse(sink: ReplySink, why: Failure): void {
    this.#env.schedule(() => sink.fail(why));
  }
}

const noBytes = new Uint8Array(0);
