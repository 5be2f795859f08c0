// Where a directory of an import comes to stand: it is written beside that, and renamed when it is whole.
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { CommandError, UsageError } from "../exit.ts";

export interface Place {
  readonly path: string;
  /** Beside it: does not exist. */
  readonly staged: string;
  /** What was staged has the place from now on, also after a loss of power. */
  put(): void;
  /** What was staged is of no use. */
  discard(): void;
}

/** Refuses what is not free. */
export function placeFor(given: string): Place {
  const path = resolve(given);
  const staged = `${path}.importing`;
  if (existsSync(staged)) {
    throw new UsageError(`${staged} is there: an import did not come to its end; remove it first`);
  }
  if (!isFree(path)) throw new UsageError(`${path} is not empty: an import needs a new directory`);
  const discard = (): void => rmSync(staged, { recursive: true, force: true });
  return { path, staged, put: () => rename(staged, path), discard };
}

function isFree(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    throw new UsageError(`${path} cannot be used: ${code}`);
  }
}

function rename(from: string, to: string): void {
  try {
    // Also where an empty directory stands.
    renameSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMounted = code === "EBUSY" || code === "EXDEV";
    const hint = isMounted ? ": it is a mount point; give a directory inside of it" : "";
    throw new CommandError(`${from} cannot be renamed to ${to}: ${code}${hint}`);
  }
  const parent = openSync(dirname(to), "r");
  fsyncSync(parent);
  closeSync(parent);
}
