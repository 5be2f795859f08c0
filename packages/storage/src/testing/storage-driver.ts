// Drives a member's storage through appends, compactions, checkpoints, reclaiming, snapshots and
// crashes, and knows from what was acknowledged what must be there afterwards. The world may end at
// any disk operation: then the driver throws `Crashed`, and `recover` starts the next process.
import { assert, latin1Encode, must } from "@quorate/base";
import { Entry, HardState } from "@quorate/raft";
import type { Row, RowRef, ScannedRow } from "@quorate/kv";
import { openDirectory } from "../directory/open-directory.ts";
import { openStorage } from "../open-storage.ts";
import { GenesisState } from "../storage-api.ts";
import type {
  DataDirectory,
  Recovered,
  Refusal,
  SnapshotSource,
  StorageApi,
  StorageOptions,
} from "../storage-api.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import {
  nameOf,
  neededRows,
  readTables,
  rowsDifference,
  rowsOf,
  sameRow,
  tablesOf,
} from "./storage-twin.ts";
import type { TwinShape } from "./storage-twin.ts";
import { TestEnv } from "./test-env.ts";
import { directoryOptions, testPeer } from "./test-member.ts";

/** The crash that the test asked for. */
export class Crashed extends Error {}

export interface KnownCheckpoint {
  readonly index: number;
  readonly compact: number;
}

/** What a crash must not take back, and what it may or may not have let happen. */
export class Known {
  raftId: number = 0;
  bootCount: number = 0;
  genesis: number = 0;
  genesisMaybe: number = 0;
  /** Entries that are acknowledged, and submitted. */
  acknowledged: number = 0;
  submitted: number = 0;
  checkpoint: KnownCheckpoint | null = null;
  checkpointMaybe: KnownCheckpoint | null = null;
  /** The one in flight came by a snapshot: it replaces the log, too. */
  installing: boolean = false;
  peerBoot: number = 0;
}

export class StorageDriver {
  readonly disk: MemoryDisk;
  readonly known: Known;
  readonly shape: TwinShape;
  readonly options: StorageOptions;
  /** Number of disk operations after which the world ends. */
  crashAt: number;
  env: TestEnv;
  applied: number;
  compact: number;
  readonly refs: Map<string, RowRef>;
  #storage: StorageApi | null;
  #seed: number;

  constructor(disk: MemoryDisk, shape: TwinShape, options: StorageOptions, seed: number) {
    this.disk = disk;
    this.known = new Known();
    this.shape = shape;
    this.options = options;
    this.crashAt = Number.MAX_SAFE_INTEGER;
    this.#seed = seed;
    this.env = new TestEnv(disk, seed);
    this.applied = 0;
    this.compact = 0;
    this.refs = new Map();
    this.#storage = null;
  }

  get storage(): StorageApi {
    return must(this.#storage, "the storage is open");
  }

  /** Everything that is due, until `done` holds; the crash comes first. */
  run(done: () => boolean): void {
    this.env.run(() => done() || this.disk.performed >= this.crashAt);
    if (!done()) {
      if (this.disk.performed >= this.crashAt) throw new Crashed();
      assert(false, "nothing is due any more, and it is not done");
    }
  }

  // ---- Starting ---------------------------------------------------------------------------------

  /** A new process up to a running state: all that must be there is checked on the way. */
  start(): void {
    this.env = new TestEnv(this.disk, ++this.#seed);
    this.#storage = null;
    this.refs.clear();
    const directory = this.#openDirectory();
    this.#startGenesis(directory);
    const { storage, recovered } = this.#openStorage(directory);
    this.#storage = storage;
    this.#checkRecovered(recovered);
    this.#scan(recovered);
    this.#replay(recovered);
  }

  #openDirectory(): DataDirectory {
    const { known } = this;
    let result: DataDirectory | Refusal | null = null;
    openDirectory(this.env, directoryOptions, (outcome) => {
      result = outcome.ok ? outcome.directory : outcome;
    });
    this.run(() => result !== null);
    const directory = accepted(must(result as DataDirectory | Refusal | null, "an outcome"));
    if (known.raftId !== 0) assert(directory.raftId === known.raftId, "the raft id stays");
    assert(directory.bootCount > known.bootCount, "the boot count grows");
    known.raftId = directory.raftId;
    known.bootCount = directory.bootCount;
    const state = directory.genesisState;
    const allowed = [known.genesis, known.genesisMaybe];
    assert(allowed.includes(state), () => `genesis ${state}, allowed ${allowed.join()}`);
    assert(directory.genesis.length === 10 * state, "the genesis is the one of its state");
    known.genesis = state;
    known.genesisMaybe = state;
    return directory;
  }

  #startGenesis(directory: DataDirectory): void {
    const { known } = this;
    const steps = [GenesisState.Held, GenesisState.Started];
    for (const state of steps) {
      if (directory.genesisState >= state) continue;
      known.genesisMaybe = state;
      let done = false;
      directory.writeGenesis(state, new Uint8Array(10 * state), () => (done = true));
      this.run(() => done);
      known.genesis = state;
    }
  }

