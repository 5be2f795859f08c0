// Whose a data directory is, read before it is opened: a member that joins a running cluster has its
// ids from there, and on its next start from its own directory. Touches nothing.
import type { Env } from "../env.ts";
import type { GenesisState } from "../storage-api.ts";
import { decodeIdentity, identityName } from "./identity.ts";
import { trimmed } from "./layout.ts";
import { Magic } from "./record-file.ts";
import { CopiesState, copyPath, readCopiesNow } from "./two-copies.ts";

export interface DirectoryOwner {
  readonly clusterId: string;
  readonly memberId: string;
  readonly raftId: number;
  readonly bootCount: number;
  readonly genesisState: GenesisState;
  readonly genesis: Uint8Array;
  /** Made by a recovery. */
  readonly recovered: boolean;
  /** Not empty: a tombstone, and what it says. */
  readonly supersededBy: string;
}

/** Null: nobody's yet, or not to be told; `openDirectory` then says what is wrong with it. */
export function ownerNow(env: Pick<Env, "disk">, path: string): DirectoryOwner | null {
  const read = readCopiesNow(env.disk, trimmed(path), identityName, Magic.Identity);
  return read.state === CopiesState.Good ? decodeIdentity(read.record.body) : null;
}

/** A member's directory, whether it can be read now or not. */
export function isOwnedNow(env: Pick<Env, "disk">, path: string): boolean {
  const directory = trimmed(path);
  const copies = [copyPath(directory, identityName, 1), copyPath(directory, identityName, 2)];
  return copies.some((copy) => env.disk.sizeNow(copy) !== null);
}
