// How the log dies when the medium refuses it: exit 71 at the first failed write or sync, no second
// try (cockroachdb#37102: a later sync "succeeds" and acknowledges a hole). The page cache may go
// on showing bytes that the disk does not have; so every start writes anew what is not known to be
// durable (restart.ts). No mark could tell it to: a disk that refuses may refuse the mark too.
import { ExitCode } from "../env.ts";
import type { DiskError, Env } from "../env.ts";

export function failWal(env: Env, error: DiskError): never {
  return env.fatal(
    ExitCode.WriteFailed,
    `${error.path}: ${error.operation} failed with ${error.code}; nothing of it was acknowledged. ` +
      "Check the disk and the space on it, then start again",
  );
}
