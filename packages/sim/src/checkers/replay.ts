// The committed log replayed through the naive twin: what each revision was made by, what its reply
// must have been, and which indexes had which revision. Built once at the end of a run; the checkers
// of client histories read it.
import { latin1Decode } from "@quorate/base";
import { KvModel, type ModelRequest } from "../model/kv-model.ts";
import { type CommittedEntry, otherKind } from "./committed-log.ts";
import { demand } from "./violation.ts";

/** The operation at one index. */
export interface ReplayedOperation {
  readonly index: number;
  readonly term: number;
  /** `requestKey` of what was asked. */
  readonly request: string;
  readonly reply: string;
  /** Revision of the state after it. */
  readonly revision: number;
  readonly changed: boolean;
}

/** Names a request: two kinds may encode to the same bytes. */
export function requestKey(kind: number, bytes: Uint8Array, from: number = 0): string {
  return `${kind} ${latin1Decode(bytes, from)}`;
}

export class Replay {
  readonly model: KvModel;
  readonly operations: ReplayedOperation[];
  /** Revision → the operation that made it. */
  readonly byRevision: Map<number, ReplayedOperation>;
  /** Request key → its operations, in order. */
  readonly byRequest: Map<string, ReplayedOperation[]>;
  /** Revision → last index at which the state had it. */
  readonly #lastIndex: Map<number, number>;
  readonly #firstIndex: Map<number, number>;

  /** `requestOf`: the request that clients sent under this key, or null if nobody did. */
  constructor(
    entries: readonly CommittedEntry[],
    envelopeBytes: number,
    requestOf: (request: string) => ModelRequest | null,
  ) {
    this.model = new KvModel();
    this.operations = [];
    this.byRevision = new Map();
    this.byRequest = new Map();
    this.#lastIndex = new Map([[this.model.revision, 0]]);
    this.#firstIndex = new Map([[this.model.revision, 0]]);
    for (const entry of entries) {
      if (entry.kind !== otherKind) this.#replay(entry, envelopeBytes, requestOf);
      const revision = this.model.revision;
      this.#lastIndex.set(revision, entry.index);
      if (!this.#firstIndex.has(revision)) this.#firstIndex.set(revision, entry.index);
    }
  }

  /** Indexes at which the state had this revision; null: it never had. */
  interval(revision: number): { readonly first: number; readonly last: number } | null {
    const first = this.#firstIndex.get(revision);
    const last = this.#lastIndex.get(revision);
    return first === undefined || last === undefined ? null : { first, last };
  }

  #replay(
    entry: CommittedEntry,
    envelopeBytes: number,
    requestOf: (request: string) => ModelRequest | null,
  ): void {
    const text = requestKey(entry.kind, entry.payload, envelopeBytes);
    const request = requestOf(text);
    demand(
      request !== null,
      "acknowledged writes",
      () => `the entry at ${entry.index} was asked for by nobody`,
    );
    const before = this.model.revision;
    const reply = this.model.apply(request);
    const operation: ReplayedOperation = {
      index: entry.index,
      term: entry.term,
      request: text,
      reply,
      revision: this.model.revision,
      changed: this.model.revision > before,
    };
    this.operations.push(operation);
    if (operation.changed) this.byRevision.set(operation.revision, operation);
    const same = this.byRequest.get(text);
    if (same === undefined) this.byRequest.set(text, [operation]);
    else same.push(operation);
  }
}
