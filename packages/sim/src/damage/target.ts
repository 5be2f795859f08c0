// Where damage hits: a durable file of a member's directory, and in it a place that means something.
import { SimDirectory } from "../disk/sim-directory.ts";
import type { SimFile } from "../disk/sim-file.ts";
import { sectorBytes } from "../disk/torn-write.ts";
import type { SimDisk } from "../sim-disk.ts";
import type { SimRandom } from "../sim-random.ts";
import type { TrueRecord } from "./log-truth.ts";
import { segmentsOf } from "./noticed.ts";

/** Prefix of the names in it, how often it is hit. */
const zones = [
  ["wal-0", 9],
  ["rows-", 5],
  ["tables-", 2],
  ["MANIFEST-", 2],
  ["IDENTITY-", 1],
  ["wal-durable", 1],
] as const;

export interface Target {
  readonly path: string;
  readonly zone: string;
  readonly file: SimFile;
  /** Of a segment of the log in force. */
  readonly batches: readonly TrueRecord[];
}

/** Durable files with something in them, by path. */
export function targetsOf(disk: SimDisk, directory: string): Target[] {
  const found: Target[] = [];
  const node = disk.nodeAt(directory);
  const segments = node instanceof SimDirectory ? segmentsOf(node) : [];
  for (const path of disk.filesBelow(directory)) {
    const name = path.slice(directory.length + 1);
    const zone = zones.find(([prefix]) => name.startsWith(prefix))?.[0];
    const file = disk.durableFileAt(path);
    const whole = zone !== undefined && !name.endsWith(".draft");
    if (!whole || file === null || file.length === 0) continue;
    const batches = segments.find((segment) => segment.name === name)?.batches ?? [];
    found.push({ path, zone, file, batches });
  }
  return found;
}

/** Null: there is nothing to hit. */
export function pickTarget(random: SimRandom, targets: readonly Target[]): Target | null {
  const weighted = zones.flatMap(([zone, weight]) =>
    targets.some((target) => target.zone === zone)
      ? Array.from({ length: weight }, () => zone)
      : [],
  );
  if (weighted.length === 0) return null;
  const zone = random.pick(weighted);
  const inZone = targets.filter((target) => target.zone === zone);
  // The end of the log tells most: what was promised last, and whether that can be known.
  const newest = inZone.findLast(({ batches }) => batches.length > 0);
  return newest !== undefined && random.chance(0.5) ? newest : random.pick(inZone);
}

/**
 * A place in a file and the end of what was ever written behind it. In the log it is the start of a
 * batch, as often one of the last as any other; elsewhere any sector.
 */
export function pickPlace(
  random: SimRandom,
  { file, batches }: Target,
): { from: number; end: number } {
  const end = batches.at(-1)?.to ?? file.length;
  const headers = random.chance(0.1);
  if (batches.length === 0 || headers) {
    const sectors = Math.ceil(end / sectorBytes);
    return { from: headers ? 0 : sectorBytes * random.below(sectors), end };
  }
  const last = Math.min(4, batches.length);
  const among = random.chance(0.5) ? batches.slice(-last) : batches;
  return { from: random.pick(among).from, end };
}
