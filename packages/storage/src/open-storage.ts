// From an open directory to a running storage, in P8's and P9's order: manifest, checkpoint, then
// the log. Everything is read and judged before the first byte is written; files that no manifest
// names go last, once both copies are durable.
import { assert } from "@quorate/base";
import { CheckpointInForce } from "./checkpoint/checkpointer.ts";
import { readCheckpointNow, readTablesNow } from "./checkpoint/read-checkpoint.ts";
import type { TablesFile } from "./checkpoint/tables-file.ts";
import { checkAccessNow } from "./directory/access.ts";
import { isCheckpointFile, isDirectoryFile, isWalFile } from "./directory/layout.ts";
import { OpenedDirectory } from "./directory/opened-directory.ts";
import { isQuarantine } from "./directory/quarantine.ts";
import { ExitCode } from "./env.ts";
import type { Env } from "./env.ts";
import { noFiles, openManifest, readManifestNow } from "./manifest/manifest.ts";
import type { Manifest, ManifestOwner } from "./manifest/manifest.ts";
import type { ManifestState } from "./manifest/manifest-api.ts";
import { Medium, padBytes } from "./medium.ts";
import { RowLog } from "./rows/row-log.ts";
import { SegmentFiles } from "./rows/segment-files.ts";
import { readStagingNow, type WholeFile } from "./snapshot/staging.ts";
import { Storage } from "./storage.ts";
import type { NodeId } from "@quorate/raft";
import type {
  DataDirectory,
  LostState,
  OpenStorage,
  PeerRecord,
  Recovered,
  Refusal,
  StorageOptions,
} from "./storage-api.ts";
import { recoverWal } from "./wal/recover-wal.ts";
import type { RecoveredLog, WalApi } from "./wal/wal-api.ts";

type Opened = Parameters<OpenStorage>[3];

/** What a storage is made of. */
interface Parts {
  readonly manifest: Manifest;
  readonly tables: TablesFile | null;
  readonly lost: LostState | null;
  readonly staged: readonly WholeFile[];
  readonly wal: WalApi;
}

export function openStorage(
  env: Env,
  directory: DataDirectory,
  options: StorageOptions,
  opened: Opened,
): void {
  assert(directory instanceof OpenedDirectory, "storage is opened on an opened directory");
  assert(options.rowSegmentBytes >= padBytes, "a row segment holds at least one block");
  assert(options.unsavedRowBytesMax > 0, "some rows may be unsaved");
  new StorageOpening(env, directory, options, opened).start();
}

class StorageOpening {
  readonly #env: Env;
  readonly #medium: Medium;
  readonly #directory: OpenedDirectory;
  readonly #options: StorageOptions;
  readonly #opened: Opened;
  readonly #owner: ManifestOwner;

