// JSON values out of a body that arrives in pieces, one after the other (Go's json.Decoder).
import type { GrowingBuffer, NoRoom } from "../growing-buffer.ts";
import { trimmed } from "./raw.ts";
import type { Raw } from "./raw.ts";
import { JsonScanner } from "./scanner.ts";
import { isSpace } from "./steps.ts";

export interface JsonStreamHandler {
  /** One value; valid during the call. False: nothing more is wanted. */
  value(raw: Raw): boolean;
  refused(error: string): void;
  overflow(why: NoRoom): void;
}

export class JsonStream {
  readonly #scanner: JsonScanner;
  readonly #gathered: GrowingBuffer;
  readonly #handler: JsonStreamHandler;
  #done: boolean;

  constructor(gathered: GrowingBuffer, handler: JsonStreamHandler) {
    this.#scanner = new JsonScanner();
    this.#gathered = gathered;
    this.#handler = handler;
    this.#done = false;
  }

  push(chunk: Buffer): void {
    let from = 0;
    while (!this.#done) {
      if (this.#gathered.length === 0) from = afterSpace(chunk, from);
      if (from === chunk.length) return;
      from = this.#next(chunk, from);
    }
  }

  /** The end of the body: a number may be whole now; cut-off JSON is wrong; nothing at all is not. */
  end(): void {
    if (this.#done || this.#gathered.length === 0) return;
    if (this.#scanner.finish()) {
      this.#handler.value(trimmed(this.#gathered.view()));
    } else {
      this.#handler.refused("unexpected EOF");
    }
    this.close();
  }

  close(): void {
    this.#done = true;
    this.#gathered.clear(false);
  }

  /** Up to the end of one value, or of the chunk. */
  #next(chunk: Buffer, from: number): number {
    const end = this.#scanner.scan(chunk, from);
    if (this.#scanner.error !== "") {
      this.#handler.refused(this.#scanner.error);
      this.close();
      return chunk.length;
    }
    const whole = end >= 0 && this.#gathered.length === 0;
    const to = end >= 0 ? end : chunk.length;
    const why = whole ? "" : this.#gathered.append(chunk.subarray(from, to));
    if (why !== "") {
      this.#handler.overflow(why);
      this.close();
    } else if (end >= 0) {
      const raw = trimmed(whole ? chunk.subarray(from, to) : this.#gathered.view());
      this.#done = !this.#handler.value(raw);
      this.#gathered.clear(!this.#done);
      this.#scanner.reset();
    }
    return to;
  }
}

function afterSpace(chunk: Buffer, from: number): number {
  let at = from;
  while (at < chunk.length && isSpace(chunk[at]!)) at += 1;
  return at;
}
