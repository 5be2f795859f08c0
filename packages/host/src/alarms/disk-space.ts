// Lack of room is foreseen (reliability.md §1.4): below a reserve of the next segment of the log and a
// checkpoint a member asks for NOSPACE before any write of its own can fail. Deletes, compaction and the
// log go on within the reserve; with a quarter more than that free the member takes its alarm back.
// A write that is refused all the same, because somebody else took the room at once, ends the process.
import type { Disk } from "@quorate/storage";
import type { HostConfig } from "../host-api.ts";

/** Tables and manifests of a checkpoint, beside its rows. */
const tablesBytes = 1_048_576;

/** A file system, and what of it must stay free. */
interface Place {
  readonly path: string;
  readonly reserveBytes: number;
}

export const Space = {
  /** Between: whatever was said last goes on. */
  Unsure: 0,
  Enough: 1,
  Lacking: 2,
} as const;
export type Space = (typeof Space)[keyof typeof Space];

export interface SpaceLook {
  readonly space: Space;
  /** What lacks, in one line. */
  readonly text: string;
}

export class DiskSpace {
  readonly #disk: Pick<Disk, "freeBytesNow">;
  readonly #places: readonly Place[];

  constructor(disk: Pick<Disk, "freeBytesNow">, config: HostConfig) {
    const { storage, directory, walDirectory } = config;
    const { walSegmentBytes, unsavedRowBytesMax } = storage;
    // The tables are no larger than what a checkpoint can write anyway.
    const checkpointBytes = unsavedRowBytesMax + Math.min(tablesBytes, unsavedRowBytesMax);
    this.#disk = disk;
    this.#places =
      walDirectory === null
        ? [{ path: directory, reserveBytes: walSegmentBytes + checkpointBytes }]
        : [
            { path: directory, reserveBytes: checkpointBytes },
            { path: walDirectory, reserveBytes: walSegmentBytes },
          ];
  }

  look(): SpaceLook {
    let space: Space = Space.Enough;
    const frees = this.#places.map(({ path }) => this.#disk.freeBytesNow(path));
    // A log elsewhere may still be on the same file system: with the same room to the byte it is, and
    // both parts have to be free there.
    const isShared = frees.length > 1 && frees.every((free) => free !== null && free === frees[0]);
    const all = this.#places.reduce((sum, { reserveBytes }) => sum + reserveBytes, 0);
    for (const [at, { path, reserveBytes: own }] of this.#places.entries()) {
      const free = frees[at]!;
      const reserveBytes = isShared ? all : own;
      if (free === null) {
        space = Space.Unsure;
      } else if (free < reserveBytes) {
        const text = `${free} bytes are free at ${path}, ${reserveBytes} are kept in reserve`;
        return { space: Space.Lacking, text };
      } else if (free < reserveBytes * 1.25) {
        space = Space.Unsure;
      }
    }
    return { space, text: "" };
  }
}
