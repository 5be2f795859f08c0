// Turns committed entries into changes of the state, in order, each once (law R3), in slices so that
// a long catch-up does not hold the event loop. Nothing here may depend on anything but the entries.
import { assert } from "@quorate/base";
import type { AppliedOperation, KvApi, OperationKind } from "@quorate/kv";
import {
  applicationKindMin,
  applyChange,
  decodeConfChange,
  EntryKind,
  entryBytes,
  isConfChangeError,
} from "@quorate/raft";
import type { ConfChange, Entry, RaftApi } from "@quorate/raft";
import { applyAttributes } from "./members/attributes.ts";
import { HostEntryKind } from "./members/entry-kinds.ts";
import {
  applyRecordChanges,
  checkRecordChanges,
  decodeRecordChanges,
  MemberError,
} from "./members/members-change.ts";
import type { MembershipTable } from "./members/membership-table.ts";
import { kvFailure, memberFailure } from "./proposals.ts";
import type { Proposals } from "./proposals.ts";
import { decodeRecovered } from "./recover/recovered-entry.ts";
import type { SettingsTable } from "./settings.ts";

/** Entries and bytes applied in one turn; the rest waits for the next. */
const applyEntriesPerTurnMax = 2000;
const applyBytesPerTurnMax = 4_194_304;

export interface ApplierEvents {
  /** By the entry at this index. */
  onMembershipChanged(index: number): void;
  /** After each entry; digest points are taken here. */
  onIndex(entry: Entry): void;
}

export class Applier {
  readonly #raft: RaftApi;
  readonly #kv: KvApi;
  readonly #membership: MembershipTable;
  readonly #settings: SettingsTable;
  readonly #proposals: Proposals;
  readonly #events: ApplierEvents;
  /** Committed and not yet applied, from #head on; dense, the first is applied + 1. */
  #queue: Entry[];
  #head: number;
  #applied: number;
  #appliedTerm: number;
  #appliedTotal: number;

  constructor(
    raft: RaftApi,
    kv: KvApi,
    membership: MembershipTable,
    settings: SettingsTable,
    proposals: Proposals,
    events: ApplierEvents,
    applied: number,
    appliedTerm: number,
  ) {
    this.#raft = raft;
    this.#kv = kv;
    this.#membership = membership;
    this.#settings = settings;
    this.#proposals = proposals;
    this.#events = events;
    this.#queue = [];
    this.#head = 0;
    this.#applied = applied;
    this.#appliedTerm = appliedTerm;
    this.#appliedTotal = 0;
  }

  get applied(): number {
    return this.#applied;
  }

  get appliedTerm(): number {
    return this.#appliedTerm;
  }

  /** Entries applied by this process, for metrics. */
  get appliedTotal(): number {
    return this.#appliedTotal;
  }

  get pending(): number {
    return this.#queue.length - this.#head;
  }

  enqueue(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const expected = this.#applied + this.pending + 1;
      assert(entry.index === expected, () => `entry ${entry.index} where ${expected} is next`);
      this.#queue.push(entry);
    }
  }

  /** A snapshot up to (index, term) replaced the state: what waited below it is void. */
  reset(index: number, term: number): void {
    this.#queue = [];
    this.#head = 0;
    this.#applied = index;
    this.#appliedTerm = term;
  }

  /** Applies one slice; true when more is waiting. */
  applySlice(headerTerm: number): boolean {
    let bytes = 0;
    let count = 0;
    const before = this.#applied;
    while (
      this.#head < this.#queue.length &&
      count < applyEntriesPerTurnMax &&
      bytes < applyBytesPerTurnMax
    ) {
      const entry = this.#queue[this.#head]!;
      this.#head += 1;
      this.#applyEntry(entry, headerTerm);
      this.#settings.onApplied(entry);
      this.#applied = entry.index;
      this.#appliedTerm = entry.term;
      this.#events.onIndex(entry);
      bytes += entryBytes(entry);
      count += 1;
    }
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    }
    if (this.#applied > before) {
      this.#appliedTotal += this.#applied - before;
      this.#raft.applied(this.#applied);
    }
    return this.pending > 0;
  }

  #applyEntry(entry: Entry, headerTerm: number): void {
    const waiter = this.#proposals.take(entry.index, entry.term);
    if (entry.kind >= applicationKindMin && entry.kind < HostEntryKind.Attributes) {
      const reply = this.#kv.apply(operationOf(entry), waiter !== null, headerTerm);
      if (waiter !== null) {
        if (reply.bytes === null) {
          this.#proposals.fail(waiter, kvFailure(reply.error));
        } else {
          this.#proposals.reply(waiter, reply.bytes);
        }
      }
      return;
    }
    if (entry.kind === HostEntryKind.Recovered) return this.#applyRecovered(entry);
    const error = this.#applyOther(entry);
    this.#kv.skip(entry.index, entry.term);
    if (waiter === null) return;
    if (error === MemberError.None) this.#proposals.reply(waiter, noBytes);
    else this.#proposals.fail(waiter, memberFailure(error));
  }

  #applyRecovered({ index, term, payload }: Entry): void {
    const recovered = decodeRecovered(payload);
    assert(recovered !== null, "the end of a recovery was encoded by one");
    this.#kv.recovered(index, term, recovered.revisions);
    this.#settings.supersede(recovered.old);
    this.#events.onMembershipChanged(index);
  }

  #applyOther(entry: Entry): MemberError {
    switch (entry.kind) {
      case EntryKind.Empty:
      case EntryKind.Level:
        return MemberError.None;
      case EntryKind.ConfChange: {
        const change = decodeConfChange(entry.payload);
        assert(change !== null, "a configuration change was encoded by a core");
        return this.#applyConfChange(change, entry.index);
      }
      case HostEntryKind.Attributes:
        applyAttributes(this.#membership, entry.payload);
        this.#events.onMembershipChanged(entry.index);
        return MemberError.None;
      case HostEntryKind.Members:
        return this.#applyMembers(entry);
      default:
        assert(false, `entry kind ${entry.kind} is not known to this binary`);
    }
  }

  #applyMembers(entry: Entry): MemberError {
    const changes = decodeRecordChanges(entry.payload);
    assert(changes !== null, "changes of members were encoded by a leader");
    const error = checkRecordChanges(this.#membership, changes);
    if (error !== MemberError.None) return error;
    applyRecordChanges(this.#membership, changes);
    this.#events.onMembershipChanged(entry.index);
    return MemberError.None;
  }

  /** What it changes of the members' records travels in its context: both take effect, or neither. */
  #applyConfChange(change: ConfChange, index: number): MemberError {
    const membership = this.#membership;
    const records = change.context.length === 0 ? [] : decodeRecordChanges(change.context);
    assert(records !== null, "changes of members were encoded by a leader");
    const error = checkRecordChanges(membership, records);
    const fits = !isConfChangeError(applyChange(membership.confState, change));
    if (error !== MemberError.None || !fits) {
      this.#raft.confChangeRejected();
      return error === MemberError.None ? MemberError.Overtaken : error;
    }
    applyRecordChanges(membership, records);
    membership.setConfState(this.#raft.confChangeApplied(change));
    this.#events.onMembershipChanged(index);
    return MemberError.None;
  }
}

const noBytes = new Uint8Array(0);

function operationOf(entry: Entry): AppliedOperation {
  return {
    kind: entry.kind as OperationKind,
    level: entry.level,
    index: entry.index,
    term: entry.term,
    wallMs: entry.wallMs,
    payload: entry.payload,
  };
}
