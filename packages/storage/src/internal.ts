// For the tests of other packages; not part of what storage offers.
export { diskContractCases } from "./testing/disk-contract.ts";
export type { ContractSteps, DiskContractCase, DiskUnderTest } from "./testing/disk-contract.ts";
