// S18: no follower is sent the same thing for ever (reliability.md §3.7): losses cost repeats, an endless
// loop costs everything.
//
//   one process     from one advance of its match to the next a leader sends it at most `windowBytes`,
//                   or four times what it still lacks
//   one follower    however many processes it has: from one advance of any, beyond where it was found, at
//                   most `breakerBytes`, or four times what it lacks, and then a message a second
import { demand } from "./violation.ts";

const property = "S18 no wasted work";

export interface Sent {
  readonly bytes: number;
  readonly match: number;
  readonly session: number;
  readonly term: number;
  readonly nowMs: number;
  readonly breakerBytes: number;
  readonly messageBytesMax: number;
}

/** What a leader's process sends to one follower in a term. */
class Followed {
  readonly term: number;
  session: number;
  match: number;
  /** Sent since the match of that session moved on. */
  bytes: number;
  /** Where its present process was found; the others since one has got further, or further than any. */
  foundAt: number;
  best: number;
  allBytes: number;
  allowedBytes: number;
  /** When they were above that for the first time; null: they are not. */
  aboveSinceMs: number | null;

  constructor({ term, session, match }: Sent) {
    this.term = term;
    this.session = session;
    this.match = match;
    this.bytes = 0;
    this.foundAt = match;
    this.best = match;
    this.allBytes = 0;
    this.allowedBytes = 0;
    this.aboveSinceMs = null;
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

  /** `lackBytes`: of all entries behind a match; asked for only when much was sent. */
  sent(leader: string, to: number, now: Sent, lackBytes: (match: number) => number): void {
    const key = `${leader} ${to}`;
    let followed = this.#followed.get(key);
    if (followed === undefined || followed.term !== now.term) {
      followed = new Followed(now);
      this.#followed.set(key, followed);
    }
    this.#toProcess(leader, to, followed, now, lackBytes);
    this.#toAll(leader, to, followed, now, lackBytes);
  }

  #toProcess(
    leader: string,
    to: number,
    followed: Followed,
    now: Sent,
    lackBytes: (match: number) => number,
  ): void {
    const isSameProcess = followed.session === now.session;
    const same = isSameProcess && followed.match === now.match;
    if (!isSameProcess) followed.foundAt = 0;
    followed.bytes = (same ? followed.bytes : 0) + now.bytes;
    followed.session = now.session;
    followed.match = now.match;
    const { bytes } = followed;
    this.worstBytes = Math.max(this.worstBytes, bytes);
    demand(
      bytes <= this.#windowBytes || bytes <= 4 * lackBytes(now.match),
      property,
      () =>
        `${leader} has sent ${bytes} bytes to ${to}, which lacks ${lackBytes(now.match)} and took nothing`,
    );
  }

  #toAll(
    leader: string,
    to: number,
    followed: Followed,
    now: Sent,
    lackBytes: (match: number) => number,
  ): void {
    if (followed.foundAt === 0) followed.foundAt = now.match;
    if (now.match > Math.min(followed.best, followed.foundAt)) {
      followed.foundAt = now.match;
      followed.best = Math.max(followed.best, now.match);
      followed.allBytes = 0;
      followed.allowedBytes = 0;
      followed.aboveSinceMs = null;
    }
    followed.allBytes += now.bytes;
    followed.allowedBytes = Math.max(followed.allowedBytes, now.breakerBytes);
    if (followed.allBytes <= followed.allowedBytes) return;
    followed.allowedBytes = Math.max(followed.allowedBytes, 4 * lackBytes(followed.foundAt));
    const above = followed.allBytes - followed.allowedBytes;
    if (above <= 0) return;
    followed.aboveSinceMs ??= now.nowMs;
    // A clock may run fast, and a message may have been on its way to the wire already.
    const seconds = (1.1 * (now.nowMs - followed.aboveSinceMs)) / 1000;
    const allowedAbove = now.messageBytesMax * (2 + seconds);
    demand(
      above <= allowedAbove,
      property,
      () =>
        `${leader} has sent ${followed.allBytes} bytes to the processes of ${to}, which lacks ` +
        `${lackBytes(followed.foundAt)} and got no further than ${followed.foundAt}`,
    );
  }

  gone(leader: string): void {
    for (const key of this.#followed.keys()) {
      if (key.startsWith(`${leader} `)) this.#followed.delete(key);
    }
  }
}
