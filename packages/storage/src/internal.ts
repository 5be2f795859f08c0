// For the tests of other packages; not part of what storage offers.
export { decodeIdentity, Identity, identityName } from "./directory/identity.ts";
export { isQuarantine } from "./directory/quarantine.ts";
export { Magic } from "./directory/record-file.ts";
export { CopiesState, readCopiesNow } from "./directory/two-copies.ts";
export { readManifestNow } from "./manifest/manifest.ts";
export type { ManifestState } from "./manifest/manifest-api.ts";
export { diskContractCases } from "./testing/disk-contract.ts";
export type { ContractSteps, DiskContractCase, DiskUnderTest } from "./testing/disk-contract.ts";
export { batchBytes, BatchHeader, parseBatchHeader } from "./wal/batch-header.ts";
export type { WalIdentity } from "./wal/batch-header.ts";
export { decodePayload, payloadChecks } from "./wal/batch-payload.ts";
export type { BatchPayload } from "./wal/batch-payload.ts";
export { GappedLog } from "./wal/gapped-log.ts";
export { LogReplay } from "./wal/log-replay.ts";
export { parseSegmentHeader } from "./wal/segment-header.ts";
export { segmentId, segmentName } from "./wal/segment.ts";
export {
  batchHeaderBytes,
  BatchKind,
  blockBytes,
  firstBatchOffset,
  nonceSeed,
  segmentMagic,
  u64OrNone,
} from "./wal/wal-format.ts";
