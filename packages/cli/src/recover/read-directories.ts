// The data directories that a command of `quorate recover` was given: read, or named with what is
// wrong with them.
import { isSurvivor, readSurvivor, type Survivor } from "@quorate/host";
import { NodeDisk } from "@quorate/server";
import type { Refusal } from "@quorate/storage";
import { UsageError } from "../exit.ts";

export interface GivenDirectory {
  readonly directory: string;
  /** Null: in the directory. */
  readonly walDirectory: string | null;
}

export function parseDirectory(text: string): GivenDirectory {
  const [directory = "", walDirectory, ...rest] = text.split(",");
  if (directory === "" || walDirectory === "" || rest.length > 0) {
    throw new UsageError(`"${text}": neither DIRECTORY nor DIRECTORY,WAL-DIRECTORY`);
  }
  return { directory: trimmed(directory), walDirectory: walDirectory ?? null };
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}

export function readDirectory({ directory, walDirectory }: GivenDirectory): Survivor | Refusal {
  return readSurvivor(new NodeDisk(), directory, walDirectory ?? directory);
}

/** All of them, or the end of the command. */
export function readAll(given: readonly GivenDirectory[]): readonly Survivor[] {
  return given.map((one) => {
    const read = readDirectory(one);
    if (isSurvivor(read)) return read;
    throw new UsageError(`${read.reason}. Leave it out, or repair it first`);
  });
}

/** What must not have changed between a plan and its execution. */
export function fingerprintOf(survivor: Survivor): string {
  const { raftId, bootCount, term, commit, lastTerm, lastIndex, seq } = survivor;
  return [raftId, bootCount, term, commit, lastTerm, lastIndex, seq].join(" ");
}
