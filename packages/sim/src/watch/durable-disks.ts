// What each member's disk would give back after a power loss now. Where Raft runs, the log on the
// medium is read at the start and followed batch by batch; everywhere else, and while a snapshot is
// being put in force, a real recovery of a copy tells. One start in `beginSample` and one look in
// `compareSample` is compared with such a recovery: the shortcut may not know better than a restart
// would.
import { equalBytes } from "@quorate/base";
import { holdsEntry } from "../checkers/durable-before-ack.ts";
import { isQuorum, type Voters } from "../checkers/quorum.ts";
import { checkRecovery } from "../checkers/recovery-keeps.ts";
import { demand } from "../checkers/violation.ts";
import { UnsyncedFate } from "../disk/sim-file.ts";
import type { DurableBatch, DurableLog } from "../durable/durable-log.ts";
import { type DurableReading, readDurable, readerBehindAll } from "../durable/durable-reading.ts";
import type { LogReader } from "../durable/log-reader.ts";
import { type DurableImage, durableImage } from "../durable-image.ts";
import type { SimProcess } from "../sim-env.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import type { WatchedProcess } from "./watched-process.ts";

/** What is told of followed logs, in the order of the log. */
export interface LogListener {
  /** A process begins to follow what `log` holds. */
  began(watched: WatchedProcess, log: DurableLog): void;
  /** `log` holds the batch by now. */
  appended(watched: WatchedProcess, batch: DurableBatch, log: DurableLog): void;
}

/** The log of one process, from the start of Raft to its death. */
interface Followed {
  readonly watched: WatchedProcess;
  log: DurableLog;
  /** Damage was there when its process began. */
  readonly damaged: boolean;
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
const beginSample = 12;

export class DurableDisks {
  /** Looks that were compared with a recovery. */
  compared: number;
  readonly #random: SimRandom;
  readonly #compareSample: number;
  /** Members whose disks may be damaged. */
  readonly #mayRefuse: (member: string) => boolean;
  readonly #listener: LogListener;
  readonly #followed: Map<string, Followed>;
  /** Also of processes that are gone: the last that was seen of their logs. */
  readonly #bySession: Map<number, Followed>;
  readonly #byRaftId: Map<number, Followed>;
  /** Raft id → the logs that its disk held before it was wiped, put back, or set aside as an old copy. */
  readonly #lost: Map<number, DurableLog[]>;
  readonly #recoveries: Map<string, Recovery>;

  constructor(
    random: SimRandom,
    compareSample: number,
    mayRefuse: (member: string) => boolean,
    listener: LogListener,
  ) {
    this.compared = 0;
    this.#listener = listener;
    this.#bySession = new Map();
    this.#byRaftId = new Map();
    this.#lost = new Map();
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
    const { directory, walDirectory } = config;
    // What damage has taken before this start, the member does not hold, whatever the medium had.
    const before = this.#followed.get(name);
    const isSame = before !== undefined && before.watched === watched;
    const damaged = isSame
      ? before.damaged
      : disk.damage.alive(walDirectory ?? directory).length > 0;
    if (damaged) {
      const image = durableImage(disk, config, UnsyncedFate.Drop, 1, true);
      // Damage that has come since may make a start refuse: then the medium has to tell.
      if (image.refusal === null) {
        if (image.log.missing > 0) this.#addWhatWasRead(watched, image);
        return this.#followImage(watched, image, true);
      }
    }
    const read = readDurable(disk, config);
    if (read !== null && !this.#random.chance(1 / Math.min(beginSample, this.#compareSample))) {
      const { log, reader } = read;
      this.#begin({ watched, log, reader, mediumChanges, damaged });
      return read.genesis;
    }
    const image = this.#recover(watched.member);
    if (read !== null && image.refusal === null) checkReading(name, read, image);
    return this.#followImage(watched, image, damaged);
  }

  /** A disk that rots on may have lost by now what its member has just read from it. */
  #addWhatWasRead({ member, core }: WatchedProcess, { log }: DurableImage): void {
    const medium = this.#recover(member);
    if (medium.refusal !== null) return;
    log.wasRead(medium.log, (index) => core.log.tail.termAt(index));
  }

