// For tests and the simulator only: the core's invariants and its text forms. Not part of the
// package's promise.
export { checkInvariants, CoreSnapshot } from "./invariants.ts";
export {
  describeConfChange,
  describeEntries,
  describeEntry,
  describeMessage,
  describeProgress,
  describeReady,
  describeRole,
  describeSnapshot,
  nameOf,
} from "./describe.ts";
export { Inflights } from "./tracker/inflights.ts";
export { Progress } from "./tracker/progress.ts";
