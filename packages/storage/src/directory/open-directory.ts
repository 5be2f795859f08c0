// Opens a member's data directory: refuse what is not ours before anything is touched, lock it, then
// count the boot durably. A refused directory is left exactly as it was: what this open has made on
// the way is taken back.
import { assert } from "@quorate/base";
import { DiskError, ExitCode } from "../env.ts";
import type { Env } from "../env.ts";
import { GenesisState } from "../storage-api.ts";
import type { DataDirectory, DirectoryOptions, Refusal } from "../storage-api.ts";
import { unusable } from "./access.ts";
import {
  decodeIdentity,
  directoryFormat,
  drawRaftId,
  encodeIdentity,
  Identity,
  identityName,
  idToBytes,
  refuseIdentity,
} from "./identity.ts";
import {
  ancestorsOf,
  foreignContent,
  lockName,
  missingAncestors,
  parentOf,
  trimmed,
} from "./layout.ts";
import { OpenedDirectory } from "./opened-directory.ts";
import { Magic } from "./record-file.ts";
import { SetAsideRecord } from "./set-aside-record.ts";
import { readSetAsideNow } from "./set-aside.ts";
import { copyPath, CopiesState, draftPath, readCopiesNow, replaceCopies } from "./two-copies.ts";

type Outcome = { readonly ok: true; readonly directory: DataDirectory } | Refusal;

interface Found {
  /** Null: it stands there under ids that never took part in anything. */
  readonly identity: Identity | null;
  readonly generation: number;
  readonly repair: string | null;
}

export function openDirectory(
  env: Env,
  options: DirectoryOptions,
  opened: (outcome: Outcome) => void,
): void {
  assert(idToBytes(options.clusterId).length === 8, "the cluster id has 16 hex digits");
  assert(idToBytes(options.memberId).length === 8, "the member id has 16 hex digits");
  new DirectoryOpening(env, options, opened).start();
}

class DirectoryOpening {
  readonly #env: Env;
  readonly #options: DirectoryOptions;
  readonly #opened: (outcome: Outcome) => void;
  readonly #directory: string;
  readonly #walDirectory: string;
  /** What this open has made, to be taken back, newest last, if it refuses after all. */
  readonly #made: string[];
  /** Directories with a new entry, outermost first: to be synced. */
  readonly #toSync: string[];
  #fresh: boolean;

  constructor(env: Env, options: DirectoryOptions, opened: (outcome: Outcome) => void) {
    this.#env = env;
    this.#directory = trimmed(options.directory);
    this.#walDirectory = trimmed(options.walDirectory ?? options.directory);
    this.#options = { ...options, directory: this.#directory };
    this.#opened = opened;
    this.#made = [];
    this.#toSync = [];
    this.#fresh = false;
  }

  start(): void {
    const before = this.#read();
    const refusal =
      ("ok" in before ? before : null) ?? this.#makeDirectories() ?? this.#lock(this.#directory);
    if (refusal !== null) return this.#refuse(refusal);
    if (this.#walDirectory !== this.#directory) {
      const walRefusal = this.#lock(this.#walDirectory);
      if (walRefusal !== null) return this.#refuse(walRefusal);
    }
    // Again, now that nobody else can write: another process may have made it meanwhile.
    const found = this.#read();
    if ("ok" in found) return this.#refuse(found);
    this.#count(found.found);
  }

