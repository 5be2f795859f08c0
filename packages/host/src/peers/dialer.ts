// Keeps one dialled link of one class to one member: dials, waits longer after each failure, dials
// again. Whether the link is good its owner decides.
import { assert } from "@quorate/base";
import type { Env, Random } from "@quorate/storage";
import type { LinkClass } from "./hello.ts";
import type { PeerLink } from "./peer-link.ts";

export const dialBackoffMinMs = 10;
export const dialBackoffMaxMs = 1000;
/** An accepted link that ended sooner did not succeed: its end does not shorten the wait. */
const livedMsMin = 1000;

export interface DialerOptions {
  readonly env: Env;
  readonly random: Random;
  readonly linkClass: LinkClass;
  /** Makes a link to the address and dials it. */
  readonly dial: (address: string, linkClass: LinkClass) => PeerLink;
}

export class Dialer {
  readonly linkClass: LinkClass;
  readonly #env: Env;
  readonly #random: Random;
  readonly #dial: (address: string, linkClass: LinkClass) => PeerLink;
  #addresses: readonly string[];
  #nextAddress: number;
  #wanted: boolean;
  #link: PeerLink | null;
  #backoffMs: number;
  #dueMs: number;
  #attempts: number;

  constructor(options: DialerOptions) {
    this.linkClass = options.linkClass;
    this.#env = options.env;
    this.#random = options.random;
    this.#dial = options.dial;
    this.#addresses = [];
    this.#nextAddress = 0;
    this.#wanted = false;
    this.#link = null;
    this.#backoffMs = dialBackoffMinMs;
    this.#dueMs = 0;
    this.#attempts = 0;
  }

  /** The present link, in whatever state; null between two. */
  get link(): PeerLink | null {
    return this.#link;
  }

  /** Dials so far. */
  get attempts(): number {
    return this.#attempts;
  }

  /** A link that is accepted stays: a member goes on being where it was until it moves. */
  setAddresses(addresses: readonly string[]): void {
    const next = this.#addresses[this.#nextAddress];
    this.#addresses = addresses;
    this.#nextAddress = next === undefined ? 0 : Math.max(0, addresses.indexOf(next));
  }

  /** The configuration names an address that it did not name before: what it names is tried now. */
  tryFirst(): void {
    const link = this.#link;
    const vain = link !== null && !link.accepted && !this.#addresses.includes(link.address);
    if (vain) link.close("address changed");
    this.#nextAddress = 0;
    this.hurry();
  }

  want(wanted: boolean, reason: string): void {
    this.#wanted = wanted;
    if (!wanted) this.#link?.close(reason);
  }

  /** At once, unless a link stands or is being made. */
  dialNow(): void {
    if (!this.#wanted || this.#link !== null || this.#addresses.length === 0) return;
    const address = this.#addresses[this.#nextAddress]!;
    this.#attempts++;
    this.#link = this.#dial(address, this.linkClass);
  }

  /** Ends what stands, and dials without waiting: what was agreed at the hello does not hold now. */
  redial(reason: string): void {
    this.#backoffMs = dialBackoffMinMs;
    this.#link?.close(reason);
    this.dialNow();
  }

  /** The peer is known to be there: the next try need not wait long. */
  hurry(): void {
    this.#backoffMs = dialBackoffMinMs;
    this.#dueMs = Math.min(this.#dueMs, this.#env.clock.monotonicMs() + dialBackoffMinMs);
  }

  /** The owner tells the end of the present link, after its own bookkeeping. */
  linkEnded(link: PeerLink): void {
    assert(link === this.#link, "Dialer: another link ended");
    this.#link = null;
    const nowMs = this.#env.clock.monotonicMs();
    if (link.acceptedMs >= 0 && nowMs - link.acceptedMs >= livedMsMin) {
      this.#backoffMs = dialBackoffMinMs;
      this.#dueMs = nowMs;
      this.dialNow();
      return;
    }
    // Where it was accepted the member is, however soon that link ended.
    if (link.acceptedMs < 0 && this.#addresses.length > 0) {
      this.#nextAddress = (this.#nextAddress + 1) % this.#addresses.length;
    }
    // Half of it is certain, half is drawn: members that failed together do not come back together.
    const halfMs = this.#backoffMs / 2;
    this.#dueMs = nowMs + halfMs + this.#random.below(Math.ceil(halfMs) + 1);
    this.#backoffMs = Math.min(2 * this.#backoffMs, dialBackoffMaxMs);
  }

  tick(): void {
    if (this.#link === null && this.#env.clock.monotonicMs() >= this.#dueMs) this.dialNow();
  }
}
