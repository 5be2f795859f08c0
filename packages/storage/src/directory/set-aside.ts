// A directory that cannot know what it has promised is set aside (reliability.md §3.6, P3): all files
// of the member move into a folder inside it (a data directory may be a mount point), and it belongs to
// the same member under a new raft id, which rejoins. Two steps. `setAside` makes the decision durable
// and moves nothing: from then on the old raft id never speaks again. `finishSettingAside`, before the
// directory is opened, moves the files; it may be interrupted anywhere and goes on where it ended.
// Nothing is deleted, nothing is overwritten.
import { must } from "@quorate/base";
import { DiskError, ExitCode } from "../env.ts";
import type { Disk, Env } from "../env.ts";
import { GenesisState, mayRunRaft } from "../storage-api.ts";
import type { Refusal, SetAsideOptions } from "../storage-api.ts";
import { isRefused, unusable } from "./access.ts";
import { decodeIdentity, drawRaftId, encodeIdentity, Identity, identityName } from "./identity.ts";
import { isMemberFile, lockName, trimmed } from "./layout.ts";
import { isQuarantine, quarantineName, whyNotAgain } from "./quarantine.ts";
import { Magic } from "./record-file.ts";
import {
  decodeSetAside,
  encodeSetAside,
  setAsideFormat,
  setAsideName,
  SetAsideRecord,
} from "./set-aside-record.ts";
import { CopiesState, copyPath, draftPath, readCopiesNow, replaceCopies } from "./two-copies.ts";

type Done = (refusal: Refusal | null) => void;

/** Data directory and log directory, each once. */
function placesOf({ directory, walDirectory }: SetAsideOptions): string[] {
  return [...new Set([trimmed(directory), trimmed(walDirectory ?? directory)])];
}

/**
 * The word is durable when `done` is called without a refusal; the process has to begin anew then.
 * Refused when it has been set aside too often lately: nothing was changed.
 */
export function setAside(
  env: Env,
  options: SetAsideOptions & { readonly reason: string },
  done: Done,
): void {
  const places = placesOf(options);
  const directory = places[0]!;
  const refused = lockAll(env.disk, places) ?? tooOften(env, directory);
  if (refused !== null) return env.schedule(() => done(refused));
  const old = identityNow(env.disk, directory);
  const names = places.flatMap((place) => env.disk.listNow(place) ?? []);
  const record = new SetAsideRecord(
    quarantineName(env.clock.wallMs(), names),
    env.clock.wallMs(),
    options.reason,
    old?.raftId ?? 0,
    old === null ? null : successorOf(old, drawRaftId(env.random)),
  );
  env.trace.mark("aside.write");
  replaceCopies(
    env.disk,
    directory,
    setAsideName,
    Magic.SetAside,
    encodeSetAside(record),
    (error) => {
      if (error !== null) return done(failed(error));
      env.trace.mark("aside.written");
      done(null);
    },
  );
}

/** Goes on with a directory that was being set aside; nothing to do with any other one. */
export function finishSettingAside(env: Env, options: SetAsideOptions, done: Done): void {
  const places = placesOf(options);
  const directory = places[0]!;
  const read = readSetAsideNow(env.disk, directory);
  if (read === null) return done(null);
  const record = read instanceof SetAsideRecord ? read : null;
  const refused = record === null ? (read as Refusal) : lockAll(env.disk, places);
  if (refused !== null) return env.schedule(() => done(refused));
  new Moving(env, places, must(record, "what is not refused is a record"), done).run();
}

/** Null: it is not being set aside. */
export function readSetAsideNow(disk: Disk, path: string): SetAsideRecord | Refusal | null {
  const directory = trimmed(path);
  for (const copy of [1, 2] as const) {
    const name = copyPath(directory, setAsideName, copy);
    const file = disk.sizeNow(name) === null ? null : disk.openNow(name, false);
    if (file instanceof DiskError && isRefused(file)) return unusable(file);
    if (file !== null && !(file instanceof DiskError)) file.close();
  }
  const read = readCopiesNow(disk, directory, setAsideName, Magic.SetAside);
  if (read.state === CopiesState.Missing) return null;
  if (read.state === CopiesState.Good && read.record.format === setAsideFormat) {
    const record = decodeSetAside(read.record.body);
    if (record !== null) return record;
  }
  const what = read.state === CopiesState.Damaged ? `${read.reason}: ` : "";
  return {
    ok: false,
    exitCode: ExitCode.Damaged,
    reason:
      `${what}${directory} was being set aside, and ${setAsideName}-1 and -2, which say how, cannot ` +
      "be read: move the directory away and let this member rejoin with an empty one",
  };
}

class Moving {
  readonly #env: Env;
  readonly #places: readonly string[];
  readonly #record: SetAsideRecord;
  readonly #done: Done;

  constructor(env: Env, places: readonly string[], record: SetAsideRecord, done: Done) {
    this.#env = env;
    this.#places = places;
    this.#record = record;
    this.#done = done;
  }

