// Seeds that go through the crash points one after the other: seed n crashes a process at mark
// n mod the number of marks, besides everything else that it has drawn, in a short run.
import { crashPoints } from "./crash-points.ts";
import { drawCrashes } from "./nemesis/crashes.ts";
import { Run } from "./run.ts";
import type { RunOptions } from "./run-options.ts";
import { World } from "./world.ts";

export function targetedRun(
  seed: number,
  adjust: ((options: RunOptions) => void) | null = null,
): Run {
  const random = new World(seed).random("target");
  const point = crashPoints[seed % crashPoints.length]!;
  return new Run(seed, (options) => {
    options.safetyMs = random.between(3_000, 9_000);
    options.faults.crashes ??= drawCrashes(random);
    // Marks that only a newcomer passes are not in the table.
    options.faults.membership = null;
    point.prepare?.(options);
    options.faults.crashes = {
      ...options.faults.crashes,
      target: point.mark,
      targetPass: point.prepare === null ? random.doublings(1, 50) : 1,
    };
    adjust?.(options);
  });
}
