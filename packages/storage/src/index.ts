// The public face of storage: the outside world's interfaces and a member's disk.
export { DiskError, ExitCode, LinkEnd } from "./env.ts";
export type {
  Clock,
  Disk,
  DiskDone,
  DiskFile,
  Env,
  Link,
  LinkEvents,
  Random,
  Trace,
  TraceFields,
  Transport,
} from "./env.ts";
export { openDirectory } from "./directory/open-directory.ts";
export { fenceDirectory } from "./directory/fence.ts";
export { isOwnedNow, ownerNow } from "./directory/owner.ts";
export type { DirectoryOwner } from "./directory/owner.ts";
export { finishSettingAside, setAside } from "./directory/set-aside.ts";
export { supersededRefusal } from "./directory/identity.ts";
export { openStorage } from "./open-storage.ts";
export { walPayloadBytesMax } from "./wal/wal-format.ts";
export {
  GenesisState,
  mayRunRaft,
  PeerRecord,
  RowsDamaged,
  storageDefaults,
} from "./storage-api.ts";
export type {
  CheckpointInfo,
  CheckpointRequest,
  DataDirectory,
  DirectoryOptions,
  HeldRows,
  LastKnown,
  OpenDirectory,
  OpenStorage,
  Recovered,
  Refusal,
  RowWalk,
  SetAsideOptions,
  SnapshotFile,
  SnapshotSink,
  SnapshotSource,
  StorageApi,
  StorageOptions,
  StorageUsage,
  WalAppend,
} from "./storage-api.ts";
export type { ScrubFinding } from "./scrub/scrub-api.ts";
export { inspectCheckpoint } from "./inspect/inspect-checkpoint.ts";
export type { InspectedCheckpoint } from "./inspect/inspect-checkpoint.ts";
export { inspectDirectory } from "./inspect/inspect-directory.ts";
export type { Finding, InspectedDirectory } from "./inspect/inspect-directory.ts";
export { inspectRows } from "./inspect/inspect-rows.ts";
export type { InspectedRows } from "./inspect/inspect-rows.ts";
export { inspectWal } from "./inspect/inspect-wal.ts";
export type { InspectedBatch, InspectedWal } from "./inspect/inspect-wal.ts";
export { RebrandedCheckpoint } from "./recover/rebranded-checkpoint.ts";
