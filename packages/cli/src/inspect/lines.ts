// One line for a batch of the log or a row of the store; they stand below the name of their segment.
import { latin1Decode } from "@quorate/base";
import type { Row } from "@quorate/kv";
import type { InspectedBatch } from "@quorate/storage";

const kinds = ["?", "append", "seal", "mark", "boot"];
const keyMax = 40;

/** Prints the name of each segment once, above its lines. */
export class SegmentLister {
  #name: string;

  constructor() {
    this.#name = "";
  }

  print(name: string, line: string): void {
    process.stdout.write(name === this.#name ? `${line}\n` : `${name}\n${line}\n`);
    this.#name = name;
  }
}

export function batchLine({ header, whole }: InspectedBatch): string {
  const { seq, offset, kind, bootCount, term, commit, firstIndex, entries } = header;
  const last = firstIndex + entries - 1;
  const what = entries === 0 ? "" : `  entries ${firstIndex}${entries > 1 ? `-${last}` : ""}`;
  const name = (kinds[kind] ?? "?").padEnd(6);
  const state = `start ${bootCount}  term ${term}  commit ${commit}`;
  const line = `  ${String(offset).padStart(9)}  ${String(seq).padStart(7)}  ${name}  ${state}${what}`;
  return whole ? line : `${line}  DAMAGED`;
}

export function rowLine(row: Row): string {
  const { main, sub, tombstone, key, value, createRevision, version } = row;
  const what = tombstone
    ? "deleted"
    : `${value.length} bytes, created at ${createRevision}, version ${version}`;
  return `  ${main}.${sub}  ${quoted(key)}  ${what}`;
}

/** Whatever stands in a key, one line of a terminal. */
function quoted(key: Uint8Array): string {
  const text = JSON.stringify(latin1Decode(key.subarray(0, keyMax))).replace(
    /[\u007f-\u00ff]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16)}`,
  );
  return key.length > keyMax ? `${text}… (${key.length} bytes)` : text;
}
