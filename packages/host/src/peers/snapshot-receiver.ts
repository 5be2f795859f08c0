// Receives one snapshot at a time into a sink: chunks in order, one write at a time, checked whole at
// the end. Keeps what is staged for a while when the link breaks. The host installs it.
import { must, Ring } from "@quorate/base";
import type { Message, NodeId, Session } from "@quorate/raft";
import type { CheckpointInfo, Env, SnapshotFile, SnapshotSink } from "@quorate/storage";
import { FrameType } from "./frame.ts";
import type { Hello } from "./hello.ts";
import type { PeerLink } from "./peer-link.ts";
import type { PeersConfig, PeersEvents } from "./peers-api.ts";
import {
  decodeSnapshotChunk,
  decodeSnapshotEnd,
  decodeSnapshotOffer,
  encodeSnapshotAck,
  encodeSnapshotEnd,
  totalBytes,
} from "./snapshot-frames.ts";
import type { SnapshotChunk, SnapshotOffer } from "./snapshot-frames.ts";
import { windowBytesMax } from "./snapshot-sender.ts";

const progressMsMax = 30_000;
/** Chunks waiting for the disk: an honest sender's window, in its smallest pieces. */
const chunksMax = 4096;

/** One transfer on its way in. */
class Incoming {
  readonly from: NodeId;
  readonly session: Session;
  readonly transfer: number;
  readonly message: Message;
  readonly files: readonly SnapshotFile[];
  readonly sink: SnapshotSink;
  readonly totalBytes: number;
  link: PeerLink | null;
  readonly chunks: Ring<SnapshotChunk>;
  /** Invariant: written ≤ expected ≤ totalBytes. Files that the sink holds count as both. */
  written: number;
  expected: number;
  /** Of the chunks that wait for the disk, the one that is written among them. */
  waitingBytes: number;
  writing: boolean;
  finishing: boolean;
  sinceProgressMs: number;

  constructor(hello: Hello, offer: SnapshotOffer, sink: SnapshotSink, link: PeerLink) {
    this.from = hello.raftId;
    this.session = hello.session;
    this.transfer = offer.transfer;
    this.message = offer.message;
    this.files = offer.files;
    this.sink = sink;
    this.totalBytes = totalBytes(offer.files);
    this.link = link;
    this.chunks = new Ring(chunksMax);
    this.written = 0;
    this.expected = 0;
    this.waitingBytes = 0;
    this.writing = false;
    this.finishing = false;
    this.sinceProgressMs = 0;
    this.skipHeld();
  }

  /** What an earlier transfer has brought need not come again. */
  skipHeld(): void {
    this.expected = this.#pastHeld(this.expected);
    this.written = this.#pastHeld(this.written);
  }

  #pastHeld(position: number): number {
    let start = 0;
    let at = position;
    for (let file = 0; file < this.files.length && start <= at; file++) {
      const { bytes } = this.files[file]!;
      if (start === at && this.sink.holds(file)) at += bytes;
      start += bytes;
    }
    return at;
  }
}

/** How the last transfer ended: its sender may ask again. */
interface Outcome {
  readonly from: NodeId;
  readonly session: Session;
  readonly transfer: number;
  readonly ok: boolean;
  readonly reason: string;
}

export class SnapshotReceiver {
  readonly #env: Env;
  readonly #config: PeersConfig;
  readonly #events: PeersEvents;
  #present: Incoming | null;
  #last: Outcome | null;

  constructor(env: Env, config: PeersConfig, events: PeersEvents) {
    this.#env = env;
    this.#config = config;
    this.#events = events;
    this.#present = null;
    this.#last = null;
  }

  /** Empty, or why the link must end. */
  handle(link: PeerLink, type: FrameType, body: Uint8Array): string {
    const hello = must(link.hello, "an accepted link has a hello");
    if (type === FrameType.SnapshotOffer) return this.#onOffer(link, hello, body);
    if (type === FrameType.SnapshotChunk) return this.#onChunk(link, hello, body);
    if (type === FrameType.SnapshotEnd) return this.#onEnd(hello, body);
    return "snapshot frame is out of place";
  }

