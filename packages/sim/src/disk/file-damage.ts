// What the medium says about one file instead of the truth: an overlay over its pristine content.
// Ranges show other bytes or cannot be read, the end may be gone. What is written anew over it is
// whole again. The file itself never changes by damage, so that its truth stays known.

/** Shown in [from, to) instead of what was written there; bytes null: EIO. */
class DamagedRange {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array | null;

  constructor(from: number, to: number, bytes: Uint8Array | null) {
    this.from = from;
    this.to = to;
    this.bytes = bytes;
  }

  /** The part of it in [from, to). */
  part(from: number, to: number): DamagedRange {
    const bytes = this.bytes?.subarray(from - this.from, to - this.from) ?? null;
    return new DamagedRange(from, to, bytes);
  }
}

export class FileDamage {
  /** Ascending, not overlapping. */
  #ranges: DamagedRange[];
  /** Shown length; null: the true one. */
  #end: number | null;

  constructor() {
    this.#ranges = [];
    this.#end = null;
  }

  get none(): boolean {
    return this.#ranges.length === 0 && this.#end === null;
  }

  copyFrom(other: FileDamage): void {
    this.#ranges = other.#ranges.slice();
    this.#end = other.#end;
  }

  /** What gives back the damage of now. */
  remember(): () => void {
    const ranges = this.#ranges.slice();
    const end = this.#end;
    return () => {
      this.#ranges = ranges.slice();
      this.#end = end;
    };
  }

  clear(): void {
    this.#ranges = [];
    this.#end = null;
  }

  garble(from: number, bytes: Uint8Array): void {
    this.#put(new DamagedRange(from, from + bytes.length, bytes.slice()));
  }

  failReads(from: number, to: number): void {
    this.#put(new DamagedRange(from, to, null));
  }

  /** What is behind `length` is gone. */
  cut(length: number): void {
    this.#end = this.#end === null ? length : Math.min(this.#end, length);
  }

  shownLength(length: number): number {
    return this.#end ?? length;
  }

  /** Something in [from, to) is not as it was written. */
  touches(from: number, to: number): boolean {
    if (this.#end !== null && to > this.#end) return true;
    return this.#ranges.some((range) => range.from < to && range.to > from);
  }

  /** The process has written [from, to); `length` is the file's true one before that. */
  written(from: number, to: number, length: number): void {
    this.#clear(from, to);
    const end = this.#end;
    if (end === null || to <= end) return;
    // The file had ended there: what lies between is a hole now.
    if (from > end) this.#put(zeros(end, from));
    this.#end = to >= length ? null : to;
  }

  /** The process has set the length; `before` is the true one until then. */
  resized(length: number, before: number): void {
    this.#clear(length, Number.MAX_SAFE_INTEGER);
    const end = this.#end;
    if (end === null) return;
    this.#end = null;
    if (end < length && end < before) this.#put(zeros(end, Math.min(length, before)));
  }

  /** Turns `count` true bytes read from `position` into what is shown; null: EIO. */
  show(position: number, into: Uint8Array, count: number): number | null {
    const shown = Math.max(0, Math.min(count, this.shownLength(position + count) - position));
    for (const { from, to, bytes } of this.#ranges) {
      if (from >= position + shown || to <= position) continue;
      if (bytes === null) return null;
      const first = Math.max(from, position);
      const last = Math.min(to, position + shown);
      into.set(bytes.subarray(first - from, last - from), first - position);
    }
    return shown;
  }

  #put(range: DamagedRange): void {
    if (range.from >= range.to) return;
    this.#clear(range.from, range.to);
    this.#ranges.push(range);
    this.#ranges.sort((a, b) => a.from - b.from);
  }

  #clear(from: number, to: number): void {
    if (!this.touches(from, to) || from >= to) return;
    this.#ranges = this.#ranges.flatMap((range) => {
      if (range.to <= from || range.from >= to) return [range];
      const parts: DamagedRange[] = [];
      if (range.from < from) parts.push(range.part(range.from, from));
      if (range.to > to) parts.push(range.part(to, range.to));
      return parts;
    });
  }
}

function zeros(from: number, to: number): DamagedRange {
  return new DamagedRange(from, to, new Uint8Array(to - from));
}
