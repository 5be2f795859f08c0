// For tests of whole processes: our own reader of bbolt files, and an authority that signs certificates.
// Not part of the package's promise.
export { BoltDamage, openBolt } from "./bolt/reader.ts";
export type { BoltSource } from "./bolt/reader.ts";
export { TestAuthority } from "./tls/testing/test-authority.ts";
