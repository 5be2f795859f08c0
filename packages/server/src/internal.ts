// For tests of whole processes: our own reader of bbolt files, who may call what, and an authority that
// signs certificates. Not part of the package's promise.
export { Rule, rules } from "./auth/rules.ts";
export { BoltDamage, openBolt } from "./bolt/reader.ts";
export type { BoltSource } from "./bolt/reader.ts";
export { methods } from "./etcd/services.ts";
export { TestAuthority } from "./tls/testing/test-authority.ts";
