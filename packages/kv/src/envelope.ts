// The payload of an operation's entry: who asks, by which revision of the auth store, and behind it
// the client's request bytes unchanged (DESIGN.md 10). On disk and between members.
import { ByteReader, ByteWriter } from "@quorate/base";

export class Envelope {
  readonly user: string;
  readonly authRevision: number;
  /** Where the request begins in the payload. */
  readonly requestAt: number;

  constructor(user: string, authRevision: number, requestAt: number) {
    this.user = user;
    this.authRevision = authRevision;
    this.requestAt = requestAt;
  }
}

export function encodeEnvelope(
  user: string,
  authRevision: number,
  request: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter(request.length + user.length + 16);
  writer.text(user);
  writer.varint(authRevision);
  writer.bytes(request);
  return writer.take();
}

/** Null: not an envelope. */
export function decodeEnvelope(payload: Uint8Array): Envelope | null {
  const reader = new ByteReader(payload);
  const user = reader.text();
  const authRevision = reader.varint();
  return reader.ok ? new Envelope(user, authRevision, reader.position) : null;
}
