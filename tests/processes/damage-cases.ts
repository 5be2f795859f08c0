// Damage that a disk or a hand does to one file of a stopped member, drawn from a seed: a bit flipped, a
// range zeroed, a file cut, deleted, or swapped with another one of its kind. What the file's kind and the
// damage allow as an end is said here, from the table of reliability.md §3.3 and not from what happened.
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

export const DamageKind = {
  Flip: "bit flipped",
  Zero: "range zeroed",
  Cut: "file cut",
  Delete: "file deleted",
  Swap: "files swapped",
} as const;
export type DamageKind = (typeof DamageKind)[keyof typeof DamageKind];

/** How a member may end up, without anybody's help. */
export const DamageEnd = {
  /** It runs under the raft id that it had: nothing it promised was lost. */
  Same: "same raft id",
  /** It set its files aside and votes under another raft id. */
  Rejoined: "new raft id",
  /** It stops and says why. */
  Stopped: "stopped",
} as const;
export type DamageEnd = (typeof DamageEnd)[keyof typeof DamageEnd];

export interface DamageCase {
  readonly kind: DamageKind;
  readonly file: string;
  /** Offset and length, or the other file. */
  readonly detail: string;
  readonly allowed: ReadonlySet<DamageEnd>;
}

const blockBytes = 4096;
const zeroBlocksMax = 16;

/** Numbers below `below`, the same for the same seed (mulberry32). */
export function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** Damages one file of a stopped member; says which and how. */
export function damageOneFile(directory: string, draw: (below: number) => number): DamageCase {
  const names = readdirSync(directory).sort();
  const kinds = [/^wal-[^d]/, /^(?:rows|tables)-/, /^MANIFEST-[12]$/]
    .map((pattern) => names.filter((name) => pattern.test(name)))
    .filter((files) => files.length > 0);
  const files = kinds[draw(kinds.length)]!;
  const file = files[draw(files.length)]!;
  const kind = Object.values(DamageKind)[draw(5)]!;
  const others = files.filter((name) => name !== file && name.slice(0, 4) === file.slice(0, 4));
  if (kind === DamageKind.Swap && others.length > 0) {
    const other = others[draw(others.length)]!;
    return { kind, file, detail: `with ${other}`, allowed: swap(directory, file, other) };
  }
  const path = join(directory, file);
  const used = usedBytes(path);
  if (kind === DamageKind.Zero) {
    const offset = blockBytes * draw(Math.ceil(used / blockBytes));
    const length = Math.min(blockBytes * (1 + draw(zeroBlocksMax)), statSync(path).size - offset);
    overwrite(path, offset, Buffer.alloc(length));
    return { kind, file, detail: `${length} bytes at ${offset}`, allowed: unswapped(file) };
  }
  if (kind === DamageKind.Cut) {
    const length = draw(used);
    truncateSync(path, length);
    return { kind, file, detail: `to ${length} bytes`, allowed: unswapped(file) };
  }
  if (kind === DamageKind.Delete) {
    rmSync(path);
    return { kind, file, detail: "", allowed: unswapped(file) };
  }
  const offset = draw(used);
  const [byte] = readFileSync(path).subarray(offset, offset + 1);
  overwrite(path, offset, Buffer.of(byte! ^ (1 << draw(8))));
  return { kind: DamageKind.Flip, file, detail: `at ${offset}`, allowed: unswapped(file) };
}

/**
 * Holes in a log are filled (3, 4, 5, 9), unless its end goes, and the promises with it (6, 8, 10); a state
 * is rebuilt (14); of a manifest there are two (13).
 */
function unswapped(file: string): ReadonlySet<DamageEnd> {
  return file.startsWith("wal-")
    ? new Set([DamageEnd.Same, DamageEnd.Rejoined])
    : new Set([DamageEnd.Same]);
}

/**
 * Whole segments in each other's place are a person's doing: 75 (row 11). One that is prepared ahead has
 * no head yet to tell it by: the last segment is lost (10). The state is only rebuilt (14).
 */
function swap(directory: string, file: string, other: string): ReadonlySet<DamageEnd> {
  const [a, b] = [join(directory, file), join(directory, other)];
  renameSync(a, `${a}.swap`);
  renameSync(b, a);
  renameSync(`${a}.swap`, b);
  return file.startsWith("wal-")
    ? new Set([DamageEnd.Stopped, DamageEnd.Rejoined])
    : new Set([DamageEnd.Same]);
}

/** Up to the last byte that is not zero: what is prepared ahead holds nothing. */
export function usedBytes(path: string): number {
  const file = openSync(path, "r");
  const window = Buffer.alloc(1_048_576);
  try {
    for (let end = statSync(path).size; end > 0; end -= window.length) {
      const start = Math.max(0, end - window.length);
      const read = readSync(file, window, 0, end - start, start);
      for (let at = read - 1; at >= 0; at -= 1) {
        if (window[at] !== 0) return start + at + 1;
      }
    }
    return 1;
  } finally {
    closeSync(file);
  }
}

function overwrite(path: string, offset: number, bytes: Buffer): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}
