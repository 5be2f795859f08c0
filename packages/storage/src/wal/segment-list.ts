// Which files make up the log: what the manifest names, what was made and not yet named, what is
// left over. Reads names, sizes and segment headers; writes nothing.
import type { Disk, DiskFile } from "../env.ts";
import { DiskError } from "../env.ts";
import type { WalSegmentEntry } from "../manifest/manifest-api.ts";
import type { WalIdentity } from "./batch-header.ts";
import { parseSegmentHeader } from "./segment-header.ts";
import type { ParsedSegmentHeader } from "./segment-header.ts";
import { segmentId, segmentName } from "./segment.ts";
import { SegmentState } from "./survey.ts";
import type { SurveyedSegment } from "./survey.ts";
import { blockBytes } from "./wal-format.ts";

/** One segment of the log on disk. */
export interface ListedSegment extends SurveyedSegment {
  readonly nonce: number;
  /** Of the segment before; 0: none, or gone. */
  readonly previousNonce: number;
  readonly bytes: number;
  readonly path: string;
  /** False: the crash came between its making and its naming. */
  readonly named: boolean;
  /** Null: cannot be opened. */
  readonly file: DiskFile | null;
}

export interface SegmentList {
  readonly segments: readonly ListedSegment[];
  /** Paths of files that belong to no segment in force: half made, or dropped. */
  readonly orphans: readonly string[];
}

export function listSegments(
  disk: Disk,
  directory: string,
  identity: WalIdentity,
  entries: readonly WalSegmentEntry[],
): SegmentList {
  const segments = entries.map((entry, at) => {
    const previousNonce = entries[at - 1]?.nonce ?? 0;
    return { ...inspect(disk, directory, identity, entry), previousNonce };
  });
  for (;;) {
    const unnamed = findUnnamed(disk, directory, identity, segments.at(-1) ?? null);
    if (unnamed === null) break;
    segments.push(unnamed);
  }
  const known = new Set(segments.map(({ name }) => name));
  const names = disk.listNow(directory) ?? [];
  const orphans = names.filter((name) => segmentId(name) > 0 && !known.has(name));
  return { segments, orphans: orphans.map((name) => `${directory}/${name}`) };
}

function inspect(
  disk: Disk,
  directory: string,
  identity: WalIdentity,
  entry: WalSegmentEntry,
): Omit<ListedSegment, "previousNonce"> {
  const name = segmentName(entry.id);
  const path = `${directory}/${name}`;
  const opened = disk.openNow(path, false);
  const file = opened instanceof DiskError ? null : opened;
  const why = opened instanceof DiskError ? missing(opened) : judge(opened, identity, entry);
  const damaged = why.state !== SegmentState.Good;
  return { ...entry, name, path, named: true, file, ...why, ...untouched(), damaged };
}

function untouched(): Omit<SurveyedSegment, "id" | "name" | "state" | "detail"> {
  const numbers = { firstSeq: 0, lastSeq: 0, lastIndex: 0, endOffset: 0 };
  return { ...numbers, batches: [], damaged: false, inhabited: false };
}

type Judgement = Pick<SurveyedSegment, "state" | "detail">;

function missing(error: DiskError): Judgement {
  const detail = error.code === "ENOENT" ? "is missing" : `cannot be opened (${error.code})`;
  return { state: SegmentState.Missing, detail };
}

function judge(file: DiskFile, identity: WalIdentity, entry: WalSegmentEntry): Judgement {
  const parsed = readHeader(file, identity);
  const size = file.sizeNow();
  switch (parsed.found) {
    case "newer":
      return { state: SegmentState.Newer, detail: `format ${parsed.format}` };
    case "foreign":
      return { state: SegmentState.Foreign, detail: "its header names another member or cluster" };
    case "header":
      if (parsed.header.id !== entry.id || parsed.header.nonce !== entry.nonce) {
        const detail = `its header is that of segment ${parsed.header.id} in another use`;
        return { state: SegmentState.Foreign, detail };
      }
      break;
    case "none":
      if (size === entry.bytes) {
        return { state: SegmentState.HeaderDamaged, detail: "its header is damaged" };
      }
  }
  if (size === entry.bytes) return { state: SegmentState.Good, detail: "" };
  return { state: SegmentState.WrongSize, detail: `has ${size} bytes instead of ${entry.bytes}` };
}

/** The segment after the last one, if it was finished and only the manifest does not know it. */
function findUnnamed(
  disk: Disk,
  directory: string,
  identity: WalIdentity,
  last: ListedSegment | null,
): ListedSegment | null {
  const name = segmentName((last?.id ?? 0) + 1);
  const path = `${directory}/${name}`;
  if (disk.sizeNow(path) === null) return null;
  const file = disk.openNow(path, false);
  if (file instanceof DiskError) return null;
  const parsed = readHeader(file, identity);
  if (parsed.found === "header") {
    const { id, nonce, previousNonce, segmentBytes } = parsed.header;
    const chained = previousNonce === (last?.nonce ?? 0) && name === segmentName(id);
    if (chained && file.sizeNow() === segmentBytes) {
      const made = { id, nonce, previousNonce, bytes: segmentBytes, name, path, file };
      return { ...made, named: false, state: SegmentState.Good, detail: "", ...untouched() };
    }
  }
  file.close();
  return null;
}

function readHeader(file: DiskFile, identity: WalIdentity): ParsedSegmentHeader {
  const block = new Uint8Array(blockBytes);
  const read = file.readNow(0, block);
  if (read instanceof DiskError || read < block.length) return { found: "none" };
  return parseSegmentHeader(block, identity);
}
