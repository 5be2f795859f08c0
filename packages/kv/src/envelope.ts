// The payload of an operation's entry: who asks, by which revision of the auth store, and behind it
// the client's request bytes unchanged (DESIGN.md 10). On disk and between members.
import { ByteReader, ByteWriter } from "@quorate/base";
import { Identity, nobody } from "./auth/identity.ts";
import { ByteSlab } from "./byte-slab.ts";

export class Envelope {
  readonly identity: Identity;
  /** Where the request begins in the payload. */
  readonly requestAt: number;

  constructor(identity: Identity, requestAt: number) {
    this.identity = identity;
    this.requestAt = requestAt;
  }
}

/** Builds envelopes; pieces of a few slabs, since entries of one time leave memory together. */
export class EnvelopeWriter {
  readonly #slab: ByteSlab;
  readonly #front: ByteWriter;

  constructor() {
    this.#slab = new ByteSlab();
    this.#front = new ByteWriter();
  }

  write(user: string, authRevision: number, request: Uint8Array): Uint8Array {
    const front = this.#front;
    front.reset();
    front.text(user);
    front.varint(authRevision);
    const payload = this.#slab.take(front.length + request.length);
    payload.set(front.view(), 0);
    payload.set(request, front.length);
    return payload;
  }
}

/** Null: not an envelope. */
export function decodeEnvelope(payload: Uint8Array): Envelope | null {
  const reader = new ByteReader(payload);
  const user = reader.text();
  const authRevision = reader.varint();
  if (!reader.ok) return null;
  const isNobody = user === "" && authRevision === 0;
  const identity = isNobody ? nobody : new Identity(user, authRevision);
  return new Envelope(identity, reader.position);
}
