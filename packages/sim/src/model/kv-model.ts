// A naive twin of the state machine: every version of every key in a list, looked through again and
// again, sharing nothing with `kv` but the request classes. Replies are texts in one canonical form
// (reply-text.ts gives real replies the same form), so that comparing is comparing strings. Nothing
// is ever compacted away: a compaction only decides which questions must be refused. It knows what
// the workloads use.
import { assert, assertNever, latin1Decode } from "@quorate/base";
import {
  AlarmAction,
  AlarmCause,
  type AlarmCommand,
  AlarmType,
  type AuthCommand,
  CompactionRequest,
  type Compare,
  decodeLeaseRevoke,
  type DeleteRangeRequest,
  type Identity,
  KvError,
  nobody,
  OperationKind,
  OpType,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  RevokeCause,
  type TxnRequest,
} from "@quorate/kv";
import { AuthModel } from "./auth-model.ts";
import { denialOf, keepDenialOf } from "./auth-rights.ts";
import { errorText, kvText, type LiveKey, txnText } from "./canonical.ts";
import { leaseNumber, numberOfLease } from "./lease-number.ts";
import { type LeaseEntry, LeaseModel, refusedLease } from "./lease-model.ts";
import { type ModelRequest, plainOperationsOf } from "./request-parts.ts";
import { compareHolds, isInRange, rangeBody, rangeEndOf } from "./range-model.ts";

/** One version of a key; `live` is null for a deletion. */
interface Version {
  readonly main: number;
  readonly live: LiveKey | null;
}

/** What one revision did to one key. */
export interface Change {
  readonly main: number;
  readonly key: string;
  /** Null: it was deleted. */
  readonly live: LiveKey | null;
  /** As it stood at the revision before; null: it did not. */
  readonly before: LiveKey | null;
}

/** All that the answer to a read depends on, beside the versions. */
export interface ModelState {
  readonly revision: number;
  readonly compactRevision: number;
}

/** The operations that each transaction, outer or inner, runs. */
type Path = Map<TxnRequest, readonly RequestOp[]>;

export class KvModel implements ModelState {
  revision: number;
  /** -1: nothing was ever compacted. */
  compactRevision: number;
  /** Kind and member of each active alarm → who raised it, and may take it back. */
  readonly #alarms: Map<string, AlarmCause>;
  readonly leases: LeaseModel;
  readonly auth: AuthModel;
  readonly #versions: Map<string, Version[]>;
  /** All keys that ever were, in order. */
  readonly #keys: string[];
  #wrote: boolean;

  constructor() {
    this.revision = 1;
    this.compactRevision = -1;
    this.#alarms = new Map();
    this.leases = new LeaseModel();
    this.auth = new AuthModel();
    this.#versions = new Map();
    this.#keys = [];
    this.#wrote = false;
  }