  run(): void {
    const { successor, quarantine, reason, oldRaftId } = this.#record;
    this.#env.trace.warn("the files of this member are set aside", {
      quarantine: `${this.#directory}/${quarantine}`,
      oldRaftId,
      raftId: successor?.raftId ?? 0,
      reason,
    });
    // The new identity is written after everything has moved.
    if (successor !== null && this.#presentRaftId() === successor.raftId) return this.#forget();
    this.#moveFrom(0);
  }

  get #directory(): string {
    return this.#places[0]!;
  }

  #presentRaftId(): number {
    return identityNow(this.#env.disk, this.#directory)?.raftId ?? 0;
  }

  #moveFrom(at: number): void {
    const place = this.#places[at];
    if (place === undefined) return this.#succeed();
    const { disk } = this.#env;
    const target = `${place}/${this.#record.quarantine}`;
    const names = (disk.listNow(place) ?? []).filter(isMemberFile);
    const error = disk.makeDirectoryNow(target);
    if (error !== null) return this.#fail(error);
    // The folder has a durable name before anything is in it, and everything in it has one before the
    // next place: a name is lost nowhere.
    this.#syncDirectory(place, () =>
      this.#moveAll(place, target, names, () =>
        this.#syncDirectory(target, () => this.#syncDirectory(place, () => this.#moveFrom(at + 1))),
      ),
    );
  }

  #moveAll(place: string, target: string, names: readonly string[], done: () => void): void {
    const name = names[0];
    if (name === undefined) return done();
    this.#env.trace.mark("aside.move");
    const { disk } = this.#env;
    const [from, to] = [`${place}/${name}`, `${target}/${name}`];
    const next = (error: DiskError | null): void => {
      if (error !== null) this.#fail(error);
      else this.#moveAll(place, target, names.slice(1), done);
    };
    const moved = disk.sizeNow(to);
    if (moved === null) return disk.rename(from, to, next);
    // A crash in a rename may leave both names, of one file.
    if (moved === disk.sizeNow(from)) return disk.remove(from, next);
    this.#done({
      ok: false,
      exitCode: ExitCode.Damaged,
      reason: `${from} is not set aside, because ${to} is there already and is another file`,
    });
  }

  /** Its content is all set aside: the directory belongs to the new raft id. */
  #succeed(): void {
    this.#env.trace.mark("aside.moved");
    const { successor } = this.#record;
    if (successor === null) return this.#forget();
    const record = encodeIdentity(successor, 1);
    const { disk } = this.#env;
    replaceCopies(disk, this.#directory, identityName, Magic.Identity, record, (error) => {
      if (error !== null) this.#fail(error);
      else this.#forget();
    });
  }

  /** The word has served. A copy of it that is left makes the next start do this again, no more. */
  #forget(): void {
    this.#env.trace.mark("aside.succeeded");
    const copies = [1, 2].map((copy) => copyPath(this.#directory, setAsideName, copy as 1 | 2));
    const paths = copies.flatMap((path) => [draftPath(path), path]);
    this.#removeAll(
      paths.filter((path) => this.#env.disk.sizeNow(path) !== null),
      () =>
        this.#syncDirectory(this.#directory, () => {
          this.#env.trace.mark("aside.done");
          this.#done(null);
        }),
    );
  }

  #removeAll(paths: readonly string[], done: () => void): void {
    const path = paths[0];
    if (path === undefined) return done();
    this.#env.disk.remove(path, (error) => {
      if (error !== null) this.#fail(error);
      else this.#removeAll(paths.slice(1), done);
    });
  }

  #syncDirectory(directory: string, done: () => void): void {
    this.#env.disk.syncDirectory(directory, (error) => {
      if (error !== null) this.#fail(error);
      else done();
    });
  }

  #fail(error: DiskError): void {
    this.#done(failed(error));
  }
}

/** The same member, that has promised nothing yet; what it was told of the cluster stays true. */
function successorOf(old: Identity, raftId: number): Identity {
  const { clusterId, memberId, level, genesis } = old;
  const rejoins = mayRunRaft(old.genesisState);
  const state = old.genesisState === GenesisState.Joined ? GenesisState.Joined : GenesisState.Wiped;
  return new Identity(
    clusterId,
    memberId,
    raftId,
    0,
    level,
    rejoins ? state : GenesisState.None,
    rejoins ? genesis : new Uint8Array(0),
    false,
    false,
    "",
    old.recovered,
  );
}

function identityNow(disk: Disk, directory: string): Identity | null {
  const read = readCopiesNow(disk, directory, identityName, Magic.Identity);
  return read.state === CopiesState.Good ? decodeIdentity(read.record.body) : null;
}

function lockAll(disk: Disk, places: readonly string[]): Refusal | null {
  for (const place of places) {
    const error = disk.lockNow(`${place}/${lockName}`);
    if (error === null) continue;
    if (error.code !== "EBUSY") return unusable(error);
    const reason = `directory ${place} is in use by another process`;
    return { ok: false, exitCode: ExitCode.Foreign, reason };
  }
  return null;
}

function tooOften(env: Env, directory: string): Refusal | null {
  const names = env.disk.listNow(directory) ?? [];
  const why = whyNotAgain(names, env.clock.wallMs());
  if (why === null) return null;
  const kept = names.filter(isQuarantine).join(", ");
  return {
    ok: false,
    exitCode: ExitCode.Damaged,
    reason:
      `${directory} is not set aside again, because ${why} (${kept}): look after the disk, or give the ` +
      "member another one; once it is sound, remove these folders and start the member again",
  };
}

function failed(error: DiskError): Refusal {
  const { path, operation, code } = error;
  return {
    ok: false,
    exitCode: ExitCode.WriteFailed,
    reason: `${path}: ${operation} failed: ${code}`,
  };
}
