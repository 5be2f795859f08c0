// A WAL on a memory disk for tests: starts it, stops it, starts it again on what is left.
// Only tests import it.
import { assert } from "@quorate/base";
import type { Refusal } from "../storage-api.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { emptyManifest, MemoryManifest } from "./memory-manifest.ts";
import type { ManifestMedium } from "./memory-manifest.ts";
import { TestEnv } from "./test-env.ts";
import { recoverWal } from "../wal/recover-wal.ts";
import type { RecoveredLog, WalApi, WalOptions } from "../wal/wal-api.ts";

export interface Started {
  readonly ok: true;
  readonly wal: WalApi;
  readonly recovered: RecoveredLog;
}

export const benchDirectory = "/m1/wal";
export const benchClusterId = "00000000deadbeef";
export const benchRaftId = 4711;

export class WalBench {
  readonly disk: MemoryDisk;
  readonly medium: ManifestMedium;
  options: WalOptions;
  env: TestEnv;
  manifest: MemoryManifest;
  bootCount: number;
  raftId: number;
  stateLost: boolean;
  #seed: number;

  constructor(seed: number, options: Partial<WalOptions> = {}) {
    this.disk = new MemoryDisk(seed);
    this.disk.makeDirectoryNow(benchDirectory);
    this.medium = emptyManifest();
    this.options = { segmentBytes: 32_768, sealIdleMs: 50, ...options };
    this.#seed = seed;
    this.bootCount = 0;
    this.raftId = benchRaftId;
    this.stateLost = false;
    this.env = new TestEnv(this.disk, seed);
    this.manifest = new MemoryManifest(this.medium, this.disk);
  }

  /** A new process begins recovery; the outcome comes while the env runs. */
  begin(done: (outcome: Started | Refusal) => void): void {
    this.bootCount++;
    this.env = new TestEnv(this.disk, this.#seed * 1000 + this.bootCount);
    this.manifest = new MemoryManifest(this.medium, this.disk);
    const { manifest, bootCount, raftId, options } = this;
    recoverWal(
      this.env,
      {
        directory: benchDirectory,
        clusterId: benchClusterId,
        raftId,
        bootCount,
        manifest,
        checkpoint: manifest.state.checkpoint,
        stateLost: this.stateLost,
        options,
      },
      done,
    );
  }

  /** A new process, until it runs or refuses. */
  outcome(): Started | Refusal {
    let outcome: Started | Refusal | null = null;
    this.begin((o) => {
      outcome = o;
    });
    this.env.run(() => outcome !== null);
    assert(outcome !== null, "wal bench: recovery never ended");
    return outcome;
  }

  start(): Started {
    const outcome = this.outcome();
    assert(outcome.ok, () => `wal bench: ${(outcome as Refusal).reason}`);
    return outcome;
  }
}
