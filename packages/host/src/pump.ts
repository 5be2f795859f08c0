// The one place that takes a Ready from the core and carries it out (architecture.md §3.4). Events
// only change state and ask for a turn; a turn proposes what has gathered, drains the core, applies a
// slice, answers, and flushes the links once: that is what makes one fsync and one write per link
// serve many requests.
import { assert, assertNever } from "@quorate/base";
import type { KvApi } from "@quorate/kv";
import { MessageType, ReadOutcome, Ready, Role } from "@quorate/raft";
import type { Entry, HardState, Message, RaftApi } from "@quorate/raft";
import type { CheckpointInfo, Env, PeerRecord, StorageApi } from "@quorate/storage";
import { Applier } from "./applier.ts";
import type { Checkpointer } from "./checkpointer.ts";
import { Forwards } from "./forwards.ts";
import type { Members } from "./members/members.ts";
import type { MembershipTable } from "./members/membership-table.ts";
import { Outbox } from "./outbox.ts";
import type { ForwardOutcome, PeersApi } from "./peers/peers-api.ts";
import { PersistQueue } from "./persist-queue.ts";
import { FailureCode } from "./host-api.ts";
import { LargeReads } from "./load/large-reads.ts";
import type { Load } from "./load/load.ts";
import { failure, kvFailure } from "./proposals.ts";
import type { Proposals, Waiter } from "./proposals.ts";
import { Proposing } from "./proposing.ts";
import { AskOutcome, ReadKind, Reads } from "./reads.ts";
import type { PendingRead } from "./reads.ts";
import type { SettingsTable } from "./settings.ts";
import type { Stalls } from "./stalls.ts";
import { wallReadingMs } from "./wall-clock.ts";
import type { WatchStreams } from "./watch/watch-streams.ts";

/** Readies drained in one turn; the core is asked again in the next. */
const readiesPerTurnMax = 64;
/** Row index entries that compaction cleans in one turn, and rows that a scan visits. */
const compactVersionsPerTurn = 2000;
const scanRowsPerTurn = 2000;

export interface PumpParts {
  readonly env: Env;
  readonly raft: RaftApi;
  readonly kv: KvApi;
  readonly storage: StorageApi;
  readonly peers: PeersApi;
  readonly membership: MembershipTable;
  readonly members: Members;
  readonly settings: SettingsTable;
  readonly proposals: Proposals;
  readonly stalls: Stalls;
  readonly load: Load;
  readonly retryTicks: number;
  readonly readsMax: number;
  readonly applied: number;
  readonly appliedTerm: number;
  /** The state at `applied` is damaged: a snapshot must come before anything is applied or read. */
  readonly lost: boolean;
  readonly hardState: HardState;
  readonly events: PumpEvents;
}

export interface PumpEvents {
  missing(): readonly string[];
  onRole(role: Role, term: number, leader: number): void;
  onMembershipChanged(index: number): void;
  onApplied(entry: Entry): void;
  onInstalled(checkpoint: CheckpointInfo): void;
  onScanned(): void;
  /** The rows are damaged, or their digest is not the checkpoint's: the state is lost. */
  onDamaged(reason: string): void;
}

/** Whose read a context of the core is: an own round, or a follower's question. */
interface ReadOwner {
  readonly from: number;
  readonly number: number;
}

export class Pump {
  readonly #parts: PumpParts;
  readonly #ready: Ready;
  readonly #outbox: Outbox;
  readonly #persist: PersistQueue;
  readonly #applier: Applier;
  readonly #forwards: Forwards;
  readonly reads: Reads;
  readonly #large: LargeReads;
  #checkpointer: Checkpointer | null;
  #watches: WatchStreams | null;
  readonly #proposing: Proposing;
  readonly #readOwners: Map<number, ReadOwner>;
  #nextContext: number;
  #nowTick: number;
  #scheduled: boolean;
  #stopped: boolean;
  /** The key index holds the checkpoint: entries may be applied and reads answered. */
  #scanned: boolean;
  /** A rebuild has begun: not at the first start of a member, which has no checkpoint. */
  #rebuilding: boolean;
  /** Until a snapshot is installed there is no state. */
  #lost: boolean;
  #leader: number;
  #role: Role;
  committed: number;

