// What happened in a run: a running hash over every line, and the last lines for people. The hash
// is what two runs of one seed are compared by, so nothing may enter it that differs between
// machines (addresses of objects, real time, stack texts).
import type { TraceFields } from "@quorate/storage";

export const TraceLevel = { Debug: 20, Info: 30, Warn: 40, Error: 50, World: 60 } as const;
export type TraceLevel = (typeof TraceLevel)[keyof typeof TraceLevel];

/** Lines kept for the report of a failed run. */
const keptLinesMax = 4096;
const fnvPrime = 0x01000193;
const otherPrime = 0x5bd1e995;

export interface TraceLine {
  readonly atUs: number;
  /** A process (`m0#2`), a nemesis, the network, the run. */
  readonly source: string;
  readonly level: TraceLevel;
  readonly text: string;
}

export class TraceLog {
  /** Called with every line at or above `sinkLevel`; null: nobody listens. */
  sink: ((line: string) => void) | null;
  sinkLevel: TraceLevel;
  #low: number;
  #high: number;
  #lines: number;
  readonly #kept: TraceLine[];

  constructor() {
    this.sink = null;
    this.sinkLevel = TraceLevel.Debug;
    this.#low = 0x811c9dc5;
    this.#high = 0x1b873593;
    this.#lines = 0;
    this.#kept = [];
  }

  line(
    nowUs: number,
    source: string,
    level: TraceLevel,
    event: string,
    fields?: TraceFields,
  ): void {
    const text = fields === undefined ? event : event + formatFields(fields);
    const line = { atUs: nowUs, source, level, text };
    this.number(nowUs);
    this.#text(source);
    this.#text(text);
    this.#kept[this.#lines % keptLinesMax] = line;
    this.#lines++;
    if (this.sink !== null && level >= this.sinkLevel) this.sink(stamped(line));
  }

  /** A number that must be equal in two runs of one seed. */
  number(value: number): void {
    const low = value >>> 0;
    const high = Math.floor(value / 4294967296) >>> 0;
    this.#low = Math.imul(this.#low ^ low, fnvPrime) ^ (this.#low >>> 15);
    this.#high =
      Math.imul(this.#high ^ low ^ Math.imul(high, fnvPrime), otherPrime) ^ (this.#high >>> 13);
  }

  #text(text: string): void {
    let low = this.#low;
    let high = this.#high;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      low = Math.imul(low ^ code, fnvPrime);
      high = Math.imul(high ^ code, otherPrime) ^ (high >>> 13);
    }
    this.#low = low;
    this.#high = high;
  }

  /** 16 hex digits over everything so far. */
  hash(): string {
    return hex32(this.#low) + hex32(this.#high);
  }

  get lineCount(): number {
    return this.#lines;
  }

  /** The newest lines, oldest first. */
  tail(count: number): string[] {
    return this.newest(count).map(stamped);
  }

  newest(count: number): TraceLine[] {
    const first = Math.max(0, this.#lines - Math.min(count, keptLinesMax));
    const lines: TraceLine[] = [];
    for (let i = first; i < this.#lines; i++) lines.push(this.#kept[i % keptLinesMax]!);
    return lines;
  }
}

function stamped({ atUs, source, text }: TraceLine): string {
  return `${(atUs / 1000).toFixed(3).padStart(12)} ${source} ${text}`;
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

function formatFields(fields: TraceFields): string {
  let text = "";
  for (const name of Object.keys(fields)) text += ` ${name}=${String(fields[name])}`;
  return text;
}
