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

/** Cuts a stream of bytes into messages, holding back at most one unfinished message. */
export class MessageReader {
  readonly #messageBytesMax: number;
  #pending: Buffer | null;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
    this.#pending = null;
  }

  /** Calls `each` for every complete message; the error ends the stream. */
  push(chunk: Buffer, each: (message: Uint8Array) => void): FrameError | null {
    let bytes = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = null;
    while (bytes.length >= prefixBytes) {
      if (bytes[0] !== 0) {
        return FrameError.Compressed;
      }
      const length = bytes.readUInt32BE(1);
      if (length > this.#messageBytesMax) {
        return FrameError.TooLarge;
      }
      if (bytes.length < prefixBytes + length) {
        break;
      }
      each(bytes.subarray(prefixBytes, prefixBytes + length));
      bytes = bytes.subarray(prefixBytes + length);
    }
    if (bytes.length > 0) {
      this.#pending = bytes;
    }
    return null;
  }

  /** Bytes of an unfinished message are waiting. */
  get partial(): boolean {
    return this.#pending !== null;
  }
}
