// S18: no follower is sent the same thing for ever. From one advance of its match to the next a leader
// sends it at most `floorBytes`, or four times what it still lacks (reliability.md §3.7): losses cost
// repeats, an endless loop costs everything.
import { demand } from "./violation.ts";

const property = "S18 no wasted work";

export interface Followed {
  /** Sent since its match moved on, or since its process or the leader's term changed. */
  bytes: number;
  match: number;
  session: number;
  term: number;
}

export class WastedWork {
  readonly #floorBytes: number;
  /** Leader's process and follower → what it was sent. */
  readonly #followed: Map<string, Followed>;
  /** The most that was sent in vain. */
  worstBytes: number;

  constructor(floorBytes: number) {
    this.#floorBytes = floorBytes;
    this.#followed = new Map();
    this.worstBytes = 0;
  }

  /** `lackBytes`: of all entries behind its match; asked for only when much was sent. */
  sent(leader: string, to: number, now: Followed, lackBytes: () => number): void {
    const key = `${leader} ${to}`;
    const before = this.#followed.get(key);
    const same =
      before !== undefined &&
      before.match === now.match &&
      before.session === now.session &&
      before.term === now.term;
    const bytes = (same ? before.bytes : 0) + now.bytes;
    this.#followed.set(key, { ...now, bytes });
    this.worstBytes = Math.max(this.worstBytes, bytes);
    demand(
      bytes <= this.#floorBytes || bytes <= 4 * lackBytes(),
      property,
      () =>
        `${leader} has sent ${bytes} bytes to ${to}, which lacks ${lackBytes()} and took nothing`,
    );
  }

  gone(leader: string): void {
    for (const key of this.#followed.keys()) {
      if (key.startsWith(`${leader} `)) this.#followed.delete(key);
    }
  }
}
