// The public face of the member process.
export { parseAuthToken, tokenTtlSecondsDefault, tokenTtlSecondsMax } from "./auth/auth-token.ts";
export type { AuthOptions } from "./auth/auth-token.ts";
export {
  bcryptCostDefault,
  bcryptCostMax,
  bcryptCostMin,
  passwordBytesMax,
  Passwords,
} from "./auth/passwords.ts";
export { writeReset } from "./auth/reset-file.ts";
export { backendRows, readBackend } from "./backend/read-backend.ts";
export type { Backend } from "./backend/read-backend.ts";
export { SnapshotFile } from "./backend/snapshot-file.ts";
export { BoltDamage } from "./bolt/reader.ts";
export { keepAliveDefaults } from "@quorate/grpc";
export { clusterIdOf, memberIdOf } from "./etcd/ids.ts";
export { offlineEnv } from "./env/offline-env.ts";
export { NodeDisk } from "./env/node-disk.ts";
export { logLevels, makeLogger } from "./logger.ts";
export type { LogLevel } from "./logger.ts";
export { Member } from "./member.ts";
export type { Listen, MemberOptions } from "./member.ts";
export { connectionsThatFit, memberLimitDefaults, openFilesMax } from "./member-limits.ts";
export type { MemberLimits } from "./member-limits.ts";
export { countBuffersWithTheHeap } from "./env/heap.ts";
export { cipherList, goodSuites, judgeSuite, SuiteVerdict } from "./tls/cipher-suites.ts";
export type { CertificateFiles, SelfSigned, TlsOptions, TlsVersion } from "./tls/options.ts";
