// One crash story on a WAL: a random workload up to a given disk operation, a crash, recoveries that
// crash themselves, and then a life that goes on. The crash tests differ in how many they tell.
import { Prng } from "@quorate/base";
import { WalWorkload } from "./wal-workload.ts";
import type { Crash } from "./wal-workload.ts";

export const crashKinds: readonly Crash[] = ["kill", "power", "killThenPower"];

const requestsMax = 120;
const segmentSizes = [16_384, 32_768, 65_536] as const;

/** False: the workload ended before the operation came; there is nothing left to enumerate. */
export function crashStory(seed: number, operation: number, crash: Crash): boolean {
  const prng = new Prng(seed * 1_000_003 + operation).fork(crash);
  const segmentBytes = segmentSizes[seed % segmentSizes.length]!;
  const world = new WalWorkload(seed, { segmentBytes });
  world.recover([], "kill");
  const { disk } = world.bench;
  const stopped = world.run(requestsMax, () => disk.performed >= operation);
  if (crash === "killThenPower") {
    // The tail that only the page cache has is found by one recovery and must survive the next.
    world.crash("kill");
    world.recover([prng.below(12)], "power");
  } else {
    world.crash(crash);
    world.recover([prng.below(12), prng.below(12)], crash);
  }
  // What recovery gave back counts as promised, whatever comes next.
  world.crash("power");
  world.recover([], "kill");
  world.run(8, () => false);
  world.crash("power");
  world.recover([], "kill");
  return stopped;
}

/**
 * The disk refuses a sync, the cache goes on showing the bytes, the process ends and starts again
 * on that cache, loses power in the middle of it, and again afterwards.
 */
export function refusalStory(seed: number, operation: number, writable: boolean): void {
  const prng = new Prng(seed * 1_000_003 + operation).fork("refusal");
  const world = new WalWorkload(seed, { segmentBytes: segmentSizes[seed % segmentSizes.length]! });
  world.recover([], "kill");
  const { disk } = world.bench;
  world.run(requestsMax, () => disk.performed >= operation);
  world.runIntoRefusal(20, writable);
  world.crash("kill");
  world.recover([prng.below(16)], prng.chance(0.5) ? "power" : "kill");
  world.crash("power");
  world.recover([], "kill");
  world.run(8, () => false);
  world.crash("power");
  world.recover([], "kill");
}
