// A locked data directory and its identity: writes of genesis and of the mark that storage exists,
// one after the other. Once open, a failed write ends the process (71).
import { assert, must } from "@quorate/base";
import type { Env } from "../env.ts";
import { Medium } from "../medium.ts";
import { mayRunRaft } from "../storage-api.ts";
import type { GenesisState, DataDirectory } from "../storage-api.ts";
import { encodeIdentity, identityName } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { Magic } from "./record-file.ts";
import { replaceCopies } from "./two-copies.ts";

/** Genesis takes a handful of steps; more waiting writes than this are a bug of the host. */
const writesWaitingMax = 64;

interface IdentityWrite {
  readonly edit: (identity: Identity) => Identity;
  readonly done: () => void;
}

export class OpenedDirectory implements DataDirectory {
  readonly directory: string;
  readonly walDirectory: string;
  readonly fresh: boolean;
  readonly #env: Env;
  readonly #medium: Medium;
  readonly #waiting: IdentityWrite[];
  #identity: Identity;
  #generation: number;
  #writing: boolean;

  constructor(
    env: Env,
    directory: string,
    walDirectory: string,
    fresh: boolean,
    identity: Identity,
    generation: number,
  ) {
    this.directory = directory;
    this.walDirectory = walDirectory;
    this.fresh = fresh;
    this.#env = env;
    this.#medium = new Medium(env);
    this.#waiting = [];
    this.#identity = identity;
    this.#generation = generation;
    this.#writing = false;
  }

  /** As durable on disk. */
  get identity(): Identity {
    return this.#identity;
  }

  get raftId(): number {
    return this.#identity.raftId;
  }

  get bootCount(): number {
    return this.#identity.bootCount;
  }

  get genesisState(): GenesisState {
    return this.#identity.genesisState;
  }

  get genesis(): Uint8Array {
    return this.#identity.genesis;
  }

  writeGenesis(state: GenesisState, genesis: Uint8Array, done: () => void): void {
    const content = genesis.slice();
    this.#write((identity) => {
      const before = identity.genesisState;
      assert(!mayRunRaft(before) || state === before, "a started genesis is never taken back");
      return identity.withGenesis(state, content);
    }, done);
  }

  /** From now on a directory without a manifest is damaged, not new. */
  markStorageMade(done: () => void): void {
    this.#write((identity) => identity.withStorageMade(), done);
  }

  markRegressed(done: () => void): void {
    this.#write((identity) => identity.withRegressed(), done);
  }

  markSuperseded(by: string, done: () => void): void {
    this.#write((identity) => identity.withSupersededBy(by), done);
  }

  markDiskFails(done: () => void): void {
    this.#write((identity) => identity.withDiskFails(), done);
  }

  #write(edit: (identity: Identity) => Identity, done: () => void): void {
    assert(this.#waiting.length < writesWaitingMax, "too many identity writes at once");
    this.#waiting.push({ edit, done });
    if (!this.#writing) this.#writeNext();
  }

  #writeNext(): void {
    if (this.#waiting.length === 0) return;
    const { edit, done } = must(this.#waiting.shift(), "a write is waiting");
    const identity = edit(this.#identity);
    const generation = this.#generation + 1;
    const record = encodeIdentity(identity, generation);
    this.#writing = true;
    this.#env.trace.mark("identity.write");
    const disk = this.#env.disk;
    replaceCopies(disk, this.directory, identityName, Magic.Identity, record, (error) => {
      if (error !== null) this.#medium.fail(error);
      this.#identity = identity;
      this.#generation = generation;
      this.#writing = false;
      done();
      if (!this.#writing) this.#writeNext();
    });
  }
}
