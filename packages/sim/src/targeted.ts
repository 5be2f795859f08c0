// Seeds that go through the crash points one after the other: seed n crashes a process at mark
// n mod the number of marks, besides everything else that it has drawn.
import { crashPoints } from "./crash-points.ts";
import { Run } from "./run.ts";
import { drawCrashes } from "./nemesis/crashes.ts";
import { World } from "./world.ts";

export function targetedRun(seed: number): Run {
  const random = new World(seed).random("target");
  const point = crashPoints[seed % crashPoints.length]!;
  return new Run(seed, (options) => {
    options.faults.crashes ??= drawCrashes(random);
    point.prepare?.(options);
    options.faults.crashes = {
      ...options.faults.crashes,
      target: point.mark,
      targetPass: point.prepare === null ? random.doublings(1, 50) : 1,
    };
  });
}
