// The committed log replayed through the naive twin: what each revision was made by, what each reply
// must have been, and which indexes had which state. Built once at the end of a run; the checkers of
// client histories read it.
import { must } from "@quorate/base";
import { decodeAlarmCommand, decodeAuthCommand, type Identity, OperationKind } from "@quorate/kv";
import { requestKey } from "../client/history.ts";
import { readEnvelope, type ReadEnvelope } from "../model/envelope-model.ts";
import { KvModel, type ModelState } from "../model/kv-model.ts";
import { isLeaseKind } from "../model/lease-model.ts";
import type { ModelRequest } from "../model/request-parts.ts";
import { type CommittedEntry, otherKind } from "./committed-log.ts";
import { demand } from "./violation.ts";

/** The operation at one index. */
export interface ReplayedOperation {
  readonly index: number;
  readonly term: number;
  /** Who asked, as the entry says. */
  readonly identity: Identity;
  readonly payloadBytes: number;
  /** `requestKey` of what was asked. */
  readonly key: string;
  readonly request: ModelRequest;
  readonly reply: string;
  /** Revision of the state after it. */
  readonly revision: number;
  readonly changed: boolean;
}

/** Indexes, one behind the other, that left the state as it was. */
export interface Step extends ModelState {
  readonly first: number;
  last: number;
}

export class Replay {
  readonly model: KvModel;
  readonly operations: ReplayedOperation[];
  /** Revision → the operation that made it. */
  readonly byRevision: Map<number, ReplayedOperation>;
  /** Request key → its operations, in order. */
  readonly #byRequest: Map<string, ReplayedOperation[]>;
  /** In order; the first is the state before the first entry. */
  readonly steps: Step[];
  /** Revision → number of the first step that has it. */
  readonly #stepOf: Map<number, number>;

  /** `requestOf`: the request that clients sent under this key, or null if nobody did. */
  constructor(entries: readonly CommittedEntry[], requestOf: (key: string) => ModelRequest | null) {
    this.model = new KvModel();
    this.operations = [];
    this.byRevision = new Map();
    this.#byRequest = new Map();
    this.steps = [];
    this.#stepOf = new Map();
    this.#step(0);
    for (const entry of entries) {
      if (entry.kind !== otherKind) this.#take(entry, readEnvelope(entry.payload), requestOf);
      this.#step(entry.index);
    }
  }

  #take(
    entry: CommittedEntry,
    envelope: ReadEnvelope,
    requestOf: (key: string) => ModelRequest | null,
  ): void {
    const { index, kind, payload, wallMs } = entry;
    const { identity, at } = envelope;
    if (kind === OperationKind.Alarm) {
      this.model.alarm(must(decodeAlarmCommand(payload, at), "a committed alarm"), identity);
    } else if (isLeaseKind(kind)) {
      this.model.lease(entry, at, identity);
    } else if (kind === OperationKind.Auth) {
      const command = must(decodeAuthCommand(payload, at), "a committed change of users");
      this.model.authorize(index, wallMs, identity, command);
    } else {
      this.#replay(entry, envelope, requestOf);
    }
  }

  /** What the log holds of a request, in order. */
  operationsOf(key: string): readonly ReplayedOperation[] {
    return this.#byRequest.get(key) ?? [];
  }

  /** Number of the first step that had this revision; null: no state ever had it. */
  firstStepOf(revision: number): number | null {
    return this.#stepOf.get(revision) ?? null;
  }

  /** Number of the step that holds an index. */
  stepAt(index: number): number {
    let low = 0;
    let high = this.steps.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.steps[middle]!.first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #step(index: number): void {
    const { revision, compactRevision } = this.model;
    const before = this.steps.at(-1);
    if (before?.revision === revision && before.compactRevision === compactRevision) {
      before.last = index;
      return;
    }
    this.steps.push({ first: index, last: index, revision, compactRevision });
    if (!this.#stepOf.has(revision)) this.#stepOf.set(revision, this.steps.length - 1);
  }

  #replay(
    entry: CommittedEntry,
    { identity, at }: ReadEnvelope,
    requestOf: (key: string) => ModelRequest | null,
  ): void {
    const key = requestKey(entry.kind, entry.payload, at);
    const request = requestOf(key);
    demand(
      request !== null,
      "acknowledged writes",
      () => `the entry at ${entry.index} was asked for by nobody`,
    );
    const before = this.model.revision;
    const reply = this.model.apply(request, identity);
    const operation: ReplayedOperation = {
      index: entry.index,
      term: entry.term,
      identity,
      payloadBytes: entry.payload.length - at,
      key,
      request,
      reply,
      revision: this.model.revision,
      changed: this.model.revision > before,
    };
    this.operations.push(operation);
    if (operation.changed) this.byRevision.set(operation.revision, operation);
    const same = this.#byRequest.get(key);
    if (same === undefined) this.#byRequest.set(key, [operation]);
    else same.push(operation);
  }
}
