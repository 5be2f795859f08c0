// What each member's disk would give back after a power loss now. Where Raft runs, the log on the
// medium is read at the start and followed batch by batch; everywhere else, and while a snapshot is
// being put in force, a real recovery of a copy tells. One start in `beginSample` and one look in
// `compareSample` is compared with such a recovery: the shortcut may not know better than a restart
// would.
import { equalBytes } from "@quorate/base";
import { demand } from "../checkers/violation.ts";
import { UnsyncedFate } from "../disk/sim-file.ts";
import type { DurableLog } from "../durable/durable-log.ts";
import { type DurableReading, readDurable, readerBehindAll } from "../durable/durable-reading.ts";
import type { LogReader } from "../durable/log-reader.ts";
import { type DurableImage, durableImage } from "../durable-image.ts";
import type { SimProcess } from "../sim-env.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import type { WatchedProcess } from "./watched-process.ts";

/** The log of one process, from the start of Raft to its death. */
interface Followed {
  readonly watched: WatchedProcess;
  log: DurableLog;
  reader: LogReader;
  /** Of the disk, when the log was last brought up to date. */
  mediumChanges: number;
}

interface Recovery {
  readonly mediumChanges: number;
  readonly incarnation: SimProcess | null;
  readonly alive: boolean;
  readonly image: DurableImage;
}

/** One start in so many is held against a recovery of a copy of the disk. */
const beginSample = 6;

export class DurableDisks {
  /** Looks that were compared with a recovery. */
  compared: number;
  readonly #random: SimRandom;
  readonly #compareSample: number;
  /** Members whose disks may be damaged. */
  readonly #mayRefuse: ReadonlySet<string>;
  readonly #followed: Map<string, Followed>;
  readonly #recoveries: Map<string, Recovery>;

  constructor(random: SimRandom, compareSample: number, mayRefuse: ReadonlySet<string>) {
    this.compared = 0;
    this.#random = random;
    this.#compareSample = compareSample;
    this.#mayRefuse = mayRefuse;
    this.#followed = new Map();
    this.#recoveries = new Map();
  }

  /** Raft runs in it from now on. The genesis that is durable by then; null: none. */
  follow(watched: WatchedProcess): Uint8Array | null {
    const { disk, config, name } = watched.member;
    const { mediumChanges } = disk;
    const read = readDurable(disk, config);
    if (read !== null && !this.#random.chance(1 / Math.min(beginSample, this.#compareSample))) {
      const { log, reader } = read;
      this.#followed.set(name, { watched, log, reader, mediumChanges });
      return read.genesis;
    }
    const image = this.#recover(watched.member);
    const { log, raftId } = image;
    if (read !== null && image.refusal === null) checkReading(name, read, image);
    const reader = readerBehindAll(disk, config, raftId);
    this.#followed.set(name, { watched, log, reader, mediumChanges });
    return image.genesis;
  }

  log(member: SimMember): DurableLog {
    const followed = this.#followed.get(member.name);
    if (followed === undefined || !isPresent(followed)) return this.#recovered(member);
    if (member.disk.mediumChanges !== followed.mediumChanges) catchUp(followed);
    if (followed.log.marked) return this.#recoverMarked(followed);
    if (followed.reader.lost) return this.#followAnew(followed);
    if (this.#random.chance(1 / this.#compareSample)) this.#compare(followed);
    return followed.log;
  }

  /** A look at it costs little. */
  isFollowed(member: SimMember): boolean {
    const followed = this.#followed.get(member.name);
    return followed !== undefined && isPresent(followed);
  }

  #recovered(member: SimMember): DurableLog {
    const { mediumChanges } = member.disk;
    const { incarnation } = member;
    const alive = incarnation?.alive ?? false;
    const known = this.#recoveries.get(member.name);
    const isValid =
      known !== undefined &&
      known.mediumChanges === mediumChanges &&
      known.incarnation === incarnation &&
      known.alive === alive;
    if (isValid) return known.image.log;
    const image = this.#recover(member);
    this.#recoveries.set(member.name, { mediumChanges, incarnation, alive, image });
    return image.log;
  }

  /** Once the snapshot is in force, the log is followed again from there. */
  #recoverMarked(followed: Followed): DurableLog {
    const { member, inside } = followed.watched;
    return inside.pump.installing ? this.#recovered(member) : this.#followAnew(followed);
  }

  #followAnew(followed: Followed): DurableLog {
    const max = followed.log.lastIndexMax;
    this.follow(followed.watched);
    const { log } = this.#followed.get(followed.watched.member.name)!;
    log.lastIndexMax = Math.max(log.lastIndexMax, max);
    return log;
  }

  #recover(member: SimMember): DurableImage {
    const image = durableImage(member.disk, member.config, UnsyncedFate.Drop, 1);
    demand(
      image.refusal === null || this.#mayRefuse.has(member.name),
      "honest disks start",
      () => `after a power loss now ${member.name} would refuse to start: ${image.refusal}`,
    );
    return image;
  }

  #compare({ watched, log }: Followed): void {
    const { member } = watched;
    const image = this.#recover(member);
    if (image.refusal !== null) return;
    this.compared++;
    const difference = log.difference(image.log);
    demand(
      difference === null,
      "honest disks recover what was synced",
      () => `${member.name}: what a recovery finds ${difference}`,
    );
  }
}

/** The shortcut finds what the recovery finds. */
function checkReading(name: string, read: DurableReading, image: DurableImage): void {
  const difference = read.log.difference(image.log);
  const same =
    read.raftId === image.raftId &&
    read.log.checkpointIndex === image.log.checkpointIndex &&
    read.log.startIndex === image.log.startIndex &&
    image.genesis !== null &&
    equalBytes(read.genesis, image.genesis);
  demand(
    same && difference === null,
    "honest disks recover what was synced",
    () => `${name}: what a recovery finds ${difference ?? "has another raft id, start or genesis"}`,
  );
}

function isPresent({ watched }: Followed): boolean {
  return watched.alive && watched.incarnation === watched.member.incarnation;
}

function catchUp(followed: Followed): void {
  followed.mediumChanges = followed.watched.member.disk.mediumChanges;
  const { log, reader } = followed;
  while (!log.marked) {
    const batch = reader.next();
    if (batch === null) return;
    log.append(batch);
  }
}
