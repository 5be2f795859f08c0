// Writes the data directories of the members that a recovery leaves: each a voter of a new cluster
// under a raft id of its own, all with the same state: the winner's checkpoint, its whole log, which is
// committed by that, and the entry that ends the recovery. Nothing that was there before is touched.
import { must } from "@quorate/base";
import { Entry, EntryKind, entryBytes, HardState } from "@quorate/raft";
import {
  GenesisState,
  openDirectory,
  openStorage,
  RebrandedCheckpoint,
  storageDefaults,
} from "@quorate/storage";
import type { DataDirectory, Env, Refusal, StorageApi } from "@quorate/storage";
import { withOtherTables } from "@quorate/kv";
import { encodeGenesisRecord } from "../genesis/genesis-record.ts";
import { HostEntryKind } from "../members/entry-kinds.ts";
import { urlsMax } from "../members/member-record.ts";
import { addressOfUrl } from "../members/peer-list.ts";
import { MembershipTable } from "../members/membership-table.ts";
import type { GenesisRecord } from "../peers/peers-api.ts";
import { levelMax } from "../raft-settings.ts";
import type { RecoveryPlan } from "./plan.ts";
import { encodeRecovered } from "./recovered-entry.ts";
import { isMemberChange, type Survivor } from "./survivor.ts";

export interface NewDirectory {
  readonly survivor: Survivor;
  readonly directory: string;
  /** Null: in the directory. */
  readonly walDirectory: string | null;
}

export interface Recovery {
  readonly plan: RecoveryPlan;
  readonly planId: string;
  readonly clusterId: string;
  readonly revisions: number;
  /** One for each survivor; none of them exists. */
  readonly directories: readonly NewDirectory[];
}

/** A batch of the log holds about so much. */
const batchBytes = 1_048_576;
const idLimit = 2 ** 52;

export function writeMembers(
  env: Env,
  recovery: Recovery,
  done: (refusal: Refusal | null) => void,
): void {
  new MemberWriter(env, recovery, done).start();
}

interface Opened {
  readonly target: NewDirectory;
  readonly directory: DataDirectory;
}

class MemberWriter {
  readonly #env: Env;
  readonly #recovery: Recovery;
  readonly #done: (refusal: Refusal | null) => void;
  readonly #opened: Opened[];
  /** The log of all of them: equal to the byte. */
  readonly #log: readonly Entry[];

  constructor(env: Env, recovery: Recovery, done: (refusal: Refusal | null) => void) {
    this.#env = env;
    this.#recovery = recovery;
    this.#done = done;
    this.#opened = [];
    this.#log = this.#entries();
  }

  /** All are opened first: the genesis names all raft ids. */
  start(): void {
    const { directories, clusterId } = this.#recovery;
    const target = directories[this.#opened.length];
    if (target === undefined) return this.#write();
    const { directory, walDirectory, survivor } = target;
    const options = {
      directory,
      walDirectory,
      clusterId,
      memberId: survivor.memberId,
      levelMax,
      recovered: true,
    };
    openDirectory(this.#env, options, (outcome) => {
      if (!outcome.ok) return this.#done(outcome);
      this.#opened.push({ target, directory: outcome.directory });
      this.start();
    });
  }

