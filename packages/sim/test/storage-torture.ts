// Storage alone on a simulated disk: random batches, rows, checkpoints, deaths of rows, and a crash
// at a random moment (kill, power loss, or one after the other, also in the middle of recovery).
// What recovery gives back must be what some number of the submitted batches, at least all
// acknowledged ones, would have left; rows and tables must be those of an acknowledged or a
// running checkpoint.
import assert from "node:assert/strict";
import { latin1Decode, latin1Encode } from "@quorate/base";
import { Row, TableRecord } from "@quorate/kv";
import { Entry, HardState } from "@quorate/raft";
import {
  type DataDirectory,
  GenesisState,
  openDirectory,
  openStorage,
  type Recovered,
  type StorageApi,
  type StorageOptions,
  type WalAppend,
} from "@quorate/storage";
import { SimClock } from "../src/sim-clock.ts";
import { SimDisk } from "../src/sim-disk.ts";
import { EndKind, SimProcess } from "../src/sim-env.ts";
import { SimNetwork } from "../src/sim-network.ts";
import type { SimRandom } from "../src/sim-random.ts";
import { World } from "../src/world.ts";

/** What a log and its hard state come to after some batches. */
class LogTwin {
  hardState = new HardState(0, 0, 0);
  /** By index - 1; null where a checkpoint has swallowed it. */
  entries: (Entry | null)[] = [];

  clone(): LogTwin {
    const copy = new LogTwin();
    copy.hardState = this.hardState;
    copy.entries = this.entries.slice();
    return copy;
  }

  apply(batch: WalAppend): void {
    this.hardState = batch.hardState;
    if (batch.entries.length === 0) return;
    this.entries.length = batch.firstIndex - 1;
    this.entries.push(...batch.entries);
  }

  /** Null: equal; else how what was recovered differs. */
  difference(recovered: Recovered): string | null {
    const { hardState, logStartIndex, entries } = recovered;
    const own = this.hardState;
    if (
      hardState.term !== own.term ||
      hardState.vote !== own.vote ||
      hardState.commit !== own.commit
    ) {
      return `hard state ${JSON.stringify(hardState)}, not ${JSON.stringify(own)}`;
    }
    const last = logStartIndex + entries.length;
    if (last !== this.entries.length) return `last index ${last}, not ${this.entries.length}`;
    for (const [at, entry] of entries.entries()) {
      const expected = this.entries[logStartIndex + at];
      if (expected === null || expected === undefined) continue;
      if (entry.index !== expected.index || entry.term !== expected.term) {
        return `entry ${entry.index}/${entry.term}, not ${expected.index}/${expected.term}`;
      }
      if (latin1Decode(entry.payload) !== latin1Decode(expected.payload)) {
        return `another payload at ${entry.index}`;
      }
    }
    return null;
  }
}

interface Checkpoint {
  readonly index: number;
  readonly tables: string;
}

export class StorageTorture {
  readonly world: World;
  readonly disk: SimDisk;
  readonly random: SimRandom;
  readonly marks: Map<string, number>;
  crashes: number;
  batchesAcknowledged: number;
  checkpointsDone: number;
  rowsDead: number;
  readonly #network: SimNetwork;
  readonly #options: StorageOptions;
  #incarnation: SimProcess | null;
  #storage: StorageApi | null;
  #crashChance: number;
  /** The state at the last recovery, and every batch submitted since. */
  #base: LogTwin;
  #submitted: WalAppend[];
  /** How many of them must survive what has happened since the last recovery. */
  #acknowledged: number;
  /** Of these, how many must survive a power loss. */
  #synced: number;
  #twin: LogTwin;
  #applied: number;
  #checkpoint: Checkpoint;
  #runningCheckpoint: Checkpoint | null;
  /** Row's main revision → applied index at which it was declared dead. */
  readonly #deadAt: Map<number, number>;
  readonly #rowRefs: Map<number, number>;
  #powerLost: boolean;

