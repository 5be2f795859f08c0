// The 64-bit hash behind the live and apply digests (DESIGN.md 14), as two unsigned 32-bit lanes.
// Against accidents, not against an attacker. Its results stand in checkpoints and are compared
// between members: what it computes may never change without a feature level.
import type { Digest } from "./kv-api.ts";

const TWO_POW_32 = 4294967296;

/**
 * Reused: `reset`, feed, `finish`, then read `low` and `high`. The lanes see the same words through
 * different steps (murmur3's, and a multiply-rotate), and are mixed into each other at the end.
 */
export class Hasher {
  low: number;
  high: number;

  constructor() {
    this.low = 0;
    this.high = 0;
  }

  /** `purpose` keeps equal content hashed for different purposes apart. */
  reset(purpose: number): void {
    this.low = (purpose ^ 0x243f6a88) | 0;
    this.high = (purpose ^ 0x85a308d3) | 0;
  }

  /** Any safe integer: two words. */
  number(value: number): void {
    this.word(value | 0);
    this.word(Math.floor(value / TWO_POW_32) | 0);
  }

  word(word: number): void {
    this.low = stepLow(this.low, word);
    this.high = stepHigh(this.high, word);
  }

  /** The length goes in too: no two splits of the same bytes into fields hash alike. */
  bytes(bytes: Uint8Array, from: number = 0, to: number = bytes.length): void {
    const length = to - from;
    let low = stepLow(this.low, length);
    let high = stepHigh(this.high, length);
    let at = from;
    for (const last = to - 4; at <= last; at += 4) {
      const word =
        bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      low = stepLow(low, word);
      high = stepHigh(high, word);
    }
    if (at < to) {
      let word = 0;
      for (let shift = 0; at < to; shift += 8) word |= bytes[at++]! << shift;
      low = stepLow(low, word);
      high = stepHigh(high, word);
    }
    this.low = low;
    this.high = high;
  }

  finish(): void {
    let low = avalanche(this.low);
    let high = avalanche(this.high ^ low);
    low = avalanche(low + Math.imul(high, 0x9e3779b1));
    high = (high + low) | 0;
    this.low = low >>> 0;
    this.high = high >>> 0;
  }
}

function stepLow(lane: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = lane ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function stepHigh(lane: number, word: number): number {
  const mixed = Math.imul(lane ^ word, 0x85ebca77);
  return (((mixed << 17) | (mixed >>> 15)) + 0x27d4eb2f) | 0;
}

function avalanche(lane: number): number {
  let z = Math.imul(lane ^ (lane >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

/** 16 hexadecimal digits. */
export function digestText({ low, high }: Digest): string {
  const half = (word: number): string => word.toString(16).padStart(8, "0");
  return half(high) + half(low);
}
