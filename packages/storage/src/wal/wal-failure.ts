// How the log dies when the medium refuses it: exit 71 at the first failed write or sync, no second
// try (cockroachdb#37102: a later sync "succeeds" and acknowledges a hole). The page cache may go
// on showing bytes that the disk does not have; a file left in the directory tells the next start
// to write them anew (P8). It need not be durable: it lives exactly as long as that cache.
import { ExitCode } from "../env.ts";
import type { DiskError, Env } from "../env.ts";

export const refusedName = "wal-refused";

export function failWal(env: Env, directory: string, error: DiskError): never {
  const left = env.disk.openNow(`${directory}/${refusedName}`, true);
  if ("code" in left) env.trace.warn("wal.refused.unmarked", { code: left.code });
  else left.close();
  return env.fatal(
    ExitCode.WriteFailed,
    `${error.path}: ${error.operation} failed with ${error.code}; nothing of it was acknowledged. ` +
      "Check the disk and the space on it, then start again",
  );
}