  /** Applies a committed operation and gives its reply. */
  apply(request: ModelRequest, identity: Identity = nobody): string {
    const refusal = this.#refusedByAlarms(request);
    if (refusal !== KvError.None) return errorText(refusal);
    const keysOfLease = (lease: number): string[] => this.keysOfLease(lease, this.revision);
    const denial = denialOf(this.auth.now, identity, request, keysOfLease);
    if (denial !== KvError.None) return errorText(denial);
    if (request instanceof CompactionRequest) return this.#compact(request);
    this.#wrote = false;
    const path: Path = new Map();
    const error = this.#check(request, this, path);
    if (error !== KvError.None) return errorText(error);
    const body = this.#execute(request, this.revision + 1, path);
    if (this.#wrote) this.revision++;
    return `rev=${this.revision} ${body}`;
  }

  /** Applies a committed alarm. */
  alarm({ action, type, memberId, cause }: AlarmCommand, identity: Identity = nobody): void {
    const isByHand = cause === AlarmCause.Operator;
    if (isByHand && this.auth.now.mayAdminister(identity) !== KvError.None) return;
    const name = `${type} ${memberId}`;
    const raisedBy = this.#alarms.get(name);
    if (action === AlarmAction.Activate) {
      if (raisedBy === undefined || cause === AlarmCause.Operator) this.#alarms.set(name, cause);
    } else if (cause === AlarmCause.Operator || cause === raisedBy) {
      this.#alarms.delete(name);
    }
  }

  /** Applies a committed entry about leases; its command begins at `at`. */
  lease(entry: LeaseEntry, at: number, identity: Identity = nobody): void {
    const noSpace = this.isActive(AlarmType.NoSpace);
    const corrupt = this.isActive(AlarmType.Corrupt);
    if (refusedLease(entry.kind, noSpace, corrupt) !== KvError.None) return;
    if (this.#deniedLease(entry, at, identity) !== KvError.None) return;
    if (entry.kind === OperationKind.LeaseGrant) return this.leases.grant(entry, at);
    if (entry.kind !== OperationKind.LeaseRevoke) return;
    const life = this.leases.revoke(entry, at);
    if (life === null) return;
    const main = this.revision + 1;
    const gone = this.keysOfLease(life.lease, main);
    for (const key of gone) this.#push(key, { main, live: null });
    if (gone.length > 0) this.revision++;
    life.end!.revision = this.revision;
    life.end!.deleted = gone.length;
  }

  #deniedLease({ kind, payload }: LeaseEntry, at: number, identity: Identity): KvError {
    if (kind === OperationKind.LeaseGrant) return this.auth.now.mayCall(identity);
    if (kind !== OperationKind.LeaseRevoke) return KvError.None;
    const command = decodeLeaseRevoke(payload, at);
    // Whose time is up needs nobody's leave.
    if (command === null || command.cause === RevokeCause.Expired) return KvError.None;
    const keys = this.keysOfLease(numberOfLease(command.id), this.revision);
    return keepDenialOf(this.auth.now, identity, keys);
  }

  /** Applies a committed entry about users, roles, rights or tokens. */
  authorize(index: number, stampMs: number, identity: Identity, command: AuthCommand): void {
    this.auth.apply(index, stampMs, identity, command);
  }

  /** That carried it at a revision. */
  keysOfLease(lease: number, revision: number): string[] {
    const all = this.liveAt(first, everything, revision);
    return all.filter((kv) => kv.lease === lease).map(({ key }) => key);
  }

  isActive(type: AlarmType): boolean {
    return [...this.#alarms.keys()].some((name) => name.startsWith(`${type} `));
  }

  /** The reply to a read in a state of the past. */
  readAt(request: RangeRequest | TxnRequest, state: ModelState): string {
    const path: Path = new Map();
    const error = this.#check(request, state, path);
    if (error !== KvError.None) return errorText(error);
    return `rev=${state.revision} ${this.#execute(request, state.revision, path)}`;
  }

  /** Keys of a range that were there at a revision, in order. */
  liveAt(from: Uint8Array, end: Uint8Array, revision: number): LiveKey[] {
    return this.#keysIn(from, end).flatMap((key) => this.#alive(key, revision) ?? []);
  }

  /** Everything that was ever done, in order of revisions. */
  changes(): Change[] {
    const changes: Change[] = [];
    for (const [key, versions] of this.#versions) {
      for (const { main, live } of versions) {
        changes.push({ main, key, live, before: this.#alive(key, main - 1) });
      }
    }
    return changes.sort((a, b) => a.main - b.main);
  }

  // ---- what is refused --------------------------------------------------------------------------

  /** What is only read in a transaction does not come here. */
  #refusedByAlarms(request: ModelRequest): KvError {
    if (this.isActive(AlarmType.Corrupt)) return KvError.Corrupt;
    const puts = plainOperationsOf(request).some(({ type }) => type === OpType.Put);
    return puts && this.isActive(AlarmType.NoSpace) ? KvError.NoSpace : KvError.None;
  }

  // A refusal leaves nothing behind: all checks see the state before the operation.
  #check(request: NonNullable<RequestOp>, state: ModelState, path: Path): KvError {
    switch (request.type) {
      case OpType.Put:
        return this.#checkLease(request) || this.#checkPrevious(request, state);
      case OpType.Range:
        return checkRange(request, Math.max(0, request.revision) || state.revision, state);
      case OpType.DeleteRange:
        return KvError.None;
      case OpType.Txn:
        return this.#checkTxn(request, state, path);
      default:
        return assertNever(request, "request");
    }
  }

  #checkLease({ leaseHigh, leaseLow }: PutRequest): KvError {
    const lease = leaseNumber(leaseHigh, leaseLow);
    return lease === 0 || this.leases.has(lease) ? KvError.None : KvError.LeaseNotFound;
  }

  #checkPrevious(put: PutRequest, state: ModelState): KvError {
    if (!put.ignoreValue && !put.ignoreLease) return KvError.None;
    const before = this.#alive(latin1Decode(put.key), state.revision);
    return before === null ? KvError.KeyNotFound : KvError.None;
  }