  /** What stands there, or why it must not be used. Changes nothing. */
  #read(): { readonly found: Found | null } | Refusal {
    const disk = this.#env.disk;
    const denied = this.#denied() ?? this.#beingSetAside();
    if (denied !== null) return denied;
    const read = readCopiesNow(disk, this.#directory, identityName, Magic.Identity);
    if (read.state === CopiesState.Damaged) {
      return {
        ...refusal(
          ExitCode.Damaged,
          `${read.reason}: the identity of data directory ${this.#directory} is damaged; ` +
            "whose it was, and under which raft id, cannot be known any more",
        ),
        rejoins: { tables: [], peers: 0 },
      };
    }
    if (read.state === CopiesState.Missing) return this.#readUnnamed();
    const { record } = read;
    if (record.format > directoryFormat) {
      return refusal(
        ExitCode.Foreign,
        `data directory ${this.#directory} is of format ${record.format}, ` +
          `this binary knows formats up to ${directoryFormat}: start a newer one`,
      );
    }
    const identity = decodeIdentity(record.body);
    if (identity === null) {
      const path = copyPath(this.#directory, identityName, 1);
      return refusal(ExitCode.Damaged, `${path}: valid CRC, but not an identity of this format`);
    }
    const found = { identity, generation: record.generation, repair: read.repair };
    const refused = refuseIdentity(identity, this.#options);
    if (refused === null) return { found };
    // Removed, or lost, before it had joined, and added once more: nobody has a promise of it.
    const isNobody = this.#options.joins === true && neverTookPart(identity, this.#options);
    return isNobody ? { found: { ...found, identity: null } } : refused;
  }

  /** Files that this process may not open are somebody else's, not damaged. */
  #denied(): Refusal | null {
    for (const copy of [1, 2] as const) {
      const path = copyPath(this.#directory, identityName, copy);
      if (this.#env.disk.sizeNow(path) === null) continue;
      const file = this.#env.disk.openNow(path, false);
      if (!(file instanceof DiskError)) file.close();
      else if (isDenied(file)) return unusable(file);
    }
    return null;
  }

  /** `finishSettingAside` comes before: what is there now may be of either raft id. */
  #beingSetAside(): Refusal | null {
    const record = readSetAsideNow(this.#env.disk, this.#directory);
    if (!(record instanceof SetAsideRecord)) return record;
    const { quarantine } = record;
    return refusal(
      ExitCode.Damaged,
      `data directory ${this.#directory} is being set aside (${quarantine}): start its member once, ` +
        "which goes on with that",
    );
  }

  /** No identity: a new directory, unless it holds what only a member or somebody else leaves. */
  #readUnnamed(): { readonly found: null } | Refusal {
    for (const directory of new Set([this.#directory, this.#walDirectory])) {
      const refused = foreignContent(directory, this.#env.disk.listNow(directory) ?? []);
      if (refused !== null) return refused;
    }
    return { found: null };
  }

  #makeDirectories(): Refusal | null {
    const disk = this.#env.disk;
    for (const directory of new Set([this.#directory, this.#walDirectory])) {
      const missing = missingAncestors(disk, directory);
      if (missing.length === 0) continue;
      if (directory === this.#directory) this.#fresh = true;
      for (const path of missing) {
        const error = disk.makeDirectoryNow(path);
        if (error !== null) return unusable(error);
        this.#made.push(path);
        this.#toSync.push(parentOf(path));
      }
    }
    return null;
  }

  #lock(directory: string): Refusal | null {
    const path = `${directory}/${lockName}`;
    const existed = this.#env.disk.sizeNow(path) !== null;
    const error = this.#env.disk.lockNow(path);
    if (!existed && this.#env.disk.sizeNow(path) !== null) this.#made.push(path);
    if (error === null) return null;
    if (error.code !== "EBUSY") return unusable(error);
    return refusal(ExitCode.Foreign, `directory ${directory} is in use by another process`);
  }

  #count(found: Found | null): void {
    const { clusterId, memberId } = this.#options;
    if (found !== null && found.repair !== null) {
      this.#env.trace.warn("one copy of the identity is repaired", { problem: found.repair });
    }
    const raftId = drawRaftId(this.#env.random);
    const before = found?.identity ?? null;
    const identity =
      before === null
        ? new Identity(
            clusterId.toLowerCase(),
            memberId.toLowerCase(),
            raftId,
            1,
            0,
            GenesisState.None,
            new Uint8Array(0),
            false,
            false,
            "",
            this.#options.recovered ?? false,
          )
        : before.withBootCount(before.bootCount + 1);
    if (found === null) this.#fresh = true;
    const generation = found === null ? 1 : found.generation + 1;
    const record = encodeIdentity(identity, generation);
    this.#syncParents(found === null, () => {
      const disk = this.#env.disk;
      replaceCopies(disk, this.#directory, identityName, Magic.Identity, record, (error) => {
        if (error !== null) return this.#failed(error, found === null);
        this.#opened({
          ok: true,
          directory: new OpenedDirectory(
            this.#env,
            this.#directory,
            this.#walDirectory,
            this.#fresh,
            identity,
            generation,
          ),
        });
      });
    });
  }

  /**
   * What this open has made must have a durable name. So must what an earlier open made and did not
   * live to sync: without an identity there is no telling, so all ancestors are synced then. Those
   * may belong to others, and their refusal is no reason against this directory.
   */
  #syncParents(isNew: boolean, done: () => void): void {
    const own = new Set(this.#toSync);
    const all = new Set(this.#toSync);
    if (isNew) {
      for (const directory of [this.#directory, this.#walDirectory]) {
        for (const ancestor of ancestorsOf(directory)) all.add(ancestor);
      }
    }
    const queue = [...all];
    const next = (at: number): void => {
      const directory = queue[at];
      if (directory === undefined) return done();
      this.#env.disk.syncDirectory(directory, (error) => {
        const counts = error !== null && (own.has(directory) || error.code === "EIO");
        if (counts) this.#failed(error, true);
        else next(at + 1);
      });
    };
    next(0);
  }

  #failed(error: DiskError, isNew: boolean): void {
    for (const copy of [1, 2] as const) {
      const path = copyPath(this.#directory, identityName, copy);
      const mine = isNew ? [path, draftPath(path)] : [draftPath(path)];
      for (const leftover of mine) {
        if (this.#env.disk.sizeNow(leftover) !== null) this.#made.push(leftover);
      }
    }
    this.#refuse(
      isDenied(error)
        ? unusable(error)
        : refusal(ExitCode.WriteFailed, `${error.path}: ${error.operation} failed: ${error.code}`),
    );
  }

  #refuse(refused: Refusal): void {
    const path = this.#made.pop();
    if (path === undefined) {
      this.#env.schedule(() => this.#opened(refused));
      return;
    }
    // A failure here changes nothing about the refusal.
    this.#env.disk.remove(path, () => this.#refuse(refused));
  }
}

/** Opened to join the same cluster under another id, and not admitted: it has held and said nothing. */
function neverTookPart(identity: Identity, options: DirectoryOptions): boolean {
  const { clusterId, genesisState, storageMade, supersededBy, regressed, level } = identity;
  return (
    clusterId === options.clusterId.toLowerCase() &&
    genesisState === GenesisState.None &&
    !storageMade &&
    supersededBy === "" &&
    !regressed &&
    level <= options.levelMax
  );
}

function refusal(exitCode: ExitCode, reason: string): Refusal {
  return { ok: false, exitCode, reason };
}

function isDenied(error: DiskError): boolean {
  return ["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR"].includes(error.code);
}
