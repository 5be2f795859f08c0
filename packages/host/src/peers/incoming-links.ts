// Links that others dialled: those still in their handshake, bounded, and the accepted ones, one per
// process and class. Keeps them; judges nothing.
import type { NodeId } from "@quorate/raft";
import type { LinkClass } from "./hello.ts";
import type { PeerLink } from "./peer-link.ts";

/** Strangers cannot hold more than this; the oldest makes room. */
export const handshakesMax = 128;
/** Processes of the same genesis that no known member names (P2); each has up to three links. */
export const guestsMax = 16;

export class IncomingLinks {
  /** In order of arrival. */
  readonly #handshakes: Set<PeerLink>;
  readonly #accepted: Map<string, PeerLink>;
  #evicted: number;

  constructor() {
    this.#handshakes = new Set();
    this.#accepted = new Map();
    this.#evicted = 0;
  }

  /** Handshakes ended to make room for newer ones. */
  get evicted(): number {
    return this.#evicted;
  }

  get size(): number {
    return this.#handshakes.size + this.#accepted.size;
  }

  add(link: PeerLink): void {
    if (this.#handshakes.size >= handshakesMax) {
      for (const oldest of this.#handshakes) {
        this.#evicted++;
        oldest.close("too many handshakes");
        this.#handshakes.delete(oldest);
        break;
      }
    }
    this.#handshakes.add(link);
  }

  /** An earlier link of the same process and class ends: a process dials one at a time. */
  accepted(link: PeerLink): void {
    this.#handshakes.delete(link);
    const key = keyOf(link);
    const earlier = this.#accepted.get(key);
    this.#accepted.set(key, link);
    earlier?.close("replaced by a newer link");
  }

  /** True when it was the accepted link of its process and class. */
  ended(link: PeerLink): boolean {
    this.#handshakes.delete(link);
    if (link.hello === null) return false;
    const key = keyOf(link);
    if (this.#accepted.get(key) !== link) return false;
    return this.#accepted.delete(key);
  }

  find(memberId: string, raftId: NodeId, linkClass: LinkClass): PeerLink | null {
    return this.#accepted.get(`${memberId}/${raftId}/${linkClass}`) ?? null;
  }

  /** A copy: callers may end links while they look. */
  ofMember(memberId: string): readonly PeerLink[] {
    return [...this.#accepted.values()].filter((link) => link.hello?.memberId === memberId);
  }

  /** All, handshakes included; a copy. */
  all(): readonly PeerLink[] {
    return [...this.#handshakes, ...this.#accepted.values()];
  }

  guestFits(memberId: string, isMember: (memberId: string) => boolean): boolean {
    const guests = new Set<string>();
    for (const link of this.#accepted.values()) {
      const id = link.hello?.memberId ?? "";
      if (!isMember(id)) guests.add(id);
    }
    return guests.has(memberId) || guests.size < guestsMax;
  }
}

function keyOf(link: PeerLink): string {
  return `${link.hello?.memberId}/${link.hello?.raftId}/${link.linkClass}`;
}
