// A member's disk as the host sees it: log, rows, checkpoints and snapshots over one manifest. It
// routes and keeps order between the parts; formats and protocols are theirs.
import { assert, fromHex, must } from "@quorate/base";
import type { RowRef, RowStore, ScannedRow } from "@quorate/kv";
import type { HardState, Index, NodeId } from "@quorate/raft";
import { Checkpointer, CheckpointInForce } from "./checkpoint/checkpointer.ts";
import type { Manifest } from "./manifest/manifest.ts";
import type { RowSegmentEntry } from "./manifest/manifest-api.ts";
import type { Medium } from "./medium.ts";
import { Reclaimer } from "./rows/reclaimer.ts";
import type { RowLog } from "./rows/row-log.ts";
import { RowScan } from "./rows/row-scan.ts";
import type { ScrubFinding } from "./scrub/scrub-api.ts";
import { Scrubber } from "./scrub/scrubber.ts";
import { HeldFiles } from "./snapshot/held-files.ts";
import { installSnapshot } from "./snapshot/install-snapshot.ts";
import { PinnedCheckpoint } from "./snapshot/pinned-checkpoint.ts";
import type { PinParts } from "./snapshot/pinned-checkpoint.ts";
import { PinnedRows } from "./snapshot/pinned-rows.ts";
import { StagedCheckpoint } from "./snapshot/staged-checkpoint.ts";
import { Staging, type WholeFile } from "./snapshot/staging.ts";
import type {
  CheckpointInfo,
  CheckpointRequest,
  HeldRows,
  PeerRecord,
  SnapshotFile,
  SnapshotSink,
  SnapshotSource,
  StorageApi,
  StorageOptions,
  StorageUsage,
  WalAppend,
} from "./storage-api.ts";
import type { WalApi } from "./wal/wal-api.ts";

export interface StorageParts {
  readonly medium: Medium;
  readonly directory: string;
  readonly clusterId: string;
  readonly raftId: NodeId;
  readonly manifest: Manifest;
  readonly rows: RowLog;
  readonly wal: WalApi;
  readonly options: StorageOptions;
  /** As recovered. */
  readonly inForce: CheckpointInForce | null;
  /** Why the checkpoint in force cannot be used. */
  readonly damage: string | null;
  readonly peers: readonly PeerRecord[];
  /** Files of a checkpoint on its way in, as found. */
  readonly staged: readonly WholeFile[];
  readonly durableIndex: Index;
}

interface DurableWait {
  readonly index: Index;
  readonly reached: () => void;
}

export class Storage implements StorageApi {
  readonly rows: RowStore;
  readonly #parts: StorageParts;
  readonly #rowLog: RowLog;
  readonly #held: HeldFiles;
  readonly #staging: Staging;
  readonly #checkpointer: Checkpointer;
  readonly #reclaimer: Reclaimer;
  readonly #scrubber: Scrubber;
  #found: (finding: ScrubFinding) => void;
  /** Newest record of each peer: checkpoints carry them, for the log's may be dropped (P4). */
  readonly #peers: Map<NodeId, PeerRecord>;
  #inForce: CheckpointInForce | null;
  #scan: RowScan | null;
  #damage: string | null;
  /** Highest index that a returned fsync covers. */
  #durableIndex: Index;
  #durableWait: DurableWait | null;
  #installing: boolean;
  #closing: boolean;
  /** Waits for the running checkpoint, or install, to end. */
  #whenCheckpointed: (() => void) | null;
  #whenInstalled: (() => void) | null;

