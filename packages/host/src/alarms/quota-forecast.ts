// Before the quota is exceeded: a word when three quarters of it are taken, and when it will be full at
// the rate of the last minutes. Said once, and again after there was room.

/** Share of the quota from which on it is told, and below which it may be told again. */
const warnsFrom = 3 / 4;
const quietBelow = 7 / 10;
/** The rate is that of the newest so many samples, one in a minute. */
const samplesMax = 16;
const sampleEveryMs = 60_000;

interface Sample {
  readonly ms: number;
  readonly bytes: number;
}

export class QuotaForecast {
  readonly #bytesMax: number;
  readonly #samples: Sample[];
  #told: boolean;

  /** `bytesMax`: Infinity for none. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#samples = [];
    this.#told = false;
  }

  /** A line to tell; null: nothing new. */
  look(bytes: number, nowMs: number): string | null {
    const last = this.#samples.at(-1);
    if (last === undefined || nowMs - last.ms >= sampleEveryMs) {
      this.#samples.push({ ms: nowMs, bytes });
      if (this.#samples.length > samplesMax) this.#samples.shift();
    }
    if (bytes < this.#bytesMax * quietBelow) this.#told = false;
    if (this.#told || !(bytes >= this.#bytesMax * warnsFrom)) return null;
    this.#told = true;
    const percent = Math.floor((100 * bytes) / this.#bytesMax);
    return `${percent} % of the quota of ${this.#bytesMax} bytes are taken${this.#when(bytes, nowMs)}`;
  }

  #when(bytes: number, nowMs: number): string {
    const first = this.#samples[0]!;
    const perMs = (bytes - first.bytes) / (nowMs - first.ms);
    if (!(perMs > 0) || perMs === Infinity) return "";
    const minutes = Math.round((this.#bytesMax - bytes) / perMs / 60_000);
    if (minutes < 120) return `; full in ${Math.max(0, minutes)} minutes at this rate`;
    return `; full in ${Math.round(minutes / 60)} hours at this rate`;
  }
}