  get isReceiving(): boolean {
    return this.#present !== null;
  }

  linkEnded(link: PeerLink): void {
    if (this.#present?.link === link) this.#present.link = null;
  }

  sessionEnded(raftId: NodeId, session: Session): void {
    const present = this.#present;
    if (present === null || present.from !== raftId || present.session !== session) return;
    this.#abandon(present, "the sender's process has ended");
  }

  tick(ticks: number): void {
    const present = this.#present;
    if (present === null) return;
    // While the disk is at work the time is its own.
    const waits = !present.writing && !present.finishing;
    if (waits) present.sinceProgressMs += ticks * this.#config.tickMs;
    if (present.sinceProgressMs > progressMsMax) this.#abandon(present, "no progress");
    else if (this.#events.hello().term > present.message.term) this.#abandon(present, "newer term");
  }

  close(): void {
    if (this.#present !== null) this.#abandon(this.#present, "stopped");
  }

  // ---- Offers --------------------------------------------------------------------------------------

  #onOffer(link: PeerLink, hello: Hello, body: Uint8Array): string {
    const offer = decodeSnapshotOffer(body);
    if (offer === null) return "snapshot offer is malformed";
    const { message, transfer } = offer;
    const mine = message.from === hello.raftId && message.to === this.#config.raftId;
    if (!mine || message.session !== hello.session) return "snapshot offer of another process";
    const last = this.#last;
    if (last !== null && isSame(last, hello, transfer)) {
      sayEnd(link, last);
      return "";
    }
    const present = this.#present;
    if (present !== null && isSame(present, hello, transfer)) {
      present.link = link;
      sayAck(present, false);
    } else if (present !== null && !supersedes(hello, message, present)) {
      sayEnd(link, { transfer, ok: false, reason: "another snapshot is being received" });
    } else {
      if (present !== null) this.#abandon(present, "superseded by a newer offer");
      this.#begin(link, hello, offer);
    }
    return "";
  }

  #begin(link: PeerLink, hello: Hello, offer: SnapshotOffer): void {
    const { transfer, files, message } = offer;
    const checkpointId = must(message.snapshot, "an InstallSnapshot has a snapshot").checkpointId;
    const sink = this.#events.stageSnapshot(files, checkpointId);
    if (sink === null) {
      sayEnd(link, { transfer, ok: false, reason: "snapshots are not received now" });
      return;
    }
    const present = new Incoming(hello, offer, sink, link);
    this.#present = present;
    this.#env.trace.info("snapshot receiving", {
      from: present.from,
      index: message.snapshot?.index ?? 0,
      bytes: present.totalBytes,
      held: heldBytes(present),
      files: files.length,
    });
    sayAck(present, false);
    this.#writeNext(present);
  }

  #onEnd(hello: Hello, body: Uint8Array): string {
    const end = decodeSnapshotEnd(body);
    if (end === null) return "end of a snapshot is malformed";
    const present = this.#present;
    if (present !== null && isSame(present, hello, end.transfer)) {
      this.#abandon(present, `given up by its sender: ${end.reason}`);
    }
    return "";
  }

  // ---- Chunks --------------------------------------------------------------------------------------

  #onChunk(link: PeerLink, hello: Hello, body: Uint8Array): string {
    const chunk = decodeSnapshotChunk(body);
    if (chunk === null) return "snapshot chunk is malformed";
    const present = this.#present;
    if (present === null || !isSame(present, hello, chunk.transfer)) return "";
    if (present.link !== link) return "";
    // Another one is due: what came is here already, or a chunk before it was lost.
    if (chunk.position !== present.expected) {
      sayAck(present, chunk.position > present.expected);
      return "";
    }
    const { file, offset } = placeOf(present.files, chunk.position);
    if (file < 0 || offset + chunk.bytes.length > present.files[file]!.bytes) {
      return "snapshot chunk crosses the end of its file";
    }
    const waiting = present.waitingBytes + chunk.bytes.length;
    if (waiting > windowBytesMax || !present.chunks.push(chunk)) {
      return "snapshot chunks beyond the window";
    }
    present.waitingBytes = waiting;
    present.expected += chunk.bytes.length;
    present.skipHeld();
    this.#writeNext(present);
    return "";
  }

  /** One write at a time; the end when all is written. */
  #writeNext(present: Incoming): void {
    if (present.writing || present.finishing) return;
    if (present.written === present.totalBytes) return this.#finish(present);
    const chunk = present.chunks.shift();
    if (chunk === null) return;
    const { file, offset } = placeOf(present.files, chunk.position);
    present.writing = true;
    present.sink.write(file, offset, chunk.bytes, () => {
      present.writing = false;
      if (this.#present !== present) return;
      present.waitingBytes -= chunk.bytes.length;
      present.written += chunk.bytes.length;
      present.skipHeld();
      present.sinceProgressMs = 0;
      sayAck(present, false);
      this.#writeNext(present);
    });
  }

  #finish(present: Incoming): void {
    present.finishing = true;
    present.sink.finish((ok, checkpoint) => {
      if (this.#present !== present) return;
      this.#present = null;
      const staged = ok && checkpoint !== null;
      this.#over(present, staged, staged ? "" : "the bytes do not match the offer");
      if (staged) this.#staged(present, checkpoint);
    });
  }

  #staged(present: Incoming, checkpoint: CheckpointInfo): void {
    this.#env.trace.info("snapshot staged", { from: present.from, bytes: present.totalBytes });
    this.#events.onSnapshotStaged(present.message, present.sink, checkpoint);
  }

  #abandon(present: Incoming, reason: string): void {
    this.#present = null;
    present.sink.abandon();
    this.#over(present, false, reason);
  }

  #over(present: Incoming, ok: boolean, reason: string): void {
    const { from, session, transfer } = present;
    this.#last = { from, session, transfer, ok, reason };
    if (!ok) this.#env.trace.warn("snapshot not received", { from, reason });
    if (present.link !== null) sayEnd(present.link, this.#last);
  }
}