  constructor(seed: number) {
    this.world = new World(seed);
    this.disk = new SimDisk(this.world, this.world.random("disk"), "m0");
    this.random = this.world.random("torture");
    this.marks = new Map();
    this.crashes = 0;
    this.batchesAcknowledged = 0;
    this.checkpointsDone = 0;
    this.rowsDead = 0;
    this.#network = new SimNetwork(this.world, this.world.random("network"));
    this.#network.addMachine("m0", ["m0:1"]);
    this.#options = {
      walSegmentBytes: 4096 * this.random.pick([16, 32, 64]),
      rowSegmentBytes: 4096 * this.random.pick([4, 8, 32]),
      unsavedRowBytesMax: 1_000_000,
      rowCacheBytesMax: 10_000,
      sealIdleMs: 50,
      reclaimBytesPerSecond: 1_000_000,
      scrubIntervalMs: 500,
      scrubBytesPerSecond: 10_000_000,
      stagingRecordBytes: 16_384,
    };
    this.#incarnation = null;
    this.#storage = null;
    this.#crashChance = 0;
    this.#base = new LogTwin();
    this.#submitted = [];
    this.#acknowledged = 0;
    this.#synced = 0;
    this.#twin = new LogTwin();
    this.#applied = 0;
    this.#checkpoint = { index: 0, tables: "" };
    this.#runningCheckpoint = null;
    this.#deadAt = new Map();
    this.#rowRefs = new Map();
    this.#powerLost = false;
  }

  run(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      // Half of the crashes come at a mark, the others between two events.
      this.#crashChance = round === rounds - 1 ? 0 : this.random.pick([0, 0.01, 0.05]);
      this.#boot(round);
      const steps = this.random.doublings(1, 800);
      for (let step = 0; step < steps && this.#incarnation!.alive; step++) {
        if (this.#storage !== null && this.random.chance(0.3)) this.#act();
        if (!this.world.step()) this.world.runFor(10);
      }
      this.#crash();
    }
    // The last boot must come up by itself.
    this.#crashChance = 0;
    this.#boot(rounds);
    assert.ok(
      this.world.runUntil(() => this.#storage !== null, 60_000),
      "recovery ends",
    );
    this.#crash();
  }

  #boot(round: number): void {
    const incarnation = new SimProcess(
      `m0#${round}`,
      {
        world: this.world,
        network: this.#network,
        disk: this.disk,
        clock: new SimClock(this.world, 0, 0, 0),
        random: this.world.random(`boot ${round}`),
        machine: "m0",
      },
      {
        crashPlan: () =>
          this.random.chance(this.#crashChance)
            ? this.random.pick([EndKind.Killed, EndKind.PowerLost])
            : null,
        onMark: (_, point) => void this.marks.set(point, (this.marks.get(point) ?? 0) + 1),
        onEnd: () => {},
      },
    );
    this.#incarnation = incarnation;
    this.#storage = null;
    const ids = { clusterId: "00000000000000aa", memberId: "00000000000000bb" };
    incarnation.run(() => {
      const options = { directory: "/data/m0", walDirectory: null, ...ids, levelMax: 1 };
      openDirectory(incarnation, options, (outcome) => {
        assert.ok(outcome.ok, outcome.ok ? "" : outcome.reason);
        this.#onDirectory(incarnation, outcome.directory);
      });
    });
    this.#tick(incarnation);
  }

  #onDirectory(incarnation: SimProcess, directory: DataDirectory): void {
    const open = (): void =>
      openStorage(incarnation, directory, this.#options, (outcome) => {
        assert.ok(outcome.ok, outcome.ok ? "" : outcome.reason);
        this.#recovered(outcome.storage, outcome.recovered);
      });
    if (directory.genesisState === GenesisState.Started) return open();
    directory.writeGenesis(GenesisState.Started, latin1Encode("genesis"), open);
  }

  #tick(incarnation: SimProcess): void {
    this.world.after(10_000, () => {
      if (!incarnation.alive) return;
      incarnation.run(() => this.#storage?.tick(false));
      this.#tick(incarnation);
    });
  }

  // ---- recovery ---------------------------------------------------------------------------------

  #recovered(storage: StorageApi, recovered: Recovered): void {
    this.#checkLog(recovered);
    this.#checkCheckpoint(storage, recovered);
    this.#powerLost = false;
    this.#storage = storage;
  }

  #checkLog(recovered: Recovered): void {
    const least = this.#powerLost ? this.#synced : this.#acknowledged;
    const twin = this.#base.clone();
    const differences: string[] = [];
    let found: LogTwin | null = null;
    for (let count = 0; count <= this.#submitted.length; count++) {
      if (count > 0) twin.apply(this.#submitted[count - 1]!);
      if (count < least) continue;
      const difference = twin.difference(recovered);
      if (difference === null) found = twin.clone();
      else differences.push(`after ${count}: ${difference}`);
    }
    assert.ok(found !== null, `nothing between ${least} and all fits\n${differences.join("\n")}`);
    for (let at = 0; at < recovered.logStartIndex; at++) found.entries[at] = null;
    this.#base = found;
    this.#twin = found.clone();
    this.#submitted = [];
    this.#acknowledged = 0;
    this.#synced = 0;
  }

  #checkCheckpoint(storage: StorageApi, recovered: Recovered): void {
    const found = recovered.checkpoint;
    const index = found === null ? 0 : found.index;
    const running = this.#runningCheckpoint;
    if (running !== null && index === running.index) this.#checkpoint = running;
    assert.equal(
      index,
      this.#checkpoint.index,
      "the newest finished checkpoint, or the running one",
    );
    this.#runningCheckpoint = null;
    const tables = found === null ? "" : latin1Decode(found.tables[0]!.bytes);
    assert.equal(tables, this.#checkpoint.tables);
    assert.ok(recovered.logStartIndex <= index, "the log reaches down to the checkpoint");
    const seen: number[] = [];
    this.#rowRefs.clear();
    while (
      !storage.scanStep(50, (row, ref) => {
        seen.push(row.main);
        this.#rowRefs.set(row.main, ref);
        assert.equal(latin1Decode(row.toRow().value), valueOf(row.main));
      })
    );
    this.#checkRows(seen, index);
    for (const [main, at] of this.#deadAt) {
      const ref = this.#rowRefs.get(main);
      if (at > index) this.#deadAt.delete(main);
      else if (ref !== undefined) storage.rows.dead(ref);
    }
    this.#applied = index;
  }

  #checkRows(seen: readonly number[], checkpoint: number): void {
    const expected = new Set(seen);
    assert.equal(expected.size, seen.length, "no row twice");
    for (const [at, main] of seen.entries()) {
      assert.ok(at === 0 || seen[at - 1]! < main, "ascending");
      assert.ok(main >= 1 && main <= checkpoint, "no row from after the checkpoint");
    }
    for (let main = 1; main <= checkpoint; main++) {
      if (expected.has(main)) continue;
      const at = this.#deadAt.get(main);
      assert.ok(at !== undefined && at <= checkpoint, `row ${main} is gone, dead at ${at}`);
    }
  }

  // ---- load -------------------------------------------------------------------------------------

  #act(): void {
    const incarnation = this.#incarnation!;
    const draw = this.random.below(10);
    incarnation.run(() => {
      if (draw < 6) this.#append();
      else if (draw < 8) this.#applySome();
      else if (draw < 9) this.#declareDead();
      else this.#startCheckpoint();
    });
  }

  #append(): void {
    const storage = this.#storage!;
    const before = this.#twin.hardState;
    const last = this.#twin.entries.length;
    // Truncation never goes below what is committed or applied.
    const lowest = Math.max(before.commit, this.#applied) + 1;
    const firstIndex =
      this.random.chance(0.1) && lowest <= last ? this.random.between(lowest, last) : last + 1;
    const termBefore = this.#twin.entries[firstIndex - 2]?.term ?? 0;
    const newTerm = this.random.chance(0.1) || firstIndex <= last;
    const term = Math.max(before.term, termBefore, 1) + (newTerm ? 1 : 0);
    const count = this.random.below(5);
    const entries = Array.from({ length: count }, (_, i) => this.#entry(term, firstIndex + i));
    const lastNow = count === 0 ? last : firstIndex + count - 1;
    const commit = this.random.chance(0.5)
      ? this.random.between(before.commit, Math.min(last, lastNow))
      : before.commit;
    const reach = count === 0 ? commit : Math.min(commit, firstIndex - 1);
    const vote = term === before.term ? before.vote : this.random.between(0, 3);
    const hardState = new HardState(term, vote, Math.max(before.commit, reach));
    const mustSync = count > 0 || term !== before.term || this.random.chance(0.5);
    const batch = {
      hardState,
      firstIndex: count === 0 ? 0 : firstIndex,
      entries,
      peers: [],
      mustSync,
    };
    this.#twin.apply(batch);
    this.#submitted.push(batch);
    const number = this.#submitted.length;
    storage.append(batch, () => {
      assert.equal(this.#acknowledged, number - 1, "batches are done in order");
      this.#acknowledged = number;
      if (mustSync) this.#synced = number;
      this.batchesAcknowledged++;
    });
  }

  #entry(term: number, index: number): Entry {
    const length = this.random.doublings(1, 3000);
    const payload = latin1Encode(`${term}/${index}/${this.random.u32()}`.padEnd(length, "x"));
    return new Entry(term, index, 16, 1, 0, payload);
  }

  /** Applies what is committed and durable: one row per entry, main = index. */
  #applySome(): void {
    const durable = this.#base.clone();
    for (let i = 0; i < this.#synced; i++) durable.apply(this.#submitted[i]!);
    const limit = Math.min(durable.hardState.commit, durable.entries.length);
    const to = Math.min(limit, this.#applied + this.random.between(1, 20));
    for (let index = this.#applied + 1; index <= to; index++) {
      const row = rowOf(index);
      this.#rowRefs.set(index, this.#storage!.rows.append(row));
      this.#applied = index;
    }
  }

  #declareDead(): void {
    for (let i = 0; i < 30; i++) {
      const main = this.random.between(1, Math.max(1, this.#applied));
      const ref = this.#rowRefs.get(main);
      if (ref === undefined || this.#deadAt.has(main) || main > this.#applied) continue;
      // Declared while index `applied` + 1 would be applied: belongs to the next checkpoint.
      this.#deadAt.set(main, this.#applied);
      this.#storage!.rows.dead(ref);
      this.rowsDead++;
    }
  }

  #startCheckpoint(): void {
    const storage = this.#storage!;
    if (storage.checkpointRunning || this.#applied <= this.#checkpoint.index) return;
    const index = this.#applied;
    const term = this.#twin.entries[index - 1]?.term ?? 1;
    const checkpoint = {
      index,
      tables: `tables of ${index}`.padEnd(this.random.between(20, 9000), "t"),
    };
    this.#runningCheckpoint = checkpoint;
    const tables = [new TableRecord("t", latin1Encode(checkpoint.tables))];
    const keepLogFrom = this.random.between(0, index);
    storage.checkpoint({ index, term, tables, keepLogFrom }, (done) => {
      assert.equal(done.index, index);
      this.#checkpoint = checkpoint;
      this.#runningCheckpoint = null;
      this.checkpointsDone++;
    });
  }

  // ---- crashes ----------------------------------------------------------------------------------

  #crash(): void {
    const incarnation = this.#incarnation!;
    this.crashes++;
    if (incarnation.alive) {
      incarnation.kill(this.random.pick([EndKind.Killed, EndKind.PowerLost]), "torture");
    }
    assert.ok(
      incarnation.end === EndKind.Killed || incarnation.end === EndKind.PowerLost,
      incarnation.failure?.stack ?? incarnation.reason,
    );
    // A kill may be followed by a power loss before anything runs again.
    if (incarnation.end === EndKind.PowerLost || this.random.chance(0.3)) {
      this.disk.powerLoss();
      this.#powerLost = true;
    }
    this.#storage = null;
  }
}

function valueOf(main: number): string {
  return `value of ${main}`.padEnd(20 + ((main * 37) % 900), "v");
}

function rowOf(main: number): Row {
  const key = latin1Encode(`key ${main % 50}`);
  return new Row(main, 0, false, main, 1, 0, 0, main, 0, 0, key, latin1Encode(valueOf(main)));
}
