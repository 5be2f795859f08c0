// S18: no follower is sent the same thing for ever (reliability.md §3.7): losses cost repeats, an endless
// loop costs everything.
//
//   one process     from one advance of its match to the next a leader sends it at most `windowBytes`,
//                   or four times what it still lacks
//   one follower    however many processes it has: from one advance of any, beyond where it was found, at
//                   most `breakerBytes`, or four times what it lacks, and then a message a second
import { demand } from "./violation.ts";

const property = "S18 no wasted work";
/** One may open the breaker, and one be on its way to the wire when it does. */
const messagesAboveMin = 2;
/** A member's clock may run so much faster than the world's. */
const driftMax = 1.1;

export interface Sent {
  readonly bytes: number;
  readonly match: number;
  readonly session: number;
  readonly term: number;
  readonly nowMs: number;
  readonly breakerBytes: number;
  /** Of all entries behind a match; asked for only when much was sent. */
  readonly lackBytes: (match: number) => number;
}

/** What a leader's process sends to one follower in a term. */
class Followed {
  readonly term: number;
  #session: number;
  #match: number;
  /** Sent since the match of that session moved on. */
  bytes: number;
  /** Where its present process was found; the others since one has got further, or further than any. */
  #foundAt: number;
  #best: number;
  #allBytes: number;
  #allowedBytes: number;
  /** Messages above that, and when the first one was; null: there was none. */
  #messagesAbove: number;
  #aboveSinceMs: number | null;

  constructor({ term, session, match }: Sent) {
    this.term = term;
    this.#session = session;
    this.#match = match;
    this.bytes = 0;
    this.#foundAt = match;
    this.#best = match;
    this.#allBytes = 0;
    this.#allowedBytes = 0;
    this.#messagesAbove = 0;
    this.#aboveSinceMs = null;
  }

  toProcess({ session, match, bytes }: Sent): void {
    const isSame = this.#session === session && this.#match === match;
    if (this.#session !== session) this.#foundAt = 0;
    this.#session = session;
    this.#match = match;
    this.bytes = (isSame ? this.bytes : 0) + bytes;
  }

  /** Empty, or what is wrong. */
  toAll({ match, bytes, breakerBytes, nowMs, lackBytes }: Sent): string {
    if (this.#foundAt === 0) this.#foundAt = match;
    if (match > Math.min(this.#best, this.#foundAt)) this.#gotTo(match);
    this.#allBytes += bytes;
    this.#allowedBytes = Math.max(this.#allowedBytes, breakerBytes);
    if (this.#allBytes <= this.#allowedBytes) return "";
    this.#allowedBytes = Math.max(this.#allowedBytes, 4 * lackBytes(this.#foundAt));
    if (this.#allBytes <= this.#allowedBytes) return "";
    this.#aboveSinceMs ??= nowMs;
    this.#messagesAbove++;
    const seconds = (driftMax * (nowMs - this.#aboveSinceMs)) / 1000;
    if (this.#messagesAbove <= messagesAboveMin + seconds) return "";
    return (
      `${this.#messagesAbove} messages in ${seconds.toFixed(1)} s after ${this.#allowedBytes} bytes, ` +
      `and it got no further than ${this.#foundAt}`
    );
  }

  #gotTo(match: number): void {
    this.#foundAt = match;
    this.#best = Math.max(this.#best, match);
    this.#allBytes = 0;
    this.#allowedBytes = 0;
    this.#messagesAbove = 0;
    this.#aboveSinceMs = null;
  }
}

export class WastedWork {
  readonly #windowBytes: number;
  /** Leader's process and follower → what it was sent. */
  readonly #followed: Map<string, Followed>;
  /** The most that was sent in vain. */
  worstBytes: number;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
    this.#followed = new Map();
    this.worstBytes = 0;
  }

  sent(leader: string, to: number, now: Sent): void {
    const key = `${leader} ${to}`;
    let followed = this.#followed.get(key);
    if (followed === undefined || followed.term !== now.term) {
      followed = new Followed(now);
      this.#followed.set(key, followed);
    }
    const { match, lackBytes } = now;
    followed.toProcess(now);
    const { bytes } = followed;
    this.worstBytes = Math.max(this.worstBytes, bytes);
    demand(
      bytes <= this.#windowBytes || bytes <= 4 * lackBytes(match),
      property,
      () =>
        `${leader} has sent ${bytes} bytes to ${to}, which lacks ${lackBytes(match)} and took nothing`,
    );
    const wrong = followed.toAll(now);
    demand(wrong === "", property, () => `${leader} has sent to the processes of ${to} ${wrong}`);
  }

  gone(leader: string): void {
    for (const key of this.#followed.keys()) {
      if (key.startsWith(`${leader} `)) this.#followed.delete(key);
    }
  }
}
