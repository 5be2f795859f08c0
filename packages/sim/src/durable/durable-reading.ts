// What a recovery would find on a disk after a power loss now, read from the medium without one: who
// the directory belongs to, which files the manifest names, and the log batch by batch, replayed by
// the rules of recovery. It judges no damage and is many times cheaper; where anything is out of the
// ordinary it says nothing, and a real recovery of a copy has to tell (durable-image.ts).
import { fromHex, must } from "@quorate/base";
import type { HostConfig } from "@quorate/host";
import { mayRunRaft } from "@quorate/storage";
import {
  CopiesState,
  decodeIdentity,
  type Identity,
  identityName,
  LogReplay,
  Magic,
  type ManifestState,
  readCopiesNow,
  readManifestNow,
} from "@quorate/storage/internal";
import { DiskView } from "../disk/disk-view.ts";
import { UnsyncedFate } from "../disk/sim-file.ts";
import type { SimDisk } from "../sim-disk.ts";
import type { SimUser } from "../sim-user.ts";
import { World } from "../world.ts";
import { DurableLog } from "./durable-log.ts";
import { LogReader } from "./log-reader.ts";

export interface DurableReading {
  readonly raftId: number;
  readonly genesis: Uint8Array;
  readonly log: DurableLog;
  /** Stands behind all that was read. */
  readonly reader: LogReader;
}

/** Under which raft id the directory would be opened now, by what processes see of it; 0: not known. */
export function raftIdOn(disk: SimDisk, config: HostConfig): number {
  const view = new DiskView(disk, onlooker);
  const read = readCopiesNow(view, config.directory, identityName, Magic.Identity);
  const identity = read.state === CopiesState.Good ? decodeIdentity(read.record.body) : null;
  return identity?.raftId ?? 0;
}

/** Null: only a recovery can tell. */
export function readDurable(disk: SimDisk, config: HostConfig): DurableReading | null {
  const named = readNames(disk, config);
  if (named === null) return null;
  const { identity, manifest } = named;
  const first = manifest.walSegments[0];
  if (first === undefined) return null;
  const { raftId, genesis } = identity;
  const reader = LogReader.from(disk, directoryOf(config), identityOf(config, raftId), first.id);
  const replay = new LogReplay();
  for (let batch = reader.next(); batch !== null; batch = reader.next()) {
    replay.apply(batch.header, batch.payload);
  }
  const replayed = replay.finish(manifest.checkpoint);
  if (!replayed.ok || replayed.restarted || replayed.voidMarks.length > 0) return null;
  const log = new DurableLog({
    hardState: replayed.hardState,
    checkpointIndex: manifest.checkpoint?.index ?? 0,
    startIndex: replayed.startIndex,
    startTerm: replayed.startTerm,
    entries: replayed.entries,
  });
  return { raftId, genesis, log, reader };
}

/** The log as it is, to be followed from its end on. */
export function readerBehindAll(disk: SimDisk, config: HostConfig, raftId: number): LogReader {
  return LogReader.behindAll(disk, directoryOf(config), identityOf(config, raftId));
}

/** Of a started member whose two small files are in order. */
function readNames(
  disk: SimDisk,
  config: HostConfig,
): { readonly identity: Identity; readonly manifest: ManifestState } | null {
  const world = new World(1);
  const copy = disk.fork(world, world.random("disk"), UnsyncedFate.Drop);
  const view = new DiskView(copy, onlooker);
  const { directory } = config;
  const read = readCopiesNow(view, directory, identityName, Magic.Identity);
  if (read.state !== CopiesState.Good) return null;
  const identity = decodeIdentity(read.record.body);
  if (identity === null || identity.regressed) return null;
  if (!mayRunRaft(identity.genesisState)) return null;
  const owner = { directory, clusterId: config.clusterId, raftId: identity.raftId };
  const manifest = readManifestNow(view, owner);
  return manifest?.ok === true ? { identity, manifest: manifest.state } : null;
}

const onlooker: SimUser = {
  name: "onlooker",
  alive: true,
  run: (task) => task(),
};

function directoryOf(config: HostConfig): string {
  return config.walDirectory ?? config.directory;
}

function identityOf(
  config: HostConfig,
  raftId: number,
): { readonly clusterId: Uint8Array; readonly raftId: number } {
  return { clusterId: must(fromHex(config.clusterId), "a cluster id is hex"), raftId };
}
