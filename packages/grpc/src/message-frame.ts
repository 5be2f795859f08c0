// The five bytes before every gRPC message on a stream: a compression flag and a length.
// Compressed messages are refused: no etcd client sends them unless told so by the server.

const prefixBytes = 5;

/** The message with its prefix, in one buffer. */
export function frameMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(prefixBytes + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefixBytes);
  return framed;
}

export const FrameError = { TooLarge: 1, Compressed: 2, Truncated: 3 } as const;
export type FrameError = (typeof FrameError)[keyof typeof FrameError];

const noBytes = Buffer.alloc(0);
/** Room for an unfinished message at first; what its prefix promises is believed as it arrives. */
const roomMin = 64;

/**
 * Cuts a stream of bytes into messages, holding back at most one unfinished message. Pieces of it are
 * copied into room that doubles: in pieces of a byte each it costs no object for each, and no more
 * copying than in one (CVE-2026-84304).
 */
export class MessageReader {
  readonly #messageBytesMax: number;
  /** Of the unfinished message, prefix included. */
  #room: Buffer;
  #length: number;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
    this.#room = noBytes;
    this.#length = 0;
  }

  /** Calls `each` for every complete message; the error ends the stream. */
  push(chunk: Buffer, each: (message: Uint8Array) => void): FrameError | null {
    let rest = chunk;
    while (this.#length > 0) {
      const wanted = this.#length < prefixBytes ? prefixBytes : this.#wanted();
      const taken = Math.min(wanted - this.#length, rest.length);
      this.#append(rest.subarray(0, taken), wanted);
      rest = rest.subarray(taken);
      if (this.#length < prefixBytes) return null;
      const error = this.#check(this.#room);
      if (error !== null) return error;
      if (this.#length === this.#wanted()) {
        const message = this.#room.subarray(prefixBytes, this.#length);
        this.#room = noBytes;
        this.#length = 0;
        each(message);
      } else if (rest.length === 0) {
        return null;
      }
    }
    return this.#cut(rest, each);
  }

  /** Bytes of an unfinished message are waiting. */
  get partial(): boolean {
    return this.#length > 0;
  }

  /** Nothing is held back: messages are cut out of the chunk itself. */
  #cut(chunk: Buffer, each: (message: Uint8Array) => void): FrameError | null {
    let rest = chunk;
    while (rest.length >= prefixBytes) {
      const error = this.#check(rest);
      if (error !== null) return error;
      const end = prefixBytes + rest.readUInt32BE(1);
      if (rest.length < end) break;
      each(rest.subarray(prefixBytes, end));
      rest = rest.subarray(end);
    }
    if (rest.length > 0) this.#append(rest, rest.length);
    return null;
  }

  #check(bytes: Buffer): FrameError | null {
    if (bytes[0] !== 0) return FrameError.Compressed;
    return bytes.readUInt32BE(1) > this.#messageBytesMax ? FrameError.TooLarge : null;
  }

  /** Bytes of the unfinished message in all; its prefix is there. */
  #wanted(): number {
    return prefixBytes + this.#room.readUInt32BE(1);
  }

  #append(bytes: Buffer, wanted: number): void {
    const length = this.#length + bytes.length;
    if (length > this.#room.length) {
      const size = Math.max(roomMin, length, Math.min(wanted, 2 * this.#room.length));
      const room = Buffer.allocUnsafeSlow(size);
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    bytes.copy(this.#room, this.#length);
    this.#length = length;
  }
}