  #openStorage(directory: DataDirectory): { storage: StorageApi; recovered: Recovered } {
    type Opened = { ok: true; storage: StorageApi; recovered: Recovered };
    let result: Opened | Refusal | null = null;
    openStorage(this.env, directory, this.options, (outcome) => (result = outcome));
    this.run(() => result !== null);
    return accepted(must(result as Opened | Refusal | null, "an outcome"));
  }

  #checkRecovered(recovered: Recovered): void {
    const { known } = this;
    const found = recovered.checkpoint === null ? null : readTables(recovered.checkpoint.tables);
    const allowed = [known.checkpoint, known.checkpointMaybe];
    const fits = allowed.some((c) => c?.index === found?.index && c?.compact === found?.compact);
    assert(fits, () => `checkpoint ${JSON.stringify(found)} of ${JSON.stringify(allowed)}`);
    if (found !== null) assert(recovered.checkpoint!.index === found.index, "index of its tables");
    const installed = known.installing && found?.index === known.checkpointMaybe?.index;
    const last = recovered.logStartIndex + recovered.entries.length;
    const reach = Math.max(last, found?.index ?? 0);
    if (!installed) {
      assert(last >= known.acknowledged, () => `log ends at ${last}, ${known.acknowledged} acked`);
    }
    assert(reach <= Math.max(known.submitted, found?.index ?? 0), "no entry from nowhere");
    assert(recovered.logStartIndex <= (found?.index ?? 0), "the log goes on from the checkpoint");
    recovered.entries.forEach((entry, place) => {
      assert(entry.index === recovered.logStartIndex + 1 + place, "entries are dense");
    });
    const peer = recovered.peers.find((record) => record.raftId === 7);
    assert((peer?.bootCount ?? 0) >= known.peerBoot, "the peer's record is kept");
    known.acknowledged = reach;
    known.submitted = reach;
    known.checkpoint = found;
    known.checkpointMaybe = found;
    known.installing = false;
  }

  #scan(recovered: Recovered): void {
    const { index, compact } =
      recovered.checkpoint === null
        ? { index: 0, compact: 0 }
        : readTables(recovered.checkpoint.tables);
    this.applied = index;
    this.compact = compact;
    const needed = neededRows(index, compact, this.shape);
    const rows = this.scanRows(13);
    const difference = rowsDifference(rows, needed, index, this.shape);
    assert(difference === null, () => `after the scan: ${difference}`);
    for (const row of rows) {
      const ref = must(this.refs.get(nameOf(row)), "a scanned row has a ref");
      if (!needed.has(nameOf(row))) this.storage.rows.dead(ref);
    }
  }

  scanRows(rowsMax: number): Row[] {
    const rows: Row[] = [];
    this.refs.clear();
    const visit = (scanned: ScannedRow, ref: RowRef): void => {
      const row = scanned.toRow();
      rows.push(row);
      this.refs.set(nameOf(row), ref);
    };
    while (!this.storage.scanStep(rowsMax, visit)) {
      // Again.
    }
    return rows;
  }

  #replay(recovered: Recovered): void {
    for (const entry of recovered.entries) {
      if (entry.index > this.applied) this.#apply(entry.index);
    }
  }

  // ---- Running ----------------------------------------------------------------------------------

  #apply(index: number): void {
    assert(index === this.applied + 1, "entries apply in order");
    for (const row of rowsOf(index, this.shape)) {
      this.refs.set(nameOf(row), this.storage.rows.append(row));
    }
    this.applied = index;
  }

  /** Appends entries up to `last` and applies them when they are durable. */
  put(last: number): void {
    const { known } = this;
    const first = known.submitted + 1;
    const entries: Entry[] = [];
    for (let index = first; index <= last; index++) {
      entries.push(new Entry(1, index, 16, 0, index, latin1Encode(`entry ${index}`)));
    }
    known.submitted = last;
    let done = false;
    const hardState = new HardState(1, 0, last);
    this.storage.append(
      { hardState, firstIndex: first, entries, peers: [], mustSync: true },
      () => (done = true),
    );
    this.run(() => done);
    known.acknowledged = last;
    while (this.applied < last) this.#apply(this.applied + 1);
  }

  /** A new boot of a peer is recorded. */
  meetPeer(): void {
    const bootCount = this.known.peerBoot + 1;
    let done = false;
    const hardState = new HardState(1, 0, this.known.submitted);
    const peers = [testPeer(7, bootCount)];
    this.storage.append(
      { hardState, firstIndex: 0, entries: [], peers, mustSync: true },
      () => (done = true),
    );
    this.run(() => done);
    this.known.peerBoot = bootCount;
  }

  compactTo(compact: number): void {
    assert(compact >= this.compact && compact <= this.applied, "compaction goes forward");
    this.compact = compact;
    const needed = neededRows(this.applied, compact, this.shape);
    for (const [name, ref] of this.refs) {
      if (!needed.has(name)) {
        this.storage.rows.dead(ref);
        this.refs.delete(name);
      }
    }
  }

  beginCheckpoint(keepLogFrom: number = this.applied): () => boolean {
    const { known } = this;
    const made = { index: this.applied, compact: this.compact };
    known.checkpointMaybe = made;
    let done = false;
    const tables = tablesOf(made.index, made.compact);
    this.storage.checkpoint({ index: made.index, term: 1, tables, keepLogFrom }, (info) => {
      assert(info.index === made.index, "the checkpoint asked for");
      known.checkpoint = made;
      done = true;
    });
    return () => done;
  }

  checkpoint(keepLogFrom: number = this.applied): void {
    this.run(this.beginCheckpoint(keepLogFrom));
  }

  /** Ticks, so that reclaiming goes on; the disk does at most so many operations after each. */
  tickFor(ms: number, operationsMax: number = Number.MAX_SAFE_INTEGER): void {
    for (let passed = 0; passed < ms; passed += 10) {
      this.env.nowMs += 10;
      this.storage.tick(false);
      const until = this.disk.performed + operationsMax;
      this.env.run(() => this.disk.performed >= Math.min(until, this.crashAt));
      if (this.disk.performed >= this.crashAt) throw new Crashed();
    }
  }

  /** Every row that is needed, by its ref and by a walk. */
  check(from: number = 1): void {
    const needed = neededRows(this.applied, this.compact, this.shape);
    for (const [name, row] of needed) {
      const ref = must(this.refs.get(name), `a ref of ${name}`);
      assert(sameRow(this.storage.rows.read(ref), row), () => `${name} by its ref`);
    }
    const cursor = this.storage.rows.cursorFrom(from);
    const walked: Row[] = [];
    for (let row = cursor.next(); row !== null; row = cursor.next()) {
      assert(row.main >= from, "the walk begins where it was asked to");
      if (needed.has(nameOf(row))) assert(cursor.ref() === this.refs.get(nameOf(row)), "its ref");
      walked.push(row);
    }
    const behind = new Map([...needed].filter(([, row]) => row.main >= from));
    const difference = rowsDifference(walked, behind, this.applied, this.shape);
    assert(difference === null, () => `by a walk from ${from}: ${difference}`);
  }

  // ---- Snapshots --------------------------------------------------------------------------------

  /** Receives the source in pieces and installs it. */
  receive(source: SnapshotSource, pieceBytes: number): void {
    const { known } = this;
    const sink = this.storage.stage(source.files, source.checkpoint.id);
    source.files.forEach(({ bytes }, file) => {
      for (let offset = 0; offset < bytes; offset += pieceBytes) {
        let written = false;
        const piece = source.readNow(file, offset, pieceBytes);
        sink.write(file, offset, piece, () => (written = true));
        this.run(() => written);
      }
    });
    let finished = false;
    sink.finish((ok) => {
      assert(ok, "an undamaged snapshot is accepted");
      finished = true;
    });
    this.run(() => finished);
    const made = readTables(source.checkpoint.tables);
    known.checkpointMaybe = made;
    known.installing = true;
    let installed = false;
    const hardState = new HardState(source.checkpoint.term, 0, made.index);
    this.storage.install(sink, hardState, false, () => (installed = true));
    this.run(() => installed);
    known.checkpoint = made;
    known.installing = false;
    known.acknowledged = made.index;
    known.submitted = made.index;
    this.applied = made.index;
    this.compact = made.compact;
    const needed = neededRows(made.index, made.compact, this.shape);
    const difference = rowsDifference(this.scanRows(29), needed, made.index, this.shape);
    assert(difference === null, () => `after the install: ${difference}`);
    for (const [name, ref] of this.refs) {
      if (!needed.has(name)) this.storage.rows.dead(ref);
    }
  }

  close(): void {
    let closed = false;
    this.storage.close(() => (closed = true));
    this.run(() => closed);
  }
}

function accepted<T extends object>(outcome: T | Refusal): T {
  if ("ok" in outcome && outcome.ok === false) {
    const { exitCode, reason } = outcome;
    assert(false, () => `refused with ${exitCode}: ${reason}`);
  }
  return outcome as T;
}
