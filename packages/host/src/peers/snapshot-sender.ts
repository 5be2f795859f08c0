// Sends one snapshot to one process: offer, chunks within a window and a rate, until the receiver says
// that all is staged. Lost chunks and broken links cost a resend from what the receiver has; a dead
// session or a newer term ends it. Synchronous reads from the page cache, one chunk at a time.
import { must } from "@quorate/base";
import type { Message, Session } from "@quorate/raft";
import type { SnapshotSource } from "@quorate/storage";
import { FrameType } from "./frame.ts";
import type { PeerLink } from "./peer-link.ts";
import {
  chunkBytesMax,
  decodeSnapshotAck,
  decodeSnapshotEnd,
  encodeSnapshotEnd,
  encodeSnapshotOffer,
  totalBytes,
  writeSnapshotChunk,
} from "./snapshot-frames.ts";
import type { SnapshotAck } from "./snapshot-frames.ts";
import { SnapshotPace } from "./snapshot-pace.ts";

/** Reading and checksumming a chunk must not be felt by heartbeats. */
const chunkBytes = Math.min(262_144, chunkBytesMax);
/** Sent and not yet staged by the receiver. */
export const windowBytesMax = 4_194_304;
/** Not answered for so long: say it again from where the receiver is. */
const resendMs = 1000;
const progressMsMax = 30_000;

export interface SenderOptions {
  readonly transfer: number;
  readonly message: Message;
  readonly source: SnapshotSource;
  readonly toSession: Session;
  readonly bytesPerSecond: number;
  readonly tickMs: number;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Once, when it is over. The source is released. */
  readonly done: (ok: boolean, reason: string) => void;
}

export class SnapshotSender {
  readonly transfer: number;
  readonly message: Message;
  readonly toSession: Session;
  readonly #options: SenderOptions;
  readonly #totalBytes: number;
  #link: PeerLink | null;
  /** The receiver answered the offer on this link. */
  #taken: boolean;
  /** Invariant: #written ≤ #next ≤ #totalBytes. */
  #written: number;
  #next: number;
  /** The position last gone back to because of a gap: one loss is resent once. */
  #rewoundTo: number;
  readonly #pace: SnapshotPace;
  #sinceAnswerMs: number;
  #sinceProgressMs: number;
  #ended: boolean;

  constructor(options: SenderOptions) {
    this.transfer = options.transfer;
    this.message = options.message;
    this.toSession = options.toSession;
    this.#options = options;
    this.#totalBytes = totalBytes(options.source.files);
    this.#link = null;
    this.#taken = false;
    this.#written = 0;
    this.#next = 0;
    this.#rewoundTo = -1;
    const { bytesPerSecond, tickMs } = options;
    this.#pace = new SnapshotPace(bytesPerSecond, tickMs, chunkBytes, options.nowMs());
    this.#sinceAnswerMs = 0;
    this.#sinceProgressMs = 0;
    this.#ended = false;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** A link to the receiver stands: for the first time, or again. */
  linkAccepted(link: PeerLink): void {
    this.#link = link;
    this.#offer();
  }

  linkEnded(link: PeerLink): void {
    if (link === this.#link) this.#link = null;
  }

  /** Empty, or why the link must end. */
  handle(link: PeerLink, type: FrameType, body: Uint8Array): string {
    if (link !== this.#link) return "";
    if (type === FrameType.SnapshotAck) {
      const ack = decodeSnapshotAck(body);
      if (ack === null || ack.expected > this.#totalBytes) return "snapshot answer is malformed";
      if (ack.transfer === this.transfer) this.#onAck(ack);
      return "";
    }
    if (type === FrameType.SnapshotEnd) {
      const end = decodeSnapshotEnd(body);
      if (end === null) return "end of a snapshot is malformed";
      if (end.transfer === this.transfer) this.#end(end.ok, end.reason);
      return "";
    }
    return "snapshot frame is out of place";
  }

  /** Room on the link. */
  linkDrained(): void {
    this.#sendChunks();
  }

  tick(ticks: number): void {
    const elapsedMs = ticks * this.#options.tickMs;
    this.#pace.tick(this.#options.nowMs());
    this.#sinceProgressMs += elapsedMs;
    this.#sinceAnswerMs += elapsedMs;
    if (this.#sinceProgressMs > progressMsMax) return this.abort("no progress");
    if (this.#link === null) return;
    if (this.#sinceAnswerMs > resendMs) this.#offer();
    else this.#sendChunks();
  }

  abort(reason: string): void {
    if (this.#ended) return;
    const end = { transfer: this.transfer, ok: false, reason };
    this.#link?.sendFrame(FrameType.SnapshotEnd, encodeSnapshotEnd(end));
    this.#end(false, reason);
  }

  #offer(): void {
    const link = must(this.#link, "an offer needs a link");
    const { message, source } = this.#options;
    this.#taken = false;
    this.#sinceAnswerMs = 0;
    const offer = { transfer: this.transfer, message, files: source.files };
    link.sendFrame(FrameType.SnapshotOffer, encodeSnapshotOffer(offer));
  }

  #onAck(ack: SnapshotAck): void {
    this.#sinceAnswerMs = 0;
    // With everything written the receiver is checking it: that takes what it takes.
    const progress = ack.written > this.#written || ack.written === this.#totalBytes;
    if (progress) this.#sinceProgressMs = 0;
    this.#written = Math.max(this.#written, ack.written);
    if (!this.#taken) {
      this.#taken = true;
      this.#next = ack.expected;
      this.#rewoundTo = -1;
    } else if (ack.expected > this.#next) {
      // An earlier transfer has brought the file that comes next.
      this.#next = ack.expected;
      this.#rewoundTo = -1;
    } else if (ack.gap && ack.expected < this.#next && ack.expected !== this.#rewoundTo) {
      this.#next = ack.expected;
      this.#rewoundTo = ack.expected;
    }
    this.#written = Math.min(this.#written, this.#next);
    this.#sendChunks();
  }

  #sendChunks(): void {
    const link = this.#link;
    while (!this.#ended && link !== null && this.#taken && this.#next < this.#totalBytes) {
      const bytes = this.#nextChunkBytes();
      if (this.#next + bytes - this.#written > windowBytesMax) return;
      if (link.queuedBytes > windowBytesMax || !this.#pace.take(bytes)) return;
      if (!this.#sendChunk(link, bytes)) return;
    }
  }

  #nextChunkBytes(): number {
    const { file, offset } = this.#place();
    return Math.min(chunkBytes, this.#options.source.files[file]!.bytes - offset);
  }

  #sendChunk(link: PeerLink, length: number): boolean {
    const { file, offset } = this.#place();
    const bytes = this.#options.source.readNow(file, offset, length);
    if (bytes.length !== length) {
      this.abort(`file ${this.#options.source.files[file]!.name} cannot be read`);
      return false;
    }
    const writer = link.writer(length + 64);
    writer.begin(FrameType.SnapshotChunk);
    writeSnapshotChunk(writer.body, this.transfer, this.#next, bytes);
    writer.end();
    if (!link.sendWritten(writer)) return false;
    this.#next += length;
    return true;
  }

  /** Where #next stands: the file that holds it; empty files hold nothing. */
  #place(): { readonly file: number; readonly offset: number } {
    const { files } = this.#options.source;
    let offset = this.#next;
    let file = 0;
    while (offset >= files[file]!.bytes) offset -= files[file++]!.bytes;
    return { file, offset };
  }

  #end(ok: boolean, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.source.release();
    this.#options.done(ok, reason);
  }
}
