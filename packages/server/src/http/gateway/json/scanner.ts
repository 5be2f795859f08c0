// Where a JSON value ends, byte by byte as the body arrives, and what is wrong with it in the words of
// Go's encoding/json: clients of etcd's gateway see those texts. Holds no value, only where it is.

import { invalidCharacter } from "./go-quote.ts";
import { beginValue, endValue, failed, inString, isSpace } from "./steps.ts";
import type { Inside, Scanner, Step } from "./steps.ts";

/** Go's. */
const nestingMax = 10_000;

export class JsonScanner implements Scanner {
  /** "" while nothing is wrong. */
  error: string;
  #step: Step;
  readonly #inside: Inside[];
  /** The value ended before the byte that was stepped over (a number does), or with it. */
  #endedBefore: boolean;
  #endedWith: boolean;

  constructor() {
    this.error = "";
    this.#step = beginValue;
    this.#inside = [];
    this.#endedBefore = false;
    this.#endedWith = false;
  }

  /** For the next value. */
  reset(): void {
    this.error = "";
    this.#step = beginValue;
    this.#inside.length = 0;
    this.#endedBefore = false;
    this.#endedWith = false;
  }

  /** The end of the value, or -1: more is needed, or `error` says what is wrong. */
  scan(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      if (this.#step === inString) {
        at = endOfPlain(bytes, at);
        if (at === bytes.length) return -1;
      }
      this.#step = this.#step(this, bytes[at]!);
      if (this.#endedWith) return at + 1;
      if (this.#endedBefore) return at;
      if (this.error !== "") return -1;
    }
    return -1;
  }

  /** Nothing more comes: a number at the end is whole now; the rest would be cut off. */
  finish(): boolean {
    this.#step = this.#step(this, space);
    return this.#endedBefore;
  }

  get depth(): number {
    return this.#inside.length;
  }

  get inside(): Inside | undefined {
    return this.#inside.at(-1);
  }

  end(): Step {
    this.#endedBefore = true;
    return endValue;
  }

  push(inside: Inside, next: Step, byte: number): Step {
    if (this.#inside.length >= nestingMax) return this.fail(byte, "exceeded max depth");
    this.#inside.push(inside);
    return next;
  }

  pop(): Step {
    this.#inside.pop();
    this.#endedWith = this.#inside.length === 0;
    return endValue;
  }

  become(inside: Inside, next: Step): Step {
    this.#inside[this.#inside.length - 1] = inside;
    return next;
  }

  fail(byte: number, context: string): Step {
    this.error = invalidCharacter(byte, context);
    return failed;
  }
}

/** What is wrong with a text that has to be one value and nothing more, as Go's json.Unmarshal says it. */
export function checkOneValue(bytes: Uint8Array): string {
  const scanner = new JsonScanner();
  const end = scanner.scan(bytes, 0);
  if (scanner.error !== "") return scanner.error;
  if (end < 0) return scanner.finish() ? "" : scanner.error || "unexpected end of JSON input";
  const rest = bytes.subarray(end).find((byte) => !isSpace(byte));
  return rest === undefined ? "" : invalidCharacter(rest, "after top-level value");
}

const space = 0x20;

function endOfPlain(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    if (byte === 0x22 || byte === 0x5c || byte < space) break;
    at += 1;
  }
  return at;
}
