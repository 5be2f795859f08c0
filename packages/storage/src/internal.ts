// For the tests of other packages; not part of what storage offers.
export { diskContractCases } from "./testing/disk-contract.ts";
export type { ContractSteps, DiskContractCase, DiskUnderTest } from "./testing/disk-contract.ts";
export { batchBytes, parseBatchHeader } from "./wal/batch-header.ts";
export { decodePayload } from "./wal/batch-payload.ts";
export {
  batchHeaderBytes,
  blockBytes,
  firstBatchOffset,
  segmentMagic,
  u64OrNone,
} from "./wal/wal-format.ts";