  // First every put, then every range, in the order in which they would run.
  #checkTxn(txn: TxnRequest, state: ModelState, path: Path): KvError {
    this.#decide(txn, state, path);
    const ops = operationsOn(txn, path);
    for (const op of ops) {
      if (op?.type !== OpType.Put) continue;
      const error = this.#checkPrevious(op, state) || this.#checkLease(op);
      if (error !== KvError.None) return error;
    }
    for (const op of ops) {
      if (op?.type !== OpType.Range || op.revision === 0) continue;
      const error = checkRange(op, op.revision, state);
      if (error !== KvError.None) return error;
    }
    return KvError.None;
  }

  // The compares of inner transactions, too, see the state before the whole.
  #decide(txn: TxnRequest, state: ModelState, path: Path): void {
    const succeeded = txn.compare.every((compare) => this.#holds(compare, state.revision));
    const ops = succeeded ? txn.success : txn.failure;
    path.set(txn, ops);
    for (const op of ops) {
      if (op?.type === OpType.Txn) this.#decide(op, state, path);
    }
  }

  #holds(compare: Compare, revision: number): boolean {
    return compareHolds(compare, this.liveAt(compare.key, compare.rangeEnd, revision));
  }

  // ---- what is done -----------------------------------------------------------------------------

  /** Reads see versions up to `now`, writes get it as their revision. */
  #execute(request: NonNullable<RequestOp>, now: number, path: Path): string {
    switch (request.type) {
      case OpType.Put:
        return this.#put(request, now);
      case OpType.DeleteRange:
        return this.#delete(request, now);
      case OpType.Txn:
        return this.#txn(request, now, path);
      case OpType.Range: {
        const revision = request.revision > 0 ? request.revision : now;
        return rangeBody(request, this.liveAt(request.key, request.rangeEnd, revision));
      }
      default:
        return assertNever(request, "request");
    }
  }

  #txn(txn: TxnRequest, now: number, path: Path): string {
    const ops = path.get(txn)!;
    const bodies = ops.map((op) => {
      assert(op !== null, "KvModel: the edge refuses an operation without content");
      return this.#execute(op, now, path);
    });
    return txnText(ops === txn.success, bodies);
  }

  #put(request: PutRequest, main: number): string {
    const key = latin1Decode(request.key);
    const before = this.#alive(key, main);
    const value = request.ignoreValue ? before!.value : latin1Decode(request.value);
    const create = before?.create ?? main;
    const lease = request.ignoreLease
      ? before!.lease
      : leaseNumber(request.leaseHigh, request.leaseLow);
    const version = versionAfter(before);
    this.#push(key, { main, live: { key, create, main, version, value, lease } });
    return `put${request.prevKv && before !== null ? ` prev ${kvText(before)}` : ""}`;
  }

  #delete(request: DeleteRangeRequest, main: number): string {
    const gone = this.liveAt(request.key, request.rangeEnd, main);
    for (const { key } of gone) this.#push(key, { main, live: null });
    const previous = request.prevKv ? gone.map((kv) => ` prev ${kvText(kv)}`).join("") : "";
    return `deleted ${gone.length}${previous}`;
  }

  #compact(request: CompactionRequest): string {
    if (request.revision <= this.compactRevision) return errorText(KvError.Compacted);
    if (request.revision > this.revision) return errorText(KvError.FutureRevision);
    this.compactRevision = request.revision;
    return `rev=${this.revision} compacted`;
  }

  // ---- versions ---------------------------------------------------------------------------------

  #alive(key: string, revision: number): LiveKey | null {
    const versions = this.#versions.get(key) ?? [];
    for (let i = versions.length - 1; i >= 0; i--) {
      const { main, live } = versions[i]!;
      if (main <= revision) return live;
    }
    return null;
  }

  #push(key: string, version: Version): void {
    const versions = this.#versions.get(key);
    this.#wrote = true;
    if (versions !== undefined) {
      versions.push(version);
      return;
    }
    this.#versions.set(key, [version]);
    this.#keys.splice(this.#placeOf(key), 0, key);
  }

  /** etcd's range ends: empty is the key alone, "\0" everything from it on. */
  #keysIn(from: Uint8Array, rangeEnd: Uint8Array): string[] {
    const key = latin1Decode(from);
    if (rangeEnd.length === 0) return [key];
    const end = rangeEndOf(rangeEnd);
    const keys: string[] = [];
    for (let place = this.#placeOf(key); place < this.#keys.length; place++) {
      const other = this.#keys[place]!;
      if (!isInRange(other, key, end)) break;
      keys.push(other);
    }
    return keys;
  }

  /** Of the first key that is not below. */
  #placeOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** All keys: from the first that can be, without end. */
const first = Uint8Array.of(0);
const everything = Uint8Array.of(0);

function versionAfter(before: LiveKey | null): number {
  return (before?.version ?? 0) + 1;
}

function checkRange(request: RangeRequest, revision: number, state: ModelState): KvError {
  if (request.revision > state.revision) return KvError.FutureRevision;
  return revision < state.compactRevision ? KvError.Compacted : KvError.None;
}

function operationsOn(txn: TxnRequest, path: Path): readonly RequestOp[] {
  return path.get(txn)!.flatMap((op) => (op?.type === OpType.Txn ? operationsOn(op, path) : [op]));
}
