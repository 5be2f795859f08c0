// Hand-made client histories over a real state machine, for tests of the checkers: applies requests
// in the order of a log and gives the replies that clients would hear.
import assert from "node:assert/strict";
import { latin1Encode } from "@quorate/base";
import { Failure, FailureCode, rangeRequest } from "@quorate/host";
import {
  type OperationKind,
  DeleteRangeRequest,
  type Identity,
  KvError,
  KvState,
  nobody,
  PutRequest,
  RangeRequest,
} from "@quorate/kv";
import { MemoryRows } from "@quorate/kv/internal";
import { CommittedLog, otherKind } from "../src/checkers/committed-log.ts";
import { Evidence, isLogged } from "../src/checkers/evidence.ts";
import { type ClientOperation, type ClientRequest, History } from "../src/client/history.ts";
import { planned } from "../src/workloads/workload.ts";

interface Reply {
  readonly error: KvError;
  readonly bytes: Uint8Array | null;
}

export class HistoryMaker {
  readonly history = new History();
  readonly log = new CommittedLog();
  readonly kv: KvState;
  /** Who asks from now on. */
  identity: Identity = nobody;
  #index = 0;

  constructor() {
    this.kv = new KvState({
      rows: new MemoryRows(),
      clusterId: 1n,
      memberId: 2n,
      txnOpsMax: limits.txnOpsMax,
      rangeBytesMax: 1_000_000,
    });
  }

  call(request: ClientRequest, serializable = false): ClientOperation {
    const operation = this.history.call(0, "m0", planned(request, serializable));
    operation.entrance.identity = this.identity;
    return operation;
  }

  /** Of the newest entry. */
  get index(): number {
    return this.#index;
  }

  /** Commits the operation at the next index; its reply. */
  apply(operation: ClientOperation): Uint8Array {
    const { bytes, error } = this.#apply(operation);
    assert.ok(bytes !== null, `error ${error}`);
    return bytes;
  }

  #apply(operation: ClientOperation): Reply {
    const { user, authRevision } = operation.entrance.identity ?? nobody;
    const payload = this.kv.envelope(user, authRevision, operation.bytes);
    operation.entrance.answeredAt = this.#index;
    const index = ++this.#index;
    const kind = operation.kind as OperationKind;
    const entry = { index, term: 1, kind, level: 1, wallMs: 0, payload };
    this.log.applied("m0", 1, entry);
    const { bytes, error } = this.kv.apply(entry, true, 1);
    return { error, bytes: bytes?.slice() ?? null };
  }

  /** An entry that no client of keys asked for. */
  commit(kind: OperationKind, record: Uint8Array, identity = nobody, wallMs = 0): KvError {
    const payload = this.kv.envelope(identity.user, identity.authRevision, record);
    const entry = { index: ++this.#index, term: 1, kind, level: 1, wallMs, payload };
    this.log.applied("m0", 1, entry);
    return this.kv.apply(entry, false, 1).error;
  }

  /** An entry without an operation. */
  skip(): void {
    const index = ++this.#index;
    const payload = new Uint8Array(0);
    this.log.applied("m0", 1, { index, term: 1, kind: otherKind, level: 1, wallMs: 0, payload });
    this.kv.skip(index, 1);
  }

  read(operation: ClientOperation): Uint8Array {
    const { bytes, error } = this.#read(operation);
    assert.ok(bytes !== null, `error ${error}`);
    return bytes;
  }

  #read(operation: ClientOperation): Reply {
    const identity = operation.entrance.identity ?? nobody;
    operation.entrance.answeredAt = this.#index;
    const { bytes, error } =
      operation.kind === rangeRequest
        ? this.kv.range(operation.bytes, 1, identity)
        : this.kv.readTxn(operation.bytes, 1, identity);
    return { error, bytes: bytes?.slice() ?? null };
  }

  /** Call, effect and answer in one. */
  put(key: string, value: string): ClientOperation {
    const operation = this.call(putOf(key, value));
    this.history.ok(operation, this.apply(operation));
    return operation;
  }

  /** The same for any request, refusals of the state machine included. */
  does(request: ClientRequest, serializable = false): ClientOperation {
    const operation = this.call(request, serializable);
    const { bytes, error } = this.answer(operation);
    if (bytes === null) this.refuseFor(operation, error);
    else this.history.ok(operation, bytes);
    return operation;
  }

  /** What the state machine says to it, through the log or not. */
  answer(operation: ClientOperation): Reply {
    return isLogged(operation) ? this.#apply(operation) : this.#read(operation);
  }

  get(key: string): ClientOperation {
    const operation = this.call(getOf(key));
    this.history.ok(operation, this.read(operation));
    return operation;
  }

  refuse(operation: ClientOperation, code: FailureCode = FailureCode.NoLeader): void {
    this.history.failed(operation, new Failure(code, KvError.None, []));
  }

  /** By the state machine. */
  refuseFor(operation: ClientOperation, error: KvError): void {
    this.history.failed(operation, new Failure(FailureCode.Kv, error, []));
  }

  evidence(): Evidence {
    return new Evidence(this.history, this.log.entries(), limits);
  }
}

export const limits = { requestBytesMax: 1_000, txnOpsMax: 8 };

export const putOf = (key: string, value: string): PutRequest =>
  new PutRequest({ key: latin1Encode(key), value: latin1Encode(value) });
export const getOf = (key: string): RangeRequest => new RangeRequest({ key: latin1Encode(key) });
export const deleteOf = (key: string): DeleteRangeRequest =>
  new DeleteRangeRequest({ key: latin1Encode(key) });
