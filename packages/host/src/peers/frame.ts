// The frames in which two members speak: length, type, number, checksums, body. Writing, and an
// incremental parser that takes any bytes cut anywhere. What a body means is not known here.
//
//   0  u32  bytes of the body
//   4  u8   type
//   5  u8   zero
//   6  u16  bytes of the body's first part; 0: all of it is one part
//   8  u32  number of the frame on its link and direction, from 1
//  12  u32  CRC32C of the first part
//  16  u32  CRC32C of the second part, 0 when there is none
//  20  u32  CRC32C of the 20 bytes above
//
// The header has its own checksum so that a flipped length is found at once and not waited for.
// The second part exists so that the entries of an AppendEntries are encoded and checksummed once
// for all followers. Integers are little-endian.
import { assert, ByteWriter, crc32c, emptyBytes, readU16, readU32 } from "@quorate/base";
import { FrameWindow } from "./frame-window.ts";

/** On the wire: never reuse a value. */
export const FrameType = {
  Hello: 1,
  Refusal: 2,
  /** Nothing to say, still here. */
  KeepAlive: 3,
  /** This process stops on purpose: its links end, and that is no evidence of a crash (P6). */
  Bye: 4,
  /** In place of a hello: who am I in your cluster? Answered, and the link ends (joining.ts). */
  JoinAsk: 5,
  JoinAnswer: 6,
  /** In place of a hello: your cluster goes on without you. Answered by a refusal (announcement.ts). */
  Superseded: 7,
  /** One Raft message. */
  Message: 16,
  Digest: 17,
  /** When was this raft id heard last? And the answer (P3). */
  SilenceAsk: 18,
  SilenceAnswer: 19,
  /** Its state is lost: the leader is asked for a snapshot that reaches as far as it had applied. */
  StateAsk: 20,
  /** Entries of its log are lost, and nobody leads: who has them? And the answer. */
  LogAsk: 21,
  LogAnswer: 22,
  ForwardProposal: 32,
  ForwardAnswer: 33,
  ForwardRead: 34,
  ForwardReadAnswer: 35,
  /** Of the leader, about a lease: renew it, or how long has it left? And the answer. */
  LeaseAsk: 36,
  LeaseAnswer: 37,
  SnapshotOffer: 48,
  SnapshotChunk: 49,
  SnapshotAck: 50,
  SnapshotEnd: 51,
  Genesis: 64,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export const frameHeaderBytes = 24;
export const frameBodyBytesMax = 67_108_864;
/** Until the hello is accepted. */
export const helloBodyBytesMax = 4096;
const headBytesMax = 65_535;
const partialBytesMin = 65_536;

const frameTypes: ReadonlySet<number> = new Set(Object.values(FrameType));

export class Frame {
  readonly type: FrameType;
  /** A view of the received bytes where the frame came whole. */
  readonly body: Uint8Array;

  constructor(type: FrameType, body: Uint8Array) {
    this.type = type;
    this.body = body;
  }
}

/** Frames for one link, one after the other in one buffer that is handed over without a copy. */
export class FrameWriter {
  /** The body of the frame that is open is written here. */
  readonly body: ByteWriter;
  #number: number;
  #start: number;
  #type: number;
  #frames: number;

  /** `lastNumber`: of the frame sent before on this link. */
  constructor(lastNumber: number, bytesExpected: number) {
    this.body = new ByteWriter(Math.max(bytesExpected, frameHeaderBytes));
    this.#number = lastNumber;
    this.#start = -1;
    this.#type = 0;
    this.#frames = 0;
  }

  get lastNumber(): number {
    return this.#number;
  }

  get frames(): number {
    return this.#frames;
  }

  begin(type: FrameType): void {
    assert(this.#start === -1, "FrameWriter: a frame is open");
    this.#start = this.body.length;
    this.#type = type;
    for (let at = 0; at < frameHeaderBytes; at += 4) this.body.u32(0);
  }

  end(): void {
    this.#header(0, this.body.checksum(this.#start + frameHeaderBytes), 0);
  }

  /** Ends the frame with a second part whose checksum is known already. */
  endWith(second: Uint8Array, secondCrc: number): void {
    const from = this.#start + frameHeaderBytes;
    const head = this.body.length - from;
    assert(head > 0 && head <= headBytesMax, "FrameWriter: first part empty or too long");
    const crc = this.body.checksum(from);
    this.body.bytes(second);
    this.#header(head, crc, secondCrc);
  }

  /** All frames; nothing may be written afterwards. */
  take(): Uint8Array {
    assert(this.#start === -1, "FrameWriter: a frame is open");
    return this.body.view();
  }

  #header(head: number, firstCrc: number, secondCrc: number): void {
    const start = this.#start;
    assert(start >= 0, "FrameWriter: no frame is open");
    const length = this.body.length - start - frameHeaderBytes;
    assert(length <= frameBodyBytesMax, "FrameWriter: body too long");
    this.#number = (this.#number + 1) >>> 0;
    this.#frames++;
    this.body.patchU32(start, length);
    this.body.patchU32(start + 4, (this.#type | (head << 16)) >>> 0);
    this.body.patchU32(start + 8, this.#number);
    this.body.patchU32(start + 12, firstCrc);
    this.body.patchU32(start + 16, secondCrc);
    this.body.patchU32(start + 20, this.body.checksum(start, start + 20));
    this.#start = -1;
  }
}

/**
 * Feed what came, then take frames until null, then feed again. The first bad byte sets `error`
 * for good. Holds one frame of `bodyBytesMax` at most, and of it little more than what came.
 */
export class FrameParser {
  /** Raised by the owner once the hello is accepted. */
  bodyBytesMax: number;
  #chunk: Uint8Array;
  /** Where the next unread byte stands in #chunk. */
  #offset: number;
  /** What earlier chunks brought of a header or body that is not whole yet. */
  #partial: Uint8Array;
  #partialBytes: number;
  /** Of the frame whose body is awaited; valid while #haveHeader. */
  readonly #header: Uint8Array;
  #haveHeader: boolean;
  #error: string;
  readonly #window: FrameWindow;
  #duplicates: number;

  constructor(bodyBytesMax: number) {
    this.bodyBytesMax = bodyBytesMax;
    this.#chunk = emptyBytes;
    this.#offset = 0;
    this.#partial = emptyBytes;
    this.#partialBytes = 0;
    this.#header = new Uint8Array(frameHeaderBytes);
    this.#haveHeader = false;
    this.#error = "";
    this.#window = new FrameWindow();
    this.#duplicates = 0;
  }

  /** Empty, or why nothing of this link can be believed any more. */
  get error(): string {
    return this.#error;
  }

  /** Frames that came twice and were given out once. */
  get duplicates(): number {
    return this.#duplicates;
  }

  feed(bytes: Uint8Array): void {
    if (this.#error !== "") return;
    assert(this.#offset === this.#chunk.length, "FrameParser: fed before it was drained");
    this.#chunk = bytes;
    this.#offset = 0;
  }

  next(): Frame | null {
    while (this.#error === "" && (this.#haveHeader || this.#readHeader())) {
      const body = this.#take(readU32(this.#header, 0));
      if (body === null) return null;
      this.#haveHeader = false;
      if (!this.#checkBody(body)) return null;
      if (this.#window.accept(readU32(this.#header, 8))) {
        return new Frame(this.#header[4]! as FrameType, body);
      }
      this.#duplicates++;
    }
    return null;
  }

  #readHeader(): boolean {
    const header = this.#header;
    if (!this.#takeHeader()) return false;
    const length = readU32(header, 0);
    if (crc32c(header, 0, 20) !== readU32(header, 20)) {
      this.#error = "frame header checksum is wrong";
    } else if (length > this.bodyBytesMax) {
      this.#error = `frame of ${length} bytes, at most ${this.bodyBytesMax} are allowed`;
    } else if (!frameTypes.has(header[4]!) || header[5] !== 0) {
      this.#error = `unknown frame type ${header[4]!}`;
    } else if (readU16(header, 6) > length) {
      this.#error = "frame part is longer than the frame";
    }
    this.#haveHeader = this.#error === "";
    return this.#haveHeader;
  }

  /** Most come whole, and a view of 24 bytes costs more than they do. */
  #takeHeader(): boolean {
    if (this.#partialBytes > 0 || this.#offset + frameHeaderBytes > this.#chunk.length) {
      const header = this.#take(frameHeaderBytes);
      if (header !== null) this.#header.set(header);
      return header !== null;
    }
    for (let at = 0; at < frameHeaderBytes; at++) {
      this.#header[at] = this.#chunk[this.#offset + at]!;
    }
    this.#offset += frameHeaderBytes;
    return true;
  }

  #checkBody(body: Uint8Array): boolean {
    const head = readU16(this.#header, 6);
    const split = head === 0 ? body.length : head;
    const ok =
      crc32c(body, 0, split) === readU32(this.#header, 12) &&
      (head === 0 ? 0 : crc32c(body, split)) === readU32(this.#header, 16);
    if (!ok) this.#error = "frame checksum is wrong";
    return ok;
  }

  /** The next `length` bytes, a view where they lie in one chunk; null until all are here. */
  #take(length: number): Uint8Array | null {
    if (length === 0) return emptyBytes;
    const here = Math.min(length - this.#partialBytes, this.#chunk.length - this.#offset);
    const piece = this.#chunk.subarray(this.#offset, this.#offset + here);
    this.#offset += here;
    if (here === length) return piece;
    this.#keep(piece, length);
    if (this.#partialBytes < length) return null;
    const whole = this.#partial;
    this.#partial = emptyBytes;
    this.#partialBytes = 0;
    return whole.length === length ? whole : whole.subarray(0, length);
  }

  /** Grows with what came, not with the length that a header claims. */
  #keep(piece: Uint8Array, length: number): void {
    const need = this.#partialBytes + piece.length;
    if (need > this.#partial.length) {
      const grown = new Uint8Array(Math.min(length, Math.max(2 * need, partialBytesMin)));
      grown.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = grown;
    }
    this.#partial.set(piece, this.#partialBytes);
    this.#partialBytes = need;
  }
}