function isSame(
  known: { readonly from: NodeId; readonly session: Session; readonly transfer: number },
  hello: Hello,
  transfer: number,
): boolean {
  return (
    known.from === hello.raftId && known.session === hello.session && known.transfer === transfer
  );
}

/** The same process has started anew, or a leader of a newer term offers. */
function supersedes(hello: Hello, message: Message, present: Incoming): boolean {
  return hello.raftId === present.from || message.term > present.message.term;
}

function heldBytes({ files, sink }: Incoming): number {
  return totalBytes(files.filter((_, file) => sink.holds(file)));
}

/** The file that holds a position, and where in it; file -1: beyond the end. */
function placeOf(
  files: readonly SnapshotFile[],
  position: number,
): { readonly file: number; readonly offset: number } {
  let offset = position;
  for (let file = 0; file < files.length; file++) {
    if (offset < files[file]!.bytes) return { file, offset };
    offset -= files[file]!.bytes;
  }
  return { file: -1, offset };
}

function sayAck(present: Incoming, gap: boolean): void {
  const { transfer, written, expected } = present;
  const ack = encodeSnapshotAck({ transfer, written, expected, gap });
  present.link?.sendFrame(FrameType.SnapshotAck, ack);
}

function sayEnd(
  link: PeerLink,
  end: { readonly transfer: number; readonly ok: boolean; readonly reason: string },
): void {
  link.sendFrame(FrameType.SnapshotEnd, encodeSnapshotEnd(end));
}
