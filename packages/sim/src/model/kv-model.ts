// A naive twin of the state machine: maps, arrays and linear scans, sharing nothing with `kv` but the
// request classes. Replies are texts in one canonical form (reply-text.ts gives real replies the
// same form), so that comparing is comparing strings. It knows what the workloads use: no leases,
// no sort orders, no filters by revision, no nested transactions.
import { assert, assertNever, latin1Decode } from "@quorate/base";
import {
  type Compare,
  CompareOperand,
  CompareResult,
  CompareTarget,
  CompactionRequest,
  type DeleteRangeRequest,
  OpType,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from "@quorate/kv";

/** One version of a key; a null value is a deletion. */
interface Version {
  readonly main: number;
  readonly create: number;
  readonly version: number;
  readonly value: string | null;
}

export type ModelRequest =
  | RangeRequest
  | PutRequest
  | DeleteRangeRequest
  | TxnRequest
  | CompactionRequest;

export class KvModel {
  revision: number;
  compactRevision: number;
  readonly #keys: Map<string, Version[]>;
  /** Main revision of the transaction that runs. */
  #writing: number;
  #wrote: boolean;

  constructor() {
    this.revision = 1;
    this.compactRevision = 0;
    this.#keys = new Map();
    this.#writing = 0;
    this.#wrote = false;
  }

  /** Applies a committed operation and gives its reply. */
  apply(request: ModelRequest): string {
    if (request instanceof CompactionRequest) return this.#compact(request);
    this.#writing = this.revision + 1;
    this.#wrote = false;
    const body = this.#execute(request);
    if (this.#wrote) this.revision = this.#writing;
    return `rev=${this.revision} ${body}`;
  }

  /** A read of the state as of `revision` (all of it in the past). */
  readAt(request: RangeRequest | TxnRequest, revision: number): string {
    const body =
      request.type === OpType.Range
        ? this.#range(request, request.revision > 0 ? request.revision : revision)
        : this.#readTxn(request, revision);
    return `rev=${revision} ${body}`;
  }

  #execute(request: Exclude<ModelRequest, CompactionRequest>): string {
    switch (request.type) {
      case OpType.Put:
        return this.#put(request);
      case OpType.DeleteRange:
        return this.#delete(request);
      case OpType.Txn:
        return this.#txn(request);
      case OpType.Range:
        return this.#range(request, request.revision > 0 ? request.revision : this.#writing);
      default:
        return assertNever(request, "request");
    }
  }

  #put(request: PutRequest): string {
    const key = latin1Decode(request.key);
    const before = this.#alive(key, this.#writing);
    this.#push(key, {
      main: this.#writing,
      create: before === null ? this.#writing : before.create,
      version: before === null ? 1 : before.version + 1,
      value: latin1Decode(request.value),
    });
    return `put${request.prevKv && before !== null ? ` prev ${kvText(key, before)}` : ""}`;
  }

  #delete(request: DeleteRangeRequest): string {
    const keys = this.#keysIn(request.key, request.rangeEnd);
    const gone: string[] = [];
    for (const key of keys) {
      const before = this.#alive(key, this.#writing);
      if (before === null) continue;
      gone.push(kvText(key, before));
      this.#push(key, { main: this.#writing, create: 0, version: 0, value: null });
    }
    return `deleted ${gone.length}${request.prevKv ? gone.map((kv) => ` prev ${kv}`).join("") : ""}`;
  }

  #txn(request: TxnRequest): string {
    const succeeded = request.compare.every((compare) => this.#holds(compare, this.#writing));
    const bodies = (succeeded ? request.success : request.failure).map((op) => this.#op(op));
    return `txn ${succeeded} [${bodies.join("; ")}]`;
  }

  #op(op: RequestOp): string {
    assert(op !== null && op.type !== OpType.Txn, "KvModel: the workloads nest nothing");
    return this.#execute(op);
  }

  #readTxn(request: TxnRequest, revision: number): string {
    const succeeded = request.compare.every((compare) => this.#holds(compare, revision));
    const bodies = (succeeded ? request.success : request.failure).map((op) => {
      if (op === null || op.type !== OpType.Range) return "a write";
      return this.#range(op, op.revision > 0 ? op.revision : revision);
    });
    return `txn ${succeeded} [${bodies.join("; ")}]`;
  }

  #range(request: RangeRequest, revision: number): string {
    const found: string[] = [];
    for (const key of this.#keysIn(request.key, request.rangeEnd)) {
      const version = this.#alive(key, revision);
      if (version === null) continue;
      found.push(kvText(key, request.keysOnly ? { ...version, value: "" } : version));
    }
    const shown = request.countOnly ? [] : found.slice(0, request.limit || found.length);
    const more = !request.countOnly && shown.length < found.length;
    return rangeText(found.length, more, shown);
  }

  #compact(request: CompactionRequest): string {
    if (request.revision <= this.compactRevision || request.revision > this.revision) {
      return `rev=${this.revision} refused`;
    }
    this.compactRevision = request.revision;
    return `rev=${this.revision} compacted`;
  }

  #holds(compare: Compare, revision: number): boolean {
    const version = this.#alive(latin1Decode(compare.key), revision);
    if (compare.target === CompareTarget.Value) {
      assert(compare.operand === CompareOperand.Value, "KvModel: a value is compared with a value");
      if (version === null) return false;
      const value = latin1Decode(compare.value);
      return resultHolds(compare.result, orderOf(version.value!, value));
    }
    const own =
      version === null
        ? 0
        : compare.target === CompareTarget.Version
          ? version.version
          : compare.target === CompareTarget.Create
            ? version.create
            : version.main;
    return resultHolds(compare.result, own - compare.number);
  }

  #alive(key: string, revision: number): Version | null {
    const versions = this.#keys.get(key) ?? [];
    for (let i = versions.length - 1; i >= 0; i--) {
      const version = versions[i]!;
      if (version.main <= revision) return version.value === null ? null : version;
    }
    return null;
  }

  #push(key: string, version: Version): void {
    const versions = this.#keys.get(key);
    if (versions === undefined) this.#keys.set(key, [version]);
    else versions.push(version);
    this.#wrote = true;
  }

  /** Sorted; etcd's range ends: empty is the key alone, "\0" everything from it on. */
  #keysIn(from: Uint8Array, end: Uint8Array): string[] {
    const key = latin1Decode(from);
    if (end.length === 0) return this.#keys.has(key) ? [key] : [];
    const last = latin1Decode(end);
    const all = [...this.#keys.keys()].sort();
    return all.filter((other) => other >= key && (last === "\0" || other < last));
  }
}

export function kvText(
  key: string,
  kv: { main: number; create: number; version: number; value: string | null },
): string {
  return `${key}=${kv.value}@${kv.create}/${kv.main}/${kv.version}`;
}

export function rangeText(count: number, more: boolean, kvs: readonly string[]): string {
  return `range ${count}${more ? " more" : ""} [${kvs.join(", ")}]`;
}

function orderOf(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function resultHolds(result: CompareResult, order: number): boolean {
  switch (result) {
    case CompareResult.Equal:
      return order === 0;
    case CompareResult.Greater:
      return order > 0;
    case CompareResult.Less:
      return order < 0;
    case CompareResult.NotEqual:
      return order !== 0;
    default:
      assert(false, "KvModel: unknown compare result");
  }
}
