// How often each kind of fault was injected. A kind is listed here by name, so that a fault that is
// never injected shows: a simulator that cannot do a thing proves nothing about it.
import { assert } from "@quorate/base";

export const faultKinds = [
  "process.kill",
  "process.kill-while-writing",
  "process.crash-at-mark",
  "process.power-loss",
  "process.power-loss-of-all",
  "process.stop",
  "process.pause",
  "process.long-pause",
  "process.stall",
  "process.suspend",
  "process.crash-loop",
  "process.rolling-restart",
  "process.second",
  "process.wipe",
  "membership.add",
  "membership.remove",
  "membership.promote",
  "membership.move",
  "clock.wall-jump",
  "clock.wall-years",
  "clock.wall-drift",
  "clock.drift",
  "disk.slow",
  "disk.stall",
  "disk.rot",
  "disk.zeroed",
  "disk.read-error",
  "disk.lost-write",
  "disk.misdirected-write",
  "disk.cut-file",
  "disk.deleted-file",
  "disk.swapped-files",
  "disk.failed-sync",
  "disk.failed-write",
  "disk.read-only",
  "disk.no-permission",
  "disk.full",
  "disk.wiped",
  "disk.rolled-back",
  "network.loss",
  "network.duplicate",
  "network.reorder",
  "network.clog",
  "network.reset",
  "network.flip",
  "network.replay",
  "network.replay-after-restart",
  "network.stranger",
  "network.slow-link",
  "network.lossy-link",
  "network.distance-town",
  "network.distance-regions",
  "network.swizzle",
  "network.cut",
  "network.cut-one-way",
  "network.cut-ring",
  "network.cut-bridge",
  "network.cut-pair",
  "network.isolate",
  "network.flap",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export class FaultCounts {
  readonly #counts: Map<FaultKind, number>;

  constructor() {
    this.#counts = new Map(faultKinds.map((kind) => [kind, 0]));
  }

  count(kind: FaultKind): void {
    const before = this.#counts.get(kind);
    assert(before !== undefined, () => `FaultCounts: ${kind} is not listed`);
    this.#counts.set(kind, before + 1);
  }

  of(kind: FaultKind): number {
    return this.#counts.get(kind)!;
  }

  /** In the order of the list, zeros too. */
  entries(): [FaultKind, number][] {
    return [...this.#counts];
  }

  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }
}
