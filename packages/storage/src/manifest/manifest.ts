// The one writer of manifest generations (P9): changes queue, are merged, and each generation goes
// to copy one, synced, then to copy two, synced. Only then is it in force and are the changes done.
// Opening writes both copies anew, so that a bad, older or merely cached copy is gone before
// anything is deleted.
import { assert } from "@quorate/base";
import { encodeRecordFile, Magic, RecordFile } from "../directory/record-file.ts";
import { copyPath, CopiesState, readCopiesNow, replaceCopies } from "../directory/two-copies.ts";
import { manifestName } from "../directory/layout.ts";
import { ExitCode } from "../env.ts";
import type { Disk, DiskFile } from "../env.ts";
import type { Medium } from "../medium.ts";
import type { Refusal } from "../storage-api.ts";
import type { ManifestApi, ManifestState } from "./manifest-api.ts";
import { decodeManifest, encodeManifest, manifestFormat } from "./manifest-codec.ts";

/** WAL, checkpoint, reclaim and install each have one change waiting; more is a bug. */
const changesWaitingMax = 1024;

export interface ManifestOwner {
  readonly directory: string;
  readonly clusterId: string;
  readonly raftId: number;
}

interface ManifestChange {
  readonly edit: (state: ManifestState) => ManifestState;
  readonly done: () => void;
}

export const noFiles: ManifestState = {
  generation: 0,
  walSegments: [],
  rowSegments: [],
  checkpoint: null,
};

/** The newest valid copy; null: there is no manifest. Changes nothing. */
export function readManifestNow(
  disk: Disk,
  owner: ManifestOwner,
):
  | { readonly ok: true; readonly state: ManifestState; readonly repair: string | null }
  | Refusal
  | null {
  const read = readCopiesNow(disk, owner.directory, manifestName, Magic.Manifest);
  if (read.state === CopiesState.Missing) return null;
  const path = copyPath(owner.directory, manifestName, 1);
  if (read.state === CopiesState.Damaged) {
    const reason =
      `${read.reason}: no valid copy of the manifest is left; this member cannot know which files ` +
      "are in force, and so not what it has promised";
    return { ...damaged(reason), rejoins: { tables: [], peers: 0 } };
  }
  if (read.record.format > manifestFormat) {
    return foreign(`${path}: format ${read.record.format}, this binary knows ${manifestFormat}`);
  }
  const owned = decodeManifest(read.record.body, read.record.generation);
  if (owned === null) return damaged(`${path}: valid CRC, but not a manifest of this format`);
  if (owned.clusterId !== owner.clusterId || owned.raftId !== owner.raftId) {
    return foreign(
      `${path}: of cluster ${owned.clusterId} and raft id ${owned.raftId}, ` +
        `this directory is of cluster ${owner.clusterId} and raft id ${owner.raftId}`,
    );
  }
  return { ok: true, state: owned.state, repair: read.repair };
}

function damaged(reason: string): Refusal {
  return { ok: false, exitCode: ExitCode.Damaged, reason };
}

function foreign(reason: string): Refusal {
  return { ok: false, exitCode: ExitCode.Foreign, reason };
}

/** Writes `state` as the next generation to both copies and opens them for changes. */
export function openManifest(
  medium: Medium,
  owner: ManifestOwner,
  state: ManifestState,
  opened: (manifest: Manifest) => void,
): void {
  const next = { ...state, generation: state.generation + 1 };
  const disk = medium.env.disk;
  const record = recordOf(owner, next);
  replaceCopies(disk, owner.directory, manifestName, Magic.Manifest, record, (error) => {
    if (error !== null) medium.fail(error);
    opened(new Manifest(medium, owner, next));
  });
}

function recordOf(owner: ManifestOwner, state: ManifestState): RecordFile {
  const body = encodeManifest({ clusterId: owner.clusterId, raftId: owner.raftId, state });
  return new RecordFile(manifestFormat, state.generation, body);
}

export class Manifest implements ManifestApi {
  readonly #medium: Medium;
  readonly #owner: ManifestOwner;
  readonly #copyOne: DiskFile;
  readonly #copyTwo: DiskFile;
  /** In force: both copies are durable. */
  #state: ManifestState;
  #waiting: ManifestChange[];
  #writing: boolean;
  #closing: (() => void) | null;

  constructor(medium: Medium, owner: ManifestOwner, state: ManifestState) {
    this.#medium = medium;
    this.#owner = owner;
    this.#copyOne = medium.open(copyPath(owner.directory, manifestName, 1));
    this.#copyTwo = medium.open(copyPath(owner.directory, manifestName, 2));
    this.#state = state;
    this.#waiting = [];
    this.#writing = false;
    this.#closing = null;
  }

  get state(): ManifestState {
    return this.#state;
  }

  change(edit: (state: ManifestState) => ManifestState, done: () => void): void {
    assert(this.#waiting.length < changesWaitingMax, "too many manifest changes are waiting");
    assert(this.#closing === null, "the manifest is being closed");
    this.#waiting.push({ edit, done });
    if (!this.#writing) this.#write();
  }

  /** After what is waiting. */
  close(done: () => void): void {
    this.#closing = done;
    if (!this.#writing) this.#close(done);
  }

  #close(done: () => void): void {
    this.#copyOne.close();
    this.#copyTwo.close();
    done();
  }

  #write(): void {
    const changes = this.#waiting;
    this.#waiting = [];
    this.#writing = true;
    let next = this.#state;
    for (const { edit } of changes) next = edit(next);
    next = { ...next, generation: this.#state.generation + 1 };
    const bytes = encodeRecordFile(Magic.Manifest, recordOf(this.#owner, next));
    this.#writeCopy(this.#copyOne, bytes, () => {
      this.#medium.env.trace.mark("manifest.between-copies");
      this.#writeCopy(this.#copyTwo, bytes, () => this.#inForce(next, changes));
    });
  }

  #writeCopy(copy: DiskFile, bytes: Uint8Array, done: () => void): void {
    this.#medium.write(copy, 0, bytes, () => this.#medium.sync(copy, done));
  }

  #inForce(state: ManifestState, changes: readonly ManifestChange[]): void {
    this.#state = state;
    for (const { done } of changes) done();
    this.#writing = false;
    if (this.#waiting.length > 0) this.#write();
    else if (this.#closing !== null) this.#close(this.#closing);
  }
}