  #followImage(watched: WatchedProcess, image: DurableImage, damaged: boolean): Uint8Array | null {
    const { disk, config } = watched.member;
    const { mediumChanges } = disk;
    const { genesis, log, raftId } = image;
    const reader = readerBehindAll(disk, config, raftId);
    this.#begin({ watched, log, reader, mediumChanges, damaged });
    return genesis;
  }

  #begin(followed: Followed): void {
    const { watched, log } = followed;
    this.#checkKept(watched.member, log);
    this.#followed.set(watched.member.name, followed);
    this.#bySession.set(watched.session, followed);
    this.#byRaftId.set(watched.raftId, followed);
    this.#listener.began(watched, log);
  }

  /** Its process has died: what is durable now, the next start must find. */
  ended(incarnation: SimProcess): void {
    for (const followed of this.#followed.values()) {
      if (followed.watched.incarnation === incarnation) this.#catchUp(followed);
    }
  }

  #checkKept(member: SimMember, now: DurableLog): void {
    const before = this.#followed.get(member.name);
    // Where a snapshot's mark leads, only a recovery can tell.
    if (before === undefined || before.log.marked || isPresent(before)) return;
    checkRecovery(member.name, before.log, now);
  }

  /** Something may have become durable: nothing of it is passed over. */
  look(watched: WatchedProcess): void {
    const followed = this.#followed.get(watched.member.name);
    if (followed?.watched !== watched || !isPresent(followed)) return;
    if (watched.member.disk.mediumChanges !== followed.mediumChanges) this.#catchUp(followed);
  }

  log(member: SimMember): DurableLog {
    const followed = this.#followed.get(member.name);
    if (followed === undefined || !isPresent(followed)) return this.#recovered(member);
    if (member.disk.mediumChanges !== followed.mediumChanges) this.#catchUp(followed);
    if (followed.log.marked) return this.#recoverMarked(followed);
    if (followed.reader.lost) return this.#followAnew(followed);
    if (this.#random.chance(1 / this.#compareSample)) this.#compare(followed);
    return followed.log;
  }

  /** The disk behind a raft id has the entry, or had it before it was wiped or put back. */
  holds(raftId: number, index: number, term: number): boolean {
    const lost = this.#lost.get(raftId) ?? [];
    if (lost.some((log) => holdsEntry(log, index, term))) return true;
    if (this.seenToHold(raftId, index, term)) return true;
    const followed = this.#byRaftId.get(raftId);
    return followed !== undefined && holdsEntry(this.log(followed.watched.member), index, term);
  }

  /**
   * `holds` for the voters of a configuration. A quorum is mostly among those whose logs are followed;
   * the others cost a recovery each.
   */
  holders(conf: Voters, index: number, term: number): (raftId: number) => boolean {
    const seen = (raftId: number): boolean => this.seenToHold(raftId, index, term);
    return isQuorum(conf, seen) ? seen : (raftId) => this.holds(raftId, index, term);
  }

  /** As far as its log is followed: what was durable when a process died still is. */
  seenToHold(raftId: number, index: number, term: number): boolean {
    const followed = this.#byRaftId.get(raftId);
    if (followed === undefined) return false;
    if (isPresent(followed)) {
      this.look(followed.watched);
      // Where a snapshot's mark leads, and what was filled and dropped meanwhile, is not seen here.
      if (followed.log.marked || followed.reader.lost) return false;
    }
    return holdsEntry(followed.log, index, term);
  }

  /** The highest last index that was durable in this session; null: no such session. */
  lastIndexMax(session: number): number | null {
    const followed = this.#bySession.get(session);
    if (followed === undefined) return null;
    const before = followed.log.lastIndexMax;
    return isPresent(followed)
      ? Math.max(before, this.log(followed.watched.member).lastIndexMax)
      : before;
  }

  /** What the member's disk holds is about to go, under the raft id that is given back (or null). */
  forgets(member: SimMember): number | null {
    const followed = this.#followed.get(member.name);
    return followed === undefined ? null : this.#forget(followed, this.log(member));
  }

  /** As `forgets`; what is there is nobody's any more, whatever a recovery would say. */
  setAside(member: SimMember): number | null {
    const followed = this.#followed.get(member.name);
    if (followed === undefined) return null;
    if (isPresent(followed)) this.#catchUp(followed);
    return this.#forget(followed, followed.log);
  }

  #forget({ watched }: Followed, log: DurableLog): number {
    const { raftId, member } = watched;
    this.#lost.set(raftId, [...(this.#lost.get(raftId) ?? []), log]);
    this.#byRaftId.delete(raftId);
    this.#followed.delete(member.name);
    return raftId;
  }

  /** A look at it costs little. */
  isFollowed(member: SimMember): boolean {
    const followed = this.#followed.get(member.name);
    return followed !== undefined && isPresent(followed);
  }

  #catchUp(followed: Followed): void {
    const { log, reader, watched } = followed;
    followed.mediumChanges = watched.member.disk.mediumChanges;
    while (!log.marked) {
      const batch = reader.next();
      if (batch === null) return;
      log.append(batch);
      this.#listener.appended(watched, batch, log);
    }
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
    const image = isValid ? known.image : this.#recover(member);
    this.#recoveries.set(member.name, { mediumChanges, incarnation, alive, image });
    // A start that would refuse reads nothing, and yet what was seen there is on the medium.
    const followed = this.#followed.get(member.name);
    return image.refusal !== null && followed !== undefined ? followed.log : image.log;
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
      image.refusal === null || this.#mayRefuse(member.name),
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
