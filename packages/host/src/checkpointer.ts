// When the applied state becomes a durable checkpoint, what of the log may go then, and snapshots of
// it to followers that lag behind the log (thesis §5; DESIGN.md 12).
import { assert, must } from "@quorate/base";
import type { KvApi, TableRecord } from "@quorate/kv";
import { isMember, memberIds, Message, MessageType, Role, SnapshotMeta } from "@quorate/raft";
import type { ConfState, Entry, RaftApi, Session } from "@quorate/raft";
import type { CheckpointInfo, Env, StorageApi } from "@quorate/storage";
import type { HostConfig } from "./host-api.ts";
import { LogHolds } from "./log-holds.ts";
import { LogSize } from "./log-size.ts";
import { MembershipTable } from "./members/membership-table.ts";
import { electionTicks, levelMax } from "./raft-settings.ts";
import { SettingsTable } from "./settings.ts";
import type { PeersApi } from "./peers/peers-api.ts";

/** Election timeouts of silence after which a follower that was sent a snapshot holds no log. */
const holdTimeouts = 10;

export interface CheckpointerParts {
  readonly env: Env;
  readonly config: HostConfig;
  readonly session: Session;
  readonly raft: RaftApi;
  readonly kv: KvApi;
  readonly storage: StorageApi;
  readonly peers: PeersApi;
  readonly membership: MembershipTable;
  readonly onWritten: (checkpoint: CheckpointInfo) => void;
  readonly onSent: (to: number, ok: boolean) => void;
}

export class Checkpointer {
  readonly #parts: CheckpointerParts;
  readonly #logSize: LogSize;
  readonly #holds: LogHolds;
  /** Bytes of log seen when the newest checkpoint was taken. */
  #bytesAtCheckpoint: number;
  #index: number;
  /** Of the newest checkpoint; null: there is none. */
  #confState: ConfState | null;
  /** A configuration all of whose members it names, so that not every turn has to look. */
  #named: ConfState | null;
  #startedMs: number;
  /** Somebody waits for a checkpoint that ends here or above; 0: nobody. */
  #wantedFrom: number;

  constructor(parts: CheckpointerParts, checkpoint: CheckpointInfo | null) {
    this.#parts = parts;
    this.#logSize = new LogSize();
    this.#holds = new LogHolds(holdTimeouts * electionTicks(parts.config));
    this.#bytesAtCheckpoint = 0;
    this.#index = checkpoint === null ? 0 : checkpoint.index;
    this.#startedMs = parts.env.clock.monotonicMs();
    this.#confState = null;
    this.#named = null;
    this.#wantedFrom = 0;
    if (checkpoint !== null) this.#tell(checkpoint);
  }

  /** Index of the newest durable checkpoint. */
  get index(): number {
    return this.#index;
  }

  onApplied(entry: Entry): void {
    this.#logSize.add(entry);
  }

  /** A snapshot was installed: it is the checkpoint now. */
  onInstalled(checkpoint: CheckpointInfo): void {
    this.#index = checkpoint.index;
    this.#logSize.reset();
    this.#bytesAtCheckpoint = this.#logSize.total;
    this.#tell(checkpoint);
  }

