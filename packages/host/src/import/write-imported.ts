// Writes the data directories of a new cluster whose state comes from elsewhere: rows in order of their
// revisions, from a snapshot of etcd. As after a recovery each member is a voter under a raft id of its
// own, and its ids are the directory's, whatever flags say. The state stands in a checkpoint at index 1,
// behind one empty entry. Nothing here knows where the rows come from.
import { assert } from "@quorate/base";
import { StateImport } from "@quorate/kv";
import type { ImportNumbers, Row } from "@quorate/kv";
import { Entry, EntryKind, HardState } from "@quorate/raft";
import { GenesisState, openDirectory, openStorage, storageDefaults } from "@quorate/storage";
import type { DataDirectory, Env, Refusal, StorageApi, StorageOptions } from "@quorate/storage";
import { encodeGenesisRecord } from "../genesis/genesis-record.ts";
import { MembershipTable } from "../members/membership-table.ts";
import type { GenesisRecord } from "../peers/peers-api.ts";
import { levelMax } from "../raft-settings.ts";
import { SettingsTable } from "../settings.ts";

export interface ImportedMember {
  readonly memberId: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** It does not exist. */
  readonly directory: string;
  /** Null: in the directory. */
  readonly walDirectory: string | null;
}

export interface ImportRows {
  /** In order of revisions; null at the end; a line says why there are no more. */
  next(): Row | string | null;
}

export interface Import {
  readonly clusterId: string;
  readonly members: readonly ImportedMember[];
  readonly numbers: ImportNumbers;
  /** From the first one on; once for each member. */
  readonly rows: () => ImportRows;
}

const idLimit = 2 ** 52;
/** Of the one entry, and of the checkpoint behind it. */
const index = 1;
const term = 1;

export function writeImported(
  env: Env,
  from: Import,
  done: (refusal: Refusal | null) => void,
  options: StorageOptions = storageDefaults,
): void {
  new ImportWriter(env, from, options, done).start();
}

class ImportWriter {
  readonly #env: Env;
  readonly #import: Import;
  readonly #options: StorageOptions;
  readonly #done: (refusal: Refusal | null) => void;
  readonly #opened: DataDirectory[];

  constructor(
    env: Env,
    from: Import,
    options: StorageOptions,
    done: (refusal: Refusal | null) => void,
  ) {
    this.#env = env;
    this.#import = from;
    this.#options = options;
    this.#done = done;
    this.#opened = [];
  }

  /** All are opened first: the genesis names all raft ids. */
  start(): void {
    const { members, clusterId } = this.#import;
    const member = members[this.#opened.length];
    if (member === undefined) return this.#write();
    const { directory, walDirectory, memberId } = member;
    const ids = { clusterId, memberId, levelMax, recovered: true };
    openDirectory(this.#env, { directory, walDirectory, ...ids }, (outcome) => {
      if (!outcome.ok) return this.#done(outcome);
      this.#opened.push(outcome.directory);
      this.start();
    });
  }

  #write(): void {
    const genesis: GenesisRecord = {
      genesisId: 1 + this.#env.random.below(idLimit - 1),
      members: this.#import.members.map(({ memberId, name, peerUrls }, at) => ({
        memberId,
        name,
        peerUrls,
        raftId: this.#opened[at]!.raftId,
      })),
    };
    const next = (at: number): void => {
      const directory = this.#opened[at];
      if (directory === undefined) return this.#done(null);
      this.#writeOne(directory, genesis, () => next(at + 1));
    };
    next(0);
  }

  #writeOne(directory: DataDirectory, genesis: GenesisRecord, done: () => void): void {
    directory.writeGenesis(GenesisState.Started, encodeGenesisRecord(genesis), () => {
      openStorage(this.#env, directory, this.#options, (outcome) => {
        if (!outcome.ok) return this.#done(outcome);
        const { storage } = outcome;
        const hasNoRows = storage.scanStep(1, () => undefined);
        assert(hasNoRows, "a directory that was made just now");
        this.#append(storage, () => this.#fill(storage, genesis, () => storage.close(done)));
      });
    });
  }

  #append(storage: StorageApi, done: () => void): void {
    const entry = new Entry(term, index, EntryKind.Empty, levelMax, 0, noBytes);
    // Above the term of the entry: whoever leads first does so in a term of its own.
    const hardState = new HardState(term + 1, 0, index);
    const batch = { hardState, firstIndex: index, entries: [entry], peers: [], mustSync: true };
    storage.append(batch, done);
  }

  #fill(storage: StorageApi, genesis: GenesisRecord, done: () => void): void {
    const state = new StateImport(storage.rows, this.#import.numbers);
    const rows = this.#import.rows();
    const go = (): void => {
      for (let row = rows.next(); ; row = rows.next()) {
        if (row === null && !state.leasesComplete) return this.#refuse(unknownLeases);
        if (row === null) return this.#checkpoint(storage, state, genesis, done);
        if (typeof row === "string") return this.#refuse(row);
        if (!state.add(row)) {
          return this.#refuse(
            `revision ${row.main}.${row.sub}: no write can have made this row of what stands before it`,
          );
        }
        // What is in memory goes to the disk, and is not in force before the last one is.
        if (storage.unsavedRowBytes * 2 >= this.#options.unsavedRowBytesMax) {
          return storage.checkpoint({ index, term, tables: [], keepLogFrom: 0 }, go);
        }
      }
    };
    go();
  }

  #checkpoint(
    storage: StorageApi,
    state: StateImport,
    genesis: GenesisRecord,
    done: () => void,
  ): void {
    const membership = new MembershipTable();
    membership.found(genesis);
    const tables = state.tables(index, [membership, new SettingsTable(levelMax)]);
    storage.checkpoint({ index, term, tables, keepLogFrom: 0 }, done);
  }

  #refuse(reason: string): void {
    this.#done({ ok: false, exitCode: 72, reason });
  }
}

const noBytes = new Uint8Array(0);
const unknownLeases = "a key is bound to a lease that is not among the leases";
