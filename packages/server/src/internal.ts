// For tests of whole processes: our own reader of bbolt files. Not part of the package's promise.
export { BoltDamage, openBolt } from "./bolt/reader.ts";
export type { BoltSource } from "./bolt/reader.ts";
