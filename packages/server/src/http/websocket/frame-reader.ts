// What a WebSocket client sends (RFC 6455 §5), out of bytes that arrive in any pieces. The payload of a
// message is handed on as it comes: nothing of it is gathered here, and what is (a header, the payload of
// a control frame) has at most 125 + 14 bytes. Text is not checked to be UTF-8: whoever reads it does.

export const Opcode = {
  Continuation: 0,
  Text: 1,
  Binary: 2,
  Close: 8,
  Ping: 9,
  Pong: 10,
} as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** Why a connection ends (§7.4.1). */
export const CloseCode = {
  Normal: 1000,
  GoingAway: 1001,
  ProtocolError: 1002,
  NoStatus: 1005,
  InvalidData: 1007,
  TooLarge: 1009,
} as const;

export const controlBytesMax = 125;
const maskBytes = 4;
const codeMin = 1000;
const codeMax = 4999;

export interface FrameHandler {
  /** A piece of the present message; it is the handler's to keep. */
  data(piece: Buffer): void;
  messageEnd(): void;
  ping(payload: Buffer): void;
  /** The client will send no more; `code` is NoStatus when it gave none. */
  close(code: number): void;
  /** The client broke the rules; nothing is read any more. */
  broken(code: number): void;
}

interface Frame {
  readonly final: boolean;
  readonly opcode: number;
  readonly payloadBytes: number;
  readonly mask: Buffer;
  readonly headerBytes: number;
}

export class FrameReader {
  readonly #messageBytesMax: number;
  readonly #handler: FrameHandler;
  /** Begun, and not yet whole: a header, or a control frame. */
  #pending: Buffer;
  /** Of the data frame that is being read; null: between frames. */
  #frame: Frame | null;
  #frameRead: number;
  /** Between the first and the last frame of a message. */
  #inMessage: boolean;
  #messageBytes: number;
  #done: boolean;

  constructor(messageBytesMax: number, handler: FrameHandler) {
    this.#messageBytesMax = messageBytesMax;
    this.#handler = handler;
    this.#pending = Buffer.alloc(0);
    this.#frame = null;
    this.#frameRead = 0;
    this.#inMessage = false;
    this.#messageBytes = 0;
    this.#done = false;
  }

  /** Nothing is read any more. */
  stop(): void {
    this.#done = true;
  }

  /** `chunk` is unmasked in place. */
  push(chunk: Buffer): void {
    let rest = chunk;
    while (!this.#done && rest.length > 0) {
      rest = this.#frame === null ? this.#begin(rest) : this.#payload(this.#frame, rest);
    }
  }

  /** Gathers a header, with the payload of a control frame; what is left of the bytes. */
  #begin(bytes: Buffer): Buffer {
    const all = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const frame = frameOf(all);
    if (typeof frame === "number") return this.#break(frame);
    const isControl = frame !== null && frame.opcode >= Opcode.Close;
    const wanted =
      frame === null ? Infinity : frame.headerBytes + (isControl ? frame.payloadBytes : 0);
    if (frame === null || all.length < wanted) {
      // A copy: the pieces must not keep the chunks that they came in.
      this.#pending = Buffer.from(all);
      return Buffer.alloc(0);
    }
    this.#pending = Buffer.alloc(0);
    if (isControl) this.#control(frame, all.subarray(frame.headerBytes, wanted));
    else this.#beginData(frame);
    return all.subarray(wanted);
  }

  #beginData(frame: Frame): void {
    const continues = frame.opcode === Opcode.Continuation;
    if (continues !== this.#inMessage) return void this.#break(CloseCode.ProtocolError);
    this.#messageBytes += frame.payloadBytes;
    if (this.#messageBytes > this.#messageBytesMax) return void this.#break(CloseCode.TooLarge);
    this.#inMessage = true;
    this.#frame = frame;
    this.#frameRead = 0;
    if (frame.payloadBytes === 0) this.#endFrame(frame);
  }

  #payload(frame: Frame, bytes: Buffer): Buffer {
    const piece = bytes.subarray(0, frame.payloadBytes - this.#frameRead);
    unmask(piece, frame.mask, this.#frameRead);
    this.#frameRead += piece.length;
    this.#handler.data(piece);
    if (this.#frameRead === frame.payloadBytes) this.#endFrame(frame);
    return bytes.subarray(piece.length);
  }

  #endFrame(frame: Frame): void {
    this.#frame = null;
    if (!frame.final) return;
    this.#inMessage = false;
    this.#messageBytes = 0;
    if (!this.#done) this.#handler.messageEnd();
  }

  #control({ opcode, mask }: Frame, payload: Buffer): void {
    unmask(payload, mask, 0);
    if (opcode === Opcode.Ping) {
      this.#handler.ping(payload);
    } else if (opcode === Opcode.Close) {
      const code = payload.length === 0 ? CloseCode.NoStatus : closeCodeOf(payload);
      if (code === null) return void this.#break(CloseCode.ProtocolError);
      this.#done = true;
      this.#handler.close(code);
    }
  }

  #break(code: number): Buffer {
    this.#done = true;
    this.#handler.broken(code);
    return Buffer.alloc(0);
  }
}

/** Null: its header is not whole yet; a number: why there is no such frame. */
function frameOf(bytes: Buffer): Frame | number | null {
  if (bytes.length < 2) return null;
  const [first, second] = [bytes[0]!, bytes[1]!];
  const final = (first & 0x80) !== 0;
  const opcode = first & 0x0f;
  const short = second & 0x7f;
  const known = opcode <= Opcode.Binary || (opcode >= Opcode.Close && opcode <= Opcode.Pong);
  const isControl = opcode >= Opcode.Close;
  // Reserved bits mean extensions, of which none is agreed on; a client always masks.
  if ((first & 0x70) !== 0 || !known || (second & 0x80) === 0) return CloseCode.ProtocolError;
  if (isControl && (!final || short > controlBytesMax)) return CloseCode.ProtocolError;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const headerBytes = 2 + lengthBytes + maskBytes;
  if (bytes.length < headerBytes) return null;
  const payloadBytes = lengthBytes === 0 ? short : longLength(bytes, lengthBytes);
  const mask = Buffer.from(bytes.subarray(headerBytes - maskBytes, headerBytes));
  return { final, opcode, payloadBytes, mask, headerBytes };
}

/** Lengths above 2^53 lose precision, and are too large anyway. */
function longLength(bytes: Buffer, lengthBytes: 2 | 8): number {
  if (lengthBytes === 2) return bytes.readUInt16BE(2);
  return bytes.readUInt32BE(2) * 0x1_0000_0000 + bytes.readUInt32BE(6);
}

function unmask(bytes: Buffer, mask: Buffer, from: number): void {
  for (let at = 0; at < bytes.length; at += 1) bytes[at]! ^= mask[(from + at) % maskBytes]!;
}

/** Null: not one that a client may send. */
function closeCodeOf(payload: Buffer): number | null {
  if (payload.length < 2) return null;
  const code = payload.readUInt16BE(0);
  const reserved = code === 1004 || code === CloseCode.NoStatus || code === 1006;
  const unassigned = code > 1014 && code < 3000;
  return code < codeMin || code > codeMax || reserved || unassigned ? null : code;
}