  #tell(checkpoint: CheckpointInfo): void {
    const meta = snapshotMetaOf(checkpoint);
    this.#confState = meta.confState;
    this.#parts.raft.snapshotCreated(meta);
  }

  /** Starts a checkpoint of the state at (applied, term) when one is due. */
  maybeStart(applied: number, appliedTerm: number): void {
    const { storage, config, env } = this.#parts;
    if (storage.checkpointRunning || applied <= this.#index) {
      return;
    }
    const bytes = this.#logSize.total - this.#bytesAtCheckpoint;
    const late = env.clock.monotonicMs() - this.#startedMs >= config.checkpointIntervalMs;
    const rowsHigh = storage.unsavedRowBytes * 2 >= config.storage.unsavedRowBytesMax;
    const wanted = this.#index < this.#wantedFrom && applied >= this.#wantedFrom;
    if (bytes >= config.checkpointBytes || late || rowsHigh || wanted || this.#lacksMember()) {
      this.#start(applied, appliedTerm);
    }
  }

  /**
   * A snapshot helps only whom it names (raft/src/replicate.ts): a newcomer behind the log would have
   * to wait for the next checkpoint, which an idle cluster is in no hurry to make.
   */
  #lacksMember(): boolean {
    const { raft, membership } = this.#parts;
    const { confState } = membership;
    const known = this.#confState;
    if (confState === this.#named || known === null || !raft.isLeader()) return false;
    const lacks = memberIds(confState).some((id) => !isMember(known, id));
    if (!lacks) this.#named = confState;
    return lacks;
  }

  /** Moves the newest checkpoint to the follower that an InstallSnapshot message is for. */
  send(request: Message): void {
    const { storage, raft, peers, onSent } = this.#parts;
    const source = storage.pin();
    if (source === null) {
      raft.snapshotSent(request.to, false);
      return;
    }
    const meta = snapshotMetaOf(source.checkpoint);
    assert(
      request.snapshot === null || meta.index >= request.snapshot.index,
      "the checkpoint in force is at least the one the core was told of",
    );
    const message = new Message(
      MessageType.InstallSnapshot,
      request.from,
      request.to,
      request.term,
    );
    message.session = request.session;
    message.toSession = request.toSession;
    message.number = request.number;
    message.snapshot = meta;
    this.#holds.hold(request.to, meta.index);
    peers.sendSnapshot(message, source, (ok) => onSent(request.to, ok));
  }

  /**
   * A follower has lost its state and not its log: a checkpoint that ends at `index` or above goes to
   * it beside the core, for which it is as good as before. It asks again until one has come.
   */
  sendState(to: number, index: number): void {
    const { raft, storage, peers, session } = this.#parts;
    const { role, id, term, confState } = raft.status();
    if (role !== Role.Leader || !isMember(confState, to)) return;
    this.#wantedFrom = index;
    const source = this.#index < index ? null : storage.pin();
    if (source === null) return;
    const message = new Message(MessageType.InstallSnapshot, id, to, term);
    message.session = session;
    message.toSession = peers.sessionOf(to);
    message.snapshot = snapshotMetaOf(source.checkpoint);
    this.#holds.hold(to, message.snapshot.index);
    peers.sendSnapshot(message, source, () => {});
  }

  #start(applied: number, appliedTerm: number): void {
    const { storage, kv, raft, config, env, onWritten } = this.#parts;
    this.#startedMs = env.clock.monotonicMs();
    this.#bytesAtCheckpoint = this.#logSize.total;
    const tail = Math.min(
      applied,
      Math.max(
        0,
        applied - config.catchUpEntriesMax,
        this.#logSize.indexWithin(config.catchUpBytesMax),
      ),
    );
    const keepLogFrom = this.#heldFrom(tail);
    const request = { index: applied, term: appliedTerm, tables: kv.tables(), keepLogFrom };
    env.trace.mark("checkpoint.start");
    storage.checkpoint(request, (checkpoint) => {
      if (checkpoint.index < this.#index) {
        return; // a snapshot was installed meanwhile
      }
      this.#index = checkpoint.index;
      this.#tell(checkpoint);
      // A snapshot of the checkpoint before may have set out meanwhile.
      const keepFrom = this.#heldFrom(keepLogFrom);
      if (keepFrom > 0) {
        raft.compacted(keepFrom);
        this.#logSize.dropBelow(keepFrom);
      }
      onWritten(checkpoint);
    });
  }

  /** At most this much log is held for snapshots under way. */
  #heldFrom(tail: number): number {
    const { raft, config } = this.#parts;
    const bound = Math.min(tail, this.#logSize.indexWithin(config.snapshotHoldBytesMax));
    return Math.max(bound, this.#holds.keepFrom(tail, raft.status()));
  }
}

/** The configuration at a checkpoint's index comes from its own table (P2). */
export function confStateOf(tables: readonly TableRecord[]): ConfState {
  const table = new MembershipTable();
  const record = tables.find((t) => t.name === table.name);
  const ok = table.restore(must(record, "a checkpoint has a membership table").bytes);
  assert(ok, "the membership table of a verified checkpoint can be read");
  return table.confState;
}

export function snapshotMetaOf(checkpoint: CheckpointInfo): SnapshotMeta {
  const settings = new SettingsTable(levelMax);
  const record = checkpoint.tables.find((t) => t.name === settings.name);
  const ok = settings.restore(must(record, "a checkpoint has a settings table").bytes);
  assert(ok, "the settings table of a verified checkpoint can be read");
  return new SnapshotMeta(
    checkpoint.index,
    checkpoint.term,
    confStateOf(checkpoint.tables),
    checkpoint.id,
    settings.level,
    settings.wallMs,
  );
}