  #write(): void {
    const genesis: GenesisRecord = {
      genesisId: 1 + this.#env.random.below(idLimit - 1),
      members: this.#opened.map(({ target, directory }) => {
        const { memberId } = target.survivor;
        // As the winner knows it: a survivor that lags may not know that it was added itself.
        const { membership } = this.#recovery.plan.winner;
        const record = must(membership.byMemberId(memberId), "a survivor is a member");
        const { name, peerUrls } = record;
        return { memberId, name, raftId: directory.raftId, peerUrls };
      }),
    };
    const checkpoint = this.#checkpoint(genesis);
    const next = (at: number): void => {
      const opened = this.#opened[at];
      if (opened === undefined) return this.#done(null);
      this.#writeOne(opened, genesis, checkpoint, () => next(at + 1));
    };
    next(0);
  }

  /** The winner's, with the new members in its tables; null: its log reaches back to the beginning. */
  #checkpoint(genesis: GenesisRecord): RebrandedCheckpoint | null {
    const { plan, clusterId } = this.#recovery;
    const { checkpoint, inspected, settings } = plan.winner;
    if (checkpoint === null) return null;
    const membership = new MembershipTable();
    membership.found(genesis);
    const tables = must(
      withOtherTables(checkpoint.tables, [membership, settings]),
      "a checked checkpoint has a state",
    );
    const id = 1 + this.#env.random.below(idLimit - 1);
    return new RebrandedCheckpoint(inspected, clusterId, { ...checkpoint, id, tables });
  }

  #writeOne(
    { directory }: Opened,
    genesis: GenesisRecord,
    checkpoint: RebrandedCheckpoint | null,
    done: () => void,
  ): void {
    directory.writeGenesis(GenesisState.Started, encodeGenesisRecord(genesis), () => {
      openStorage(this.#env, directory, storageDefaults, (outcome) => {
        if (!outcome.ok) return this.#done(outcome);
        const { storage } = outcome;
        const append = (): void => this.#append(storage, () => storage.close(done));
        if (checkpoint === null) append();
        else this.#install(storage, checkpoint, append);
      });
    });
  }

  #install(storage: StorageApi, checkpoint: RebrandedCheckpoint, done: () => void): void {
    const { info, files } = checkpoint;
    const sink = storage.stage(files, info.id);
    const write = (file: number): void => {
      if (file < files.length) {
        return sink.write(file, 0, checkpoint.read(file), () => write(file + 1));
      }
      sink.finish((ok) => {
        if (!ok) {
          const reason = `${this.#recovery.plan.winner.inspected.directory}: its checkpoint has changed`;
          return this.#done({ ok: false, exitCode: 72, reason });
        }
        storage.install(sink, this.#hardState(info.index), false, done);
      });
    };
    write(0);
  }

  #hardState(commit: number): HardState {
    // Above the term of the last entry: whoever leads first does so in a term of its own.
    return new HardState(this.#recovery.plan.term + 1, 0, commit);
  }

  #append(storage: StorageApi, done: () => void): void {
    const entries = this.#log;
    const next = (from: number): void => {
      let to = from;
      for (let bytes = 0; to < entries.length && bytes < batchBytes; to++) {
        bytes += entryBytes(entries[to]!);
      }
      const piece = entries.slice(from, to);
      const commit = piece.at(-1)!.index;
      const batch = {
        hardState: this.#hardState(commit),
        firstIndex: piece[0]!.index,
        entries: piece,
        peers: [],
        mustSync: true,
      };
      storage.append(batch, to < entries.length ? () => next(to) : done);
    };
    next(0);
  }

  /** Changes of the members are void: whoever is left now stands in the genesis. */
  #entries(): readonly Entry[] {
    const { plan, planId, revisions } = this.#recovery;
    const { entries, lastIndex, settings, clusterId, genesisId } = plan.winner;
    const kept = entries.map((entry) =>
      isMemberChange(entry.kind)
        ? new Entry(entry.term, entry.index, EntryKind.Empty, entry.level, entry.wallMs, noBytes)
        : entry,
    );
    const last = kept.at(-1);
    const payload = encodeRecovered({
      old: {
        clusterId,
        genesisId,
        planId,
        atMs: Math.max(0, Math.floor(this.#env.clock.wallMs())),
        addresses: plan.dead
          .flatMap(({ peerUrls }) => peerUrls.map(addressOfUrl))
          .slice(0, urlsMax),
      },
      revisions,
      lossAccepted: plan.mayLose,
    });
    const end = new Entry(
      plan.term,
      lastIndex + 1,
      HostEntryKind.Recovered,
      last?.level ?? settings.level,
      Math.max(last?.wallMs ?? 0, settings.wallMs),
      payload,
    );
    return [...kept, end];
  }
}

const noBytes = new Uint8Array(0);
