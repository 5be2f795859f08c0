// Builds the encoded reply of one operation or read, in two reused buffers: the body, and what goes
// in front of it when a header is known last.
import { ByteSlab } from "./byte-slab.ts";
import type { KvReply } from "./kv-api.ts";
import { KvError } from "./kv-error.ts";
import { writeHeader } from "./wire/encode-response.ts";
import type { HeaderSource } from "./wire/encode-response.ts";
import { ProtoWriter } from "./wire/proto-writer.ts";

class Reply implements KvReply {
  readonly error: KvError;
  readonly bytes: Uint8Array | null;

  constructor(error: KvError, bytes: Uint8Array | null) {
    this.error = error;
    this.bytes = bytes;
  }
}

/** Done, and nobody asked for an answer. */
export const silentReply: KvReply = new Reply(KvError.None, null);

const failures = new Map<KvError, KvReply>();
for (const error of Object.values(KvError)) failures.set(error, new Reply(error, null));

export function failedReply(error: KvError): KvReply {
  return failures.get(error)!;
}

export class ReplyBuilder implements HeaderSource {
  readonly body: ProtoWriter;
  readonly ids: Uint8Array;
  readonly bytesMax: number;
  term: number;
  readonly #front: ProtoWriter;
  readonly #slab: ByteSlab;

  constructor(ids: Uint8Array, bytesMax: number) {
    this.body = new ProtoWriter();
    this.ids = ids;
    this.bytesMax = bytesMax;
    this.term = 0;
    this.#front = new ProtoWriter();
    this.#slab = new ByteSlab();
  }

  begin(term: number): void {
    this.body.reset();
    this.#front.reset();
    this.term = term;
  }

  /** The header, of which the revision became known after the body was written. */
  headerInFront(revision: number): void {
    writeHeader(this.#front, this, revision);
  }

  finish(): KvReply {
    const bytes = this.#slab.take(this.#front.length + this.body.length);
    if (this.#front.length > 0) this.#front.copyTo(bytes, 0);
    this.body.copyTo(bytes, this.#front.length);
    return new Reply(KvError.None, bytes);
  }
}
