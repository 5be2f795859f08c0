// A tombstone in a directory whose member is stopped (reliability.md §4.4): its cluster was recovered
// without it, and a start there ends with 74 and says so. Written like every change of the identity, in
// two copies; nothing else in the directory is touched, and no start is counted.
import { DiskError, ExitCode } from "../env.ts";
import type { Env } from "../env.ts";
import type { Refusal } from "../storage-api.ts";
import { unusable } from "./access.ts";
import { decodeIdentity, encodeIdentity, identityName } from "./identity.ts";
import { lockName, trimmed } from "./layout.ts";
import type { DirectoryOwner } from "./owner.ts";
import { Magic } from "./record-file.ts";
import { CopiesState, readCopiesNow, replaceCopies } from "./two-copies.ts";

/**
 * `judge`: why the directory must not be fenced, or null. `supersededBy` empty: a tombstone that is
 * there is taken away. Done with null when it is durable; a refused directory is left as it was.
 */
export function fenceDirectory(
  env: Env,
  path: string,
  supersededBy: string,
  judge: (owner: DirectoryOwner) => string | null,
  done: (refusal: Refusal | null) => void,
): void {
  const directory = trimmed(path);
  const refuse = (exitCode: ExitCode, reason: string): void => {
    env.schedule(() => done({ ok: false, exitCode, reason }));
  };
  if (env.disk.listNow(directory) === null) {
    return refuse(ExitCode.Usage, `${directory}: there is no such directory, or it is not yours`);
  }
  const missing = `${directory}: not a data directory of Quorate`;
  // Before the lock is taken: that would leave a file in a directory that is not a member's.
  const before = readCopiesNow(env.disk, directory, identityName, Magic.Identity);
  if (before.state === CopiesState.Missing) return refuse(ExitCode.Usage, missing);
  const error = env.disk.lockNow(`${directory}/${lockName}`);
  if (error?.code === "EBUSY") {
    return refuse(ExitCode.Foreign, `${directory} is in use: stop its member first`);
  }
  if (error !== null) return env.schedule(() => done(unusable(error)));
  const read = readCopiesNow(env.disk, directory, identityName, Magic.Identity);
  if (read.state !== CopiesState.Good) {
    const reason = read.state === CopiesState.Damaged ? read.reason : missing;
    return refuse(ExitCode.Damaged, `${reason}: a start there is refused anyway (72)`);
  }
  const identity = decodeIdentity(read.record.body);
  if (identity === null) return refuse(ExitCode.Foreign, `${directory}: of a newer version`);
  const against = judge(identity);
  if (against !== null) return refuse(ExitCode.Usage, `${directory}: ${against}`);
  const next = identity.withSupersededBy(supersededBy);
  // A tombstone is there and complete: it stays as it is.
  if (next.supersededBy === identity.supersededBy && read.repair === null) {
    return env.schedule(() => done(null));
  }
  const record = encodeIdentity(next, read.record.generation + 1);
  replaceCopies(env.disk, directory, identityName, Magic.Identity, record, (failed) => {
    done(failed instanceof DiskError ? writeFailed(failed) : null);
  });
}

function writeFailed({ path, operation, code }: DiskError): Refusal {
  const reason = `${path}: ${operation} failed: ${code}`;
  return { ok: false, exitCode: ExitCode.WriteFailed, reason };
}