  constructor(parts: PumpParts) {
    this.#parts = parts;
    this.#ready = new Ready();
    this.#outbox = new Outbox((message) => parts.peers.send(message));
    this.#persist = new PersistQueue(
      parts.storage,
      parts.stalls,
      parts.hardState,
      (seq) => this.#onDurable(seq),
      (checkpoint) => this.#onInstalled(checkpoint),
    );
    this.#applier = new Applier(
      parts.raft,
      parts.kv,
      parts.membership,
      parts.settings,
      parts.proposals,
      {
        onMembershipChanged: (index) => parts.events.onMembershipChanged(index),
        onIndex: (entry) => this.#onApplied(entry),
      },
      parts.applied,
      parts.appliedTerm,
    );
    this.#forwards = new Forwards(
      parts.peers,
      parts.proposals,
      () => parts.events.missing(),
      Math.ceil(parts.retryTicks / 2),
    );
    this.#proposing = new Proposing({
      ...parts,
      clock: parts.env.clock,
      forwards: this.#forwards,
      missing: () => parts.events.missing(),
    });
    this.reads = new Reads(
      {
        ask: (round) => this.#askRead(round),
        serve: (read) => this.#serve(read),
        missing: () => parts.events.missing(),
      },
      parts.retryTicks,
      parts.readsMax,
    );
    this.#large = new LargeReads(parts.kv);
    this.#checkpointer = null;
    this.#watches = null;
    this.#readOwners = new Map();
    this.#nextContext = 1;
    this.#nowTick = 0;
    this.#scheduled = false;
    this.#stopped = false;
    this.#scanned = false;
    this.#rebuilding = parts.applied > 0;
    this.#lost = parts.lost;
    this.#leader = 0;
    this.#role = Role.Follower;
    this.committed = parts.applied;
  }

  attach(checkpointer: Checkpointer, watches: WatchStreams): void {
    this.#checkpointer = checkpointer;
    this.#watches = watches;
  }

  get applied(): number {
    return this.#applier.applied;
  }

  get appliedTotal(): number {
    return this.#applier.appliedTotal;
  }

  get scanned(): boolean {
    return this.#scanned;
  }

  get installing(): boolean {
    return this.#persist.installing;
  }

  /** Committed and not yet applied. */
  get applyPending(): number {
    return this.#applier.pending;
  }

  // ---- Events: change state, ask for a turn -----------------------------------------------------

  schedule(): void {
    if (!this.#scheduled && !this.#stopped) {
      this.#scheduled = true;
      this.#parts.env.schedule(() => this.#turn());
    }
  }

  propose(waiter: Waiter): void {
    this.#proposing.add(waiter);
    this.schedule();
  }

  step(message: Message): void {
    if (!this.#stopped) {
      this.#parts.raft.step(message);
      this.schedule();
    }
  }

  tick(nowTick: number, ticks: number): void {
    this.#nowTick = nowTick;
    for (let left = ticks; left > 0; left -= 1) {
      this.#parts.raft.tick();
    }
    this.#parts.load.tick(ticks);
    this.reads.tick(nowTick);
    this.#forwards.tick(nowTick, this.#leader);
    this.#parts.members.tick(nowTick);
    this.schedule();
  }

  persistPeer(record: PeerRecord, done: () => void): void {
    this.#persist.recordPeer(record, done);
  }

  onForwardProposal(from: number, number: number, kind: number, payload: Uint8Array): void {
    if (this.#proposing.addForwarded(from, number, kind, payload)) this.schedule();
  }

  onForwardAnswer(number: number, outcome: ForwardOutcome, index: number, term: number): void {
    this.#forwards.answered(number, outcome, index, term, this.#applier.applied);
    this.schedule();
  }

  onForwardRead(from: number, number: number): void {
    const outcome = this.#readIndex({ from, number });
    if (outcome !== ReadOutcome.Accepted) {
      this.#parts.peers.answerForwardRead(from, number, 0);
    }
    this.schedule();
  }

  onForwardReadAnswer(number: number, index: number): void {
    if (index === 0) {
      this.reads.refused(number, this.#nowTick);
    } else {
      this.reads.answered(number, index);
    }
    this.schedule();
  }

  /** All bytes of a snapshot are here: the core decides whether it is still wanted. */
  onSnapshotStaged(message: Message, staged: Parameters<PersistQueue["stage"]>[0]): void {
    assert(staged !== null, "a staged snapshot");
    if (this.#stopped || this.#persist.installing) {
      staged.sink.abandon();
      return;
    }
    this.#persist.stage(staged);
    this.#parts.raft.step(message);
    this.#drainCore();
    if (this.#persist.staged === staged && !this.#persist.snapshotQueued) {
      this.#persist.stage(null);
      staged.sink.abandon();
    }
    this.schedule();
  }

  onCheckpointWritten(): void {
    this.#persist.resume();
    this.schedule();
  }

  /** Nothing is applied or read any more until a snapshot has brought another state. */
  loseState(): void {
    this.#scanned = false;
    this.#lost = true;
    this.#watches?.stateGone();
    this.reads.abandon(failure(FailureCode.Rebuilding));
    this.#large.abandon(failure(FailureCode.Rebuilding));
    this.#parts.proposals.abandon();
  }

  stop(): void {
    this.#stopped = true;
    this.#persist.stop();
    this.#proposing.stop();
    this.#watches?.stop();
    this.reads.abandon(failure(FailureCode.Stopped));
    this.#large.abandon(failure(FailureCode.Stopped));
    this.#parts.proposals.abandon();
  }

  // ---- The turn -----------------------------------------------------------------------------------

  #turn(): void {
    this.#scheduled = false;
    if (this.#stopped) {
      return;
    }
    const { env, raft, kv, peers } = this.#parts;
    env.trace.mark("turn.begin");
    raft.clock(wallReadingMs(env.clock));
    this.#proposing.run(this.#leader);
    this.reads.startRounds(this.#nowTick);
    this.#drainCore();
    let more = false;
    if (this.#scanned) {
      more = this.#applier.applySlice(raft.term());
      env.trace.mark("turn.applied");
      this.#drainCore();
      this.reads.applied(this.#applier.applied);
      const small = (read: PendingRead): void => this.#serveAtOnce(read);
      more = this.#large.turn(raft.term(), this.#nowTick, small) || more;
      more = (this.#watches?.turn() ?? false) || more;
      more = !kv.compactStep(compactVersionsPerTurn) || more;
      this.#checkpoint();
    } else if (!this.#lost && !this.#persist.installing) {
      more = this.#scanSlice();
    }
    peers.flush();
    env.trace.mark("turn.flushed");
    if (more || raft.hasReady() || this.reads.wantsTurn || this.#proposing.wantsTurn) {
      this.schedule();
    }
  }

  #drainCore(): void {
    const { raft } = this.#parts;
    for (let count = 0; count < readiesPerTurnMax && raft.hasReady(); count += 1) {
      if (!raft.takeReady(this.#ready)) {
        return;
      }
      this.#carryOut(this.#ready);
    }
  }

  #carryOut(ready: Ready): void {
    const { env, peers, proposals, events } = this.#parts;
    env.trace.mark("ready.taken");
    this.#leader = ready.leader;
    if (ready.roleChanged) {
      this.#role = ready.role;
      events.onRole(ready.role, ready.term, ready.leader);
    }
    for (const message of ready.messages) {
      if (message.type === MessageType.InstallSnapshot) {
        this.#checkpointer?.send(message);
      } else {
        peers.send(message);
      }
    }
    env.trace.mark("ready.sent");
    if (ready.persist.seq > 0) {
      this.#persistBatch(ready);
    }
    this.#outbox.park(ready.afterPersist, ready.messagesAfterPersist);
    for (const dropped of ready.dropped) {
      proposals.dropped(dropped.index, dropped.term);
    }
    if (ready.committed.length > 0) {
      this.#applier.enqueue(ready.committed);
      this.committed = Math.max(this.committed, ready.committed[ready.committed.length - 1]!.index);
    }
    for (const read of ready.reads) {
      this.#readAnswered(read.context, read.index);
    }
    for (const context of ready.readsDropped) {
      this.#readAnswered(context, 0);
    }
    env.trace.mark("ready.done");
  }

  #persistBatch(ready: Ready): void {
    const snapshot = ready.persist.snapshot;
    if (snapshot !== null) {
      // What waited to be applied lies below the snapshot; reads and apply wait for the new rows.
      this.#scanned = false;
      this.#watches?.stateGone();
      this.#large.abandon(failure(FailureCode.Rebuilding));
      this.#applier.reset(snapshot.index, snapshot.term);
      this.#parts.proposals.coveredBySnapshot(snapshot.index);
      this.committed = Math.max(this.committed, snapshot.index);
    }
    this.#persist.submit(ready.persist);
    this.#parts.env.trace.mark("ready.persisting");
  }

  #onDurable(seq: number): void {
    if (!this.#stopped) {
      this.#parts.env.trace.mark("persist.durable");
      this.#parts.raft.persisted(seq);
      this.#outbox.durable(seq);
      this.schedule();
    }
  }

  #onInstalled(checkpoint: CheckpointInfo): void {
    const { kv, env, events } = this.#parts;
    env.trace.mark("snapshot.installed");
    const ok = kv.beginRebuild(checkpoint.tables);
    this.#rebuilding = true;
    this.#lost = false;
    assert(ok, "the tables of a verified snapshot can be read");
    this.#checkpointer?.onInstalled(checkpoint);
    events.onInstalled(checkpoint);
    this.schedule();
  }

  // ---- Reads --------------------------------------------------------------------------------------

  #askRead(round: number): AskOutcome {
    const { raft, peers } = this.#parts;
    if (raft.isLeader()) {
      const outcome = this.#readIndex({ from: 0, number: round });
      switch (outcome) {
        case ReadOutcome.Accepted:
          return AskOutcome.AskedSelf;
        case ReadOutcome.Overloaded:
          return AskOutcome.Overloaded;
        case ReadOutcome.NotLeader:
          return AskOutcome.NoLeader;
        default:
          return assertNever(outcome);
      }
    }
    return this.#leader !== 0 && peers.forwardRead(this.#leader, round)
      ? AskOutcome.Forwarded
      : AskOutcome.NoLeader;
  }

  #readIndex(owner: ReadOwner): ReadOutcome {
    const context = this.#nextContext;
    const outcome = this.#parts.raft.readIndex(context);
    if (outcome === ReadOutcome.Accepted) {
      this.#nextContext += 1;
      this.#readOwners.set(context, owner);
    }
    return outcome;
  }

  /** index 0: leadership was lost before the round was confirmed. */
  #readAnswered(context: number, index: number): void {
    const owner = this.#readOwners.get(context);
    if (owner === undefined) {
      return;
    }
    this.#readOwners.delete(context);
    if (owner.from !== 0) {
      this.#parts.peers.answerForwardRead(owner.from, owner.number, index);
    } else if (index === 0) {
      this.reads.refused(owner.number, this.#nowTick);
    } else {
      this.reads.answered(owner.number, index);
    }
  }

  #serve(read: PendingRead): void {
    const { raft } = this.#parts;
    if (read.kind === ReadKind.Barrier) {
      read.sink.reply(noBytes);
    } else if (read.sink.full === true) {
      read.sink.fail(failure(FailureCode.TooManyRequests));
    } else if (read.kind !== ReadKind.Range || !this.#large.take(read, raft.term())) {
      this.#serveAtOnce(read);
    }
  }

  #serveAtOnce(read: PendingRead): void {
    const { kv, raft } = this.#parts;
    const reply =
      read.kind === ReadKind.Range
        ? kv.range(read.payload, raft.term(), read.identity)
        : kv.readTxn(read.payload, raft.term(), read.identity);
    if (reply.bytes === null) {
      read.sink.fail(kvFailure(reply.error));
    } else {
      read.sink.reply(reply.bytes);
    }
  }

  // ---- State --------------------------------------------------------------------------------------

  #onApplied(entry: Entry): void {
    this.#checkpointer?.onApplied(entry);
    this.#parts.events.onApplied(entry);
  }

  #checkpoint(): void {
    if (!this.#persist.installing) {
      this.#checkpointer?.maybeStart(this.#applier.applied, this.#applier.appliedTerm);
    }
  }

  #scanSlice(): boolean {
    const { storage, kv, events } = this.#parts;
    const done = storage.scanStep(scanRowsPerTurn, (row, ref) => kv.rebuildRow(row, ref));
    if (!done) return true;
    const { damage } = storage;
    if (damage !== null) {
      events.onDamaged(damage);
    } else if (this.#rebuilding && !kv.finishRebuild()) {
      events.onDamaged("the rows do not match the digest of their checkpoint");
    } else {
      this.#scanned = true;
      this.#rebuilding = false;
      this.#watches?.stateBack();
      events.onScanned();
    }
    return true;
  }

  get role(): Role {
    return this.#role;
  }

  get leader(): number {
    return this.#leader;
  }
}

const noBytes = new Uint8Array(0);