  constructor(parts: StorageParts) {
    const { medium, directory, rows, manifest, wal, options } = parts;
    this.#parts = parts;
    this.rows = rows;
    this.#rowLog = rows;
    this.#held = new HeldFiles(medium, directory);
    this.#staging = new Staging(medium, {
      directory,
      found: parts.staged,
      recordBytes: options.stagingRecordBytes,
    });
    const held = this.#held;
    const whenDurable = (index: Index, reached: () => void): void => {
      this.#whenDurable(index, reached);
    };
    this.#checkpointer = new Checkpointer({
      medium,
      directory,
      rows,
      manifest,
      wal,
      held,
      whenDurable,
    });
    this.#reclaimer = new Reclaimer({
      medium,
      directory,
      rows,
      manifest,
      held,
      segmentBytes: options.rowSegmentBytes,
      bytesPerSecond: options.reclaimBytesPerSecond,
    });
    this.#found = () => undefined;
    this.#scrubber = new Scrubber({
      disk: medium.env.disk,
      rows,
      wal,
      identity: { clusterId: must(fromHex(parts.clusterId), "a cluster id"), raftId: parts.raftId },
      options: {
        intervalMs: options.scrubIntervalMs,
        bytesPerSecond: options.scrubBytesPerSecond,
      },
      found: (finding) => this.#found(finding),
    });
    this.#peers = new Map(parts.peers.map((peer) => [peer.raftId, peer]));
    this.#inForce = parts.inForce;
    this.#damage = parts.damage;
    this.#scan = parts.damage === null ? new RowScan(rows, manifest.state.rowSegments) : null;
    this.#durableIndex = parts.durableIndex;
    this.#durableWait = null;
    this.#installing = false;
    this.#closing = false;
    this.#whenCheckpointed = null;
    this.#whenInstalled = null;
  }

  // ---- Log --------------------------------------------------------------------------------------

  append(batch: WalAppend, done: () => void): void {
    assert(!this.#closing, "nothing is appended while closing");
    assert(batch.mustSync || batch.entries.length === 0, "entries are always synced");
    for (const peer of batch.peers) this.#peers.set(peer.raftId, peer);
    const last = batch.entries.length === 0 ? 0 : batch.firstIndex + batch.entries.length - 1;
    this.#parts.wal.append(batch, () => {
      if (last > 0) this.#durableUpTo(last);
      done();
    });
  }

  get appendsInFlight(): number {
    return this.#parts.wal.appendsInFlight;
  }

  #durableUpTo(index: Index): void {
    this.#durableIndex = index;
    const wait = this.#durableWait;
    if (wait === null || wait.index > index) return;
    this.#durableWait = null;
    wait.reached();
  }

  #whenDurable(index: Index, reached: () => void): void {
    assert(this.#durableWait === null, "one checkpoint waits for the log");
    if (this.#durableIndex >= index) reached();
    else this.#durableWait = { index, reached };
  }

  // ---- Rows and checkpoints -----------------------------------------------------------------------

  scanStep(rowsMax: number, visit: (row: ScannedRow, ref: RowRef) => void): boolean {
    const scan = this.#scan;
    if (scan === null) return true;
    let done = false;
    this.#damage = this.#rowLog.files.finding(() => {
      done = scan.step(rowsMax, visit);
    });
    if (this.#damage !== null) {
      this.#parts.medium.env.trace.mark("rows.recover.row14");
      this.#inForce = null;
    } else if (!done) return false;
    this.#scan = null;
    return true;
  }

  get damage(): string | null {
    return this.#damage;
  }

  checkpoint(request: CheckpointRequest, done: (checkpoint: CheckpointInfo) => void): void {
    assert(this.#scan === null, "a checkpoint needs all rows of the one before");
    assert(this.#damage === null, "a checkpoint needs whole rows");
    assert(!this.#installing && !this.#closing, "no checkpoint during an install or close");
    const { index, term } = request;
    const { wal } = this.#parts;
    assert(index > 0 && index <= wal.lastIndex, "a checkpoint is never above the log");
    assert(index < wal.lastIndex || term === wal.lastTerm, "a checkpoint has its entry's term");
    this.#checkpointer.start(request, [...this.#peers.values()], (inForce) => {
      this.#inForce = inForce;
      this.#reclaimer.checkpointed();
      done(inForce.info);
      const waiting = this.#whenCheckpointed;
      this.#whenCheckpointed = null;
      waiting?.();
    });
  }

  get checkpointRunning(): boolean {
    return this.#checkpointer.running;
  }

  rowsFull(): boolean {
    return this.#rowLog.unsavedBytes >= this.#parts.options.unsavedRowBytesMax;
  }

  get unsavedRowBytes(): number {
    return this.#rowLog.unsavedBytes;
  }

  // ---- Snapshots ----------------------------------------------------------------------------------

  /** Also null until the scan has verified every row: nothing unverified is given to others (P10). */
  pin(): SnapshotSource | null {
    const inForce = this.#inForce;
    if (inForce === null || this.#scan !== null || this.#installing) return null;
    return new PinnedCheckpoint(this.#pinParts(), inForce, this.#parts.manifest.state);
  }

  holdRows(): HeldRows | null {
    if (this.#scan !== null || this.#damage !== null || this.#installing) return null;
    return new PinnedRows(this.#pinParts());
  }

  #pinParts(): PinParts {
    const { medium, directory } = this.#parts;
    const held = this.#held;
    const found = (finding: ScrubFinding): void => this.#found(finding);
    return { medium, directory, held, rows: this.#rowLog, found };
  }

  stage(files: readonly SnapshotFile[], checkpointId: number): SnapshotSink {
    const { medium, directory, clusterId } = this.#parts;
    const newTag = (): number => this.#rowLog.newTag();
    const parts = { medium, directory, clusterId, newTag, staging: this.#staging };
    return new StagedCheckpoint(parts, files, checkpointId);
  }

  install(
    sink: SnapshotSink,
    hardState: HardState,
    keepsLog: boolean,
    done: (checkpoint: CheckpointInfo) => void,
  ): void {
    assert(sink instanceof StagedCheckpoint, "a sink of this storage is installed");
    assert(!this.#installing && !this.#closing, "one install at a time");
    const info = must(sink.info, "only a finished sink is installed");
    this.#installing = true;
    this.#quiesce(() => {
      const { medium, manifest, wal } = this.#parts;
      const peers = [...this.#peers.values()];
      const install = { hardState, keepsLog, peers };
      installSnapshot({ medium, manifest, wal }, sink, install, (replaced) => {
        this.#installed(sink, info, replaced);
        done(info);
        const waiting = this.#whenInstalled;
        this.#whenInstalled = null;
        waiting?.();
      });
    });
  }

  #installed(sink: StagedCheckpoint, info: CheckpointInfo, replaced: readonly string[]): void {
    this.#rowLog.reset();
    for (const name of replaced) this.#held.discard(name);
    const segments: readonly RowSegmentEntry[] = sink.segments;
    this.#damage = null;
    this.#scan = new RowScan(this.#rowLog, segments);
    this.#inForce = new CheckpointInForce(info, sink.tables.bytes, sink.tables.crc);
    // Nothing else is on its way meanwhile.
    this.#durableIndex = this.#parts.wal.denseIndex;
    this.#installing = false;
    this.#reclaimer.restart();
    this.#parts.wal.dropBelow(info.index);
  }

  /** The checkpoint that runs has ended, and reclaiming has stopped. */
  #quiesce(done: () => void): void {
    const stop = (): void => {
      this.#scrubber.stop();
      this.#reclaimer.stop(done);
    };
    if (this.#checkpointer.running) this.#whenCheckpointed = stop;
    else stop();
  }

  // ---- The rest -----------------------------------------------------------------------------------

  tick(busy: boolean): void {
    if (this.#closing) return;
    const nowMs = this.#parts.medium.env.clock.monotonicMs();
    this.#parts.wal.tick(nowMs);
    const whole = this.#scan === null && this.#damage === null;
    this.#staging.tick();
    if (!whole || this.#installing) return;
    this.#reclaimer.tick(nowMs);
    this.#scrubber.tick(nowMs, busy);
  }

  onScrubFinding(found: (finding: ScrubFinding) => void): void {
    this.#found = found;
  }

  get scrubbing(): boolean {
    return this.#scrubber.running;
  }

  usage(): StorageUsage {
    const { medium, wal } = this.#parts;
    const log = wal.usage();
    let rowBytes = 0;
    let rowBytesLive = 0;
    for (const segment of this.#rowLog.segments) {
      rowBytes += segment.savedBytes;
      rowBytesLive += Math.max(0, segment.rowBytes - segment.dead.bytes);
    }
    return {
      walBytes: log.bytes,
      rowBytes,
      rowBytesLive,
      rowSegments: this.#rowLog.segments.length,
      walSegments: log.segments,
      syncs: medium.syncs + log.syncs,
      bytesWritten: medium.bytesWritten + log.bytesWritten,
      scrubbedBytes: this.#scrubber.bytes,
    };
  }

  close(done: () => void): void {
    assert(!this.#closing, "closed once");
    this.#closing = true;
    if (this.#installing) this.#whenInstalled = () => this.#close(done);
    else this.#close(done);
  }

  #close(done: () => void): void {
    this.#quiesce(() => {
      this.#parts.wal.close(() => {
        this.#held.idle(() => {
          this.#staging.idle(() => {
            this.#parts.manifest.close(() => {
              this.#rowLog.files.closeAll();
              done();
            });
          });
        });
      });
    });
  }
}
