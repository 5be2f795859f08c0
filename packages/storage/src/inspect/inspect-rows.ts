// Reads every row segment that the manifest names and checks each byte in force, as the scan at a
// start does; but it goes on behind damage with the next segment, and tells of all of it.
import { crc32c } from "@quorate/base";
import type { Row } from "@quorate/kv";
import { DiskError, ExitCode } from "../env.ts";
import { hex } from "../directory/record-file.ts";
import type { RowSegmentEntry } from "../manifest/manifest-api.ts";
import { padded } from "../medium.ts";
import {
  decodeRow,
  RowBlock,
  rowLength,
  rowMain,
  rowProblem,
  rowSub,
  seedOf,
} from "../rows/row-codec.ts";
import { decodeSegmentHeader, segmentHeaderBytes } from "../rows/segment-header.ts";
import type { Finding, InspectedDirectory } from "./inspect-directory.ts";

export interface InspectedRows {
  readonly entry: RowSegmentEntry;
  readonly rows: number;
  /** Main revisions; 0: no row. */
  readonly firstMain: number;
  readonly lastMain: number;
  readonly finding: Finding | null;
}

/** The last revision of the segments before: rows ascend through all of them. */
interface Newest {
  main: number;
  sub: number;
}

/** `each`: told of every row that checks. */
export function inspectRows(
  inspected: InspectedDirectory,
  each: (row: Row, name: string) => void = () => {},
): InspectedRows[] {
  const newest = { main: 0, sub: 0 };
  return inspected.manifest.rowSegments.map((entry) => {
    const read = readSegment(inspected, entry);
    const shown = (row: Row): void => each(row, entry.name);
    if (typeof read === "string") return inspectedAs(inspected, entry, noRows, read);
    const { found, problem } = walk(entry, read, newest, shown);
    return inspectedAs(inspected, entry, found, problem);
  });
}

interface FoundRows {
  rows: number;
  firstMain: number;
  lastMain: number;
}

const noRows: FoundRows = { rows: 0, firstMain: 0, lastMain: 0 };

function inspectedAs(
  { directory }: InspectedDirectory,
  entry: RowSegmentEntry,
  found: FoundRows,
  problem: string | null,
): InspectedRows {
  const what = `${directory}/${entry.name}: ${problem}`;
  return {
    entry,
    ...found,
    finding: problem === null ? null : { exitCode: ExitCode.Damaged, what },
  };
}

/** The bytes in force, or what is wrong with the file. */
function readSegment(
  { disk, directory, identity }: InspectedDirectory,
  entry: RowSegmentEntry,
): Uint8Array | string {
  const file = disk.openNow(`${directory}/${entry.name}`, false);
  if (file instanceof DiskError) {
    return file.code === "ENOENT" ? "is missing" : `cannot be opened (${file.code})`;
  }
  const bytes = new Uint8Array(entry.bytes);
  const read = file.readNow(0, bytes);
  file.close();
  if (read instanceof DiskError) return `cannot be read (${read.code})`;
  if (read < entry.bytes) return `${read} bytes long, the manifest says ${entry.bytes}`;
  const header = decodeSegmentHeader(bytes);
  if (typeof header === "string") return header;
  if (header.clusterId !== identity.clusterId) return `of cluster ${header.clusterId}`;
  if (header.nonce !== entry.nonce || header.firstMain !== entry.firstMain) {
    return "another segment stands under this name";
  }
  const crc = crc32c(bytes);
  if (entry.crc !== crc) {
    const problem = walk(entry, bytes, { main: 0, sub: 0 }, () => {}).problem;
    return problem ?? `the CRC of the segment is ${hex(crc)}, the manifest says ${hex(entry.crc)}`;
  }
  return bytes;
}

function walk(
  entry: RowSegmentEntry,
  bytes: Uint8Array,
  newest: Newest,
  each: (row: Row) => void,
): { readonly found: FoundRows; readonly problem: string | null } {
  const block = new RowBlock(bytes);
  const seed = seedOf(entry.nonce);
  const found = { ...noRows };
  const bad = (at: number, what: string) => ({ found, problem: `offset ${at}: ${what}` });
  for (let at = segmentHeaderBytes; at < bytes.length;) {
    const length = rowLength(block, at, bytes.length);
    if (length === 0) {
      const end = Math.min(padded(at + 1), bytes.length);
      const dirty = bytes.subarray(at, end).findIndex((byte) => byte !== 0);
      if (dirty >= 0) return bad(at + dirty, "padding that is not zero");
      at = end;
      continue;
    }
    if (length < 0 || at + length > bytes.length) {
      return bad(at, "no row of this format stands here");
    }
    const problem = rowProblem(block, at, length, seed, at);
    if (problem !== null) return bad(at, problem);
    const main = rowMain(block, at);
    const sub = rowSub(block, at);
    const ascends = main > newest.main || (main === newest.main && sub > newest.sub);
    if (!ascends) return bad(at, `revision ${main}.${sub} after ${newest.main}.${newest.sub}`);
    newest.main = main;
    newest.sub = sub;
    if (found.rows === 0) found.firstMain = main;
    found.lastMain = main;
    found.rows += 1;
    each(decodeRow(block, at));
    at += length;
  }
  return found.rows > 0
    ? { found, problem: null }
    : bad(segmentHeaderBytes, "a segment without rows");
}
