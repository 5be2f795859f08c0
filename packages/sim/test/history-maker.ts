// Hand-made client histories over a real state machine, for tests of the checkers: applies requests
// in the order of a log and gives the replies that clients would hear.
import assert from "node:assert/strict";
import { latin1Encode } from "@quorate/base";
import { FailureCode, rangeRequest } from "@quorate/host";
import type { OperationKind } from "@quorate/kv";
import { DeleteRangeRequest, KvState, PutRequest, RangeRequest, TxnRequest } from "@quorate/kv";
import { MemoryRows } from "@quorate/kv/internal";
import { CommittedLog, otherKind } from "../src/checkers/committed-log.ts";
import { Replay, requestKey } from "../src/checkers/replay.ts";
import {
  type ClientOperation,
  type ClientRequest,
  History,
  Outcome,
} from "../src/client/history.ts";
import { planned } from "../src/workloads/workload.ts";

export class HistoryMaker {
  readonly history = new History();
  readonly log = new CommittedLog();
  readonly kv: KvState;
  #index = 0;

  constructor() {
    this.kv = new KvState({
      rows: new MemoryRows(),
      clusterId: 1n,
      memberId: 2n,
      txnOpsMax: 128,
      rangeBytesMax: 1_000_000,
    });
  }

  call(request: ClientRequest, serializable = false): ClientOperation {
    return this.history.call(0, "m0", planned(request, serializable));
  }

  /** Commits the operation at the next index; its reply. */
  apply(operation: ClientOperation): Uint8Array {
    const payload = this.kv.envelope("", 0, operation.bytes);
    const index = ++this.#index;
    const kind = operation.kind as OperationKind;
    const entry = { index, term: 1, kind, level: 1, wallMs: 0, payload };
    this.log.applied("m0", 1, entry);
    const reply = this.kv.apply(entry, true, 1);
    assert.ok(reply.bytes !== null, `error ${reply.error}`);
    return reply.bytes.slice();
  }

  /** An entry without an operation. */
  skip(): void {
    const index = ++this.#index;
    const payload = new Uint8Array(0);
    this.log.applied("m0", 1, { index, term: 1, kind: otherKind, level: 1, wallMs: 0, payload });
    this.kv.skip(index, 1);
  }

  read(operation: ClientOperation): Uint8Array {
    const reply =
      operation.kind === rangeRequest
        ? this.kv.range(operation.bytes, 1)
        : this.kv.readTxn(operation.bytes, 1);
    assert.ok(reply.bytes !== null, `error ${reply.error}`);
    return reply.bytes.slice();
  }

  /** Call, effect and answer in one. */
  put(key: string, value: string): ClientOperation {
    const operation = this.call(putOf(key, value));
    this.history.ok(operation, this.apply(operation));
    return operation;
  }

  get(key: string): ClientOperation {
    const operation = this.call(getOf(key));
    this.history.ok(operation, this.read(operation));
    return operation;
  }

  refuse(operation: ClientOperation): void {
    this.history.failed(operation, Outcome.NotCommitted, FailureCode.NoLeader);
  }

  replay(): Replay {
    const requests = new Map<string, ClientRequest>();
    for (const operation of this.history.operations) {
      requests.set(requestKey(operation.kind, operation.bytes), operation.request);
    }
    const prefix = this.kv.envelope("", 0, new Uint8Array(0)).length;
    return new Replay(this.log.entries(), prefix, (text) => requests.get(text) ?? null);
  }
}

export const putOf = (key: string, value: string): PutRequest =>
  new PutRequest({ key: latin1Encode(key), value: latin1Encode(value) });
export const getOf = (key: string): RangeRequest => new RangeRequest({ key: latin1Encode(key) });
export const deleteOf = (key: string): DeleteRangeRequest =>
  new DeleteRangeRequest({ key: latin1Encode(key) });
export { TxnRequest };