  constructor(env: Env, directory: OpenedDirectory, options: StorageOptions, opened: Opened) {
    this.#env = env;
    this.#medium = new Medium(env);
    this.#directory = directory;
    this.#options = options;
    this.#opened = opened;
    this.#owner = {
      directory: directory.directory,
      clusterId: directory.identity.clusterId,
      raftId: directory.raftId,
    };
  }

  start(): void {
    const refused = checkAccessNow(this.#env.disk, this.#owner.directory);
    if (refused !== null) return this.#refuse(refused);
    const read = readManifestNow(this.#env.disk, this.#owner);
    if (read === null) return this.#begin();
    if (!read.ok) return this.#refuse(read);
    if (read.repair !== null) {
      this.#env.trace.warn("one copy of the manifest is repaired", { problem: read.repair });
      this.#env.trace.mark("manifest.recover.row13");
    }
    const checkpoint = readCheckpointNow(this.#env.disk, this.#owner, read.state);
    if (checkpoint.ok) return this.#open(read.state, checkpoint.value, null);
    this.#env.trace.mark("rows.recover.row14");
    if (checkpoint.exitCode !== ExitCode.Damaged) return this.#refuse(checkpoint);
    this.#open(read.state, null, this.#lost(read.state, checkpoint.reason));
  }

  /** What was promised stands in the log, and is looked at all the same (§3.3 row 14). */
  #lost(state: ManifestState, reason: string): LostState {
    const tables = readTablesNow(this.#env.disk, this.#owner, state);
    const { index, term } = state.checkpoint ?? { index: 0, term: 0 };
    return { index, term, checkpoint: tables.ok ? (tables.value?.info ?? null) : null, reason };
  }

  /** No manifest: the first start, unless there was one before. */
  #begin(): void {
    if (this.#directory.identity.storageMade) {
      return this.#refuse({
        ok: false,
        exitCode: ExitCode.Damaged,
        reason:
          `${this.#owner.directory}: both copies of the manifest are missing, although this member ` +
          "has run before: it cannot know what it has promised",
        rejoins: { tables: [], peers: 0 },
      });
    }
    this.#open(noFiles, null, null);
  }

  #open(state: ManifestState, tables: TablesFile | null, lost: LostState | null): void {
    openManifest(this.#medium, this.#owner, state, (manifest) => {
      const recover = (): void => this.#recover(manifest, tables, lost);
      if (this.#directory.identity.storageMade) return recover();
      this.#directory.markStorageMade(recover);
    });
  }

  #recover(manifest: Manifest, tables: TablesFile | null, lost: LostState | null): void {
    const { clusterId, raftId } = this.#owner;
    const recovery = {
      directory: this.#directory.walDirectory,
      clusterId,
      raftId,
      bootCount: this.#directory.bootCount,
      manifest,
      checkpoint: manifest.state.checkpoint,
      stateLost: lost !== null,
      options: {
        segmentBytes: this.#options.walSegmentBytes,
        sealIdleMs: this.#options.sealIdleMs,
      },
    };
    recoverWal(this.#env, recovery, (outcome) => {
      if (!outcome.ok) return manifest.close(() => this.#refuse(knowing(outcome, tables)));
      const { wal, recovered } = outcome;
      const staged = this.#staged(manifest.state);
      this.#clean(manifest.state, staged, () =>
        this.#run({ manifest, tables, lost, staged, wal }, recovered),
      );
    });
  }

  #run({ manifest, tables, lost, staged, wal }: Parts, log: RecoveredLog): void {
    const peers = newestPeers(tables?.peers ?? [], log.peers);
    const checkpoint = tables?.info ?? null;
    const lastIndex = log.startIndex + log.entries.length;
    const storage = new Storage({
      medium: this.#medium,
      directory: this.#owner.directory,
      clusterId: this.#owner.clusterId,
      raftId: this.#owner.raftId,
      manifest,
      rows: this.#rowLog(),
      wal,
      staged,
      options: this.#options,
      inForce:
        tables === null
          ? null
          : new CheckpointInForce(tables.info, tables.sharedBytes, tables.sharedCrc),
      damage: lost?.reason ?? null,
      peers,
      durableIndex: Math.max(lastIndex, checkpoint?.index ?? lost?.index ?? 0),
    });
    const recovered: Recovered = {
      hardState: log.hardState,
      checkpoint,
      lost,
      entries: log.entries,
      logStartIndex: log.startIndex,
      logStartTerm: log.startTerm,
      promised: log.promised,
      behind: log.behind,
      names: log.names,
      peers,
    };
    this.#opened({ ok: true, storage, recovered });
  }

  #rowLog(): RowLog {
    const files = new SegmentFiles(this.#medium, this.#owner.directory);
    return new RowLog(files, this.#env.random.fork("storage.rows"), {
      clusterId: this.#owner.clusterId,
      raftId: this.#owner.raftId,
      segmentBytes: this.#options.rowSegmentBytes,
      cacheBytesMax: this.#options.rowCacheBytesMax,
    });
  }

  /** Removes what an interrupted checkpoint, rewrite or snapshot left; leaves strangers alone. */
  #clean(state: ManifestState, staged: readonly WholeFile[], done: () => void): void {
    const named = namesIn(state);
    for (const { name } of staged) named.add(name);
    const leftovers: string[] = [];
    for (const name of this.#env.disk.listNow(this.#owner.directory) ?? []) {
      const path = `${this.#owner.directory}/${name}`;
      if (named.has(name) || isDirectoryFile(name) || isWalFile(name)) continue;
      if (path === this.#directory.walDirectory || isQuarantine(name)) continue;
      if (isCheckpointFile(name)) leftovers.push(name);
      else this.#env.trace.warn("a file in the data directory is not known", { name });
    }
    this.#remove(leftovers, done);
  }

  /** Of a snapshot that was on its way in when the process before this one ended. */
  #staged(state: ManifestState): readonly WholeFile[] {
    const named = namesIn(state);
    const found = readStagingNow(this.#env.disk, this.#owner.directory);
    return found.filter(({ name }) => !named.has(name));
  }

  #remove(names: readonly string[], done: () => void): void {
    const name = names[0];
    if (name === undefined) return done();
    this.#env.trace.info("a file that no manifest names is removed", { name });
    const path = `${this.#owner.directory}/${name}`;
    this.#medium.remove(path, () => this.#remove(names.slice(1), done));
  }

  #refuse(refusal: Refusal): void {
    this.#env.schedule(() => this.#opened(refusal));
  }
}

function namesIn({ rowSegments, checkpoint }: ManifestState): Set<string> {
  const names = new Set(rowSegments.map(({ name }) => name));
  if (checkpoint !== null) names.add(checkpoint.tablesName);
  return names;
}

/** The log is refused; what the checkpoint says of the others is still known. */
function knowing(refusal: Refusal, tables: TablesFile | null): Refusal {
  const { rejoins } = refusal;
  if (rejoins === undefined || rejoins === null || tables === null) return refusal;
  const peers = Math.max(rejoins.peers, tables.peers.length);
  return { ...refusal, rejoins: { tables: tables.info.tables, peers } };
}

/** Of each raft id the record with the highest boot count; the log's wins a tie. */
function newestPeers(
  checkpointed: readonly PeerRecord[],
  logged: readonly PeerRecord[],
): PeerRecord[] {
  const newest = new Map<NodeId, PeerRecord>();
  for (const peer of [...checkpointed, ...logged]) {
    const known = newest.get(peer.raftId);
    if (known === undefined || peer.bootCount >= known.bootCount) newest.set(peer.raftId, peer);
  }
  return [...newest.values()];
}
