// What waits to leave on one link class to one member: bounded in count and bytes, encoded only when
// it leaves, all of a turn in one send. Knows frames and Raft messages, not links' life.
import { ByteWriter, crc32c, emptyBytes, Ring } from "@quorate/base";
import { encodeEntries, encodeMessageHead, entryBytes, MessageType } from "@quorate/raft";
import type { Entry, Message } from "@quorate/raft";
import { FrameType, frameHeaderBytes } from "./frame.ts";
import type { FrameWriter } from "./frame.ts";
import type { PeerLink } from "./peer-link.ts";

/** One send carries about so much at most, so that a huge backlog leaves in pieces. */
const sendBytesMax = 4_194_304;
/** The link itself holds about so much before the queue keeps the rest, where it is bounded. */
const linkBytesMax = 8_388_608;
const messageHeadBytes = 160;

class Waiting {
  readonly type: FrameType;
  readonly message: Message | null;
  readonly body: Uint8Array;
  readonly bytes: number;

  constructor(type: FrameType, message: Message | null, body: Uint8Array, bytes: number) {
    this.type = type;
    this.message = message;
    this.body = body;
    this.bytes = bytes;
  }
}

/** Entries parts of one flush, encoded once for all followers. */
export class EncodedEntries {
  readonly #parts: Map<readonly Entry[], EntriesPart>;

  constructor() {
    this.#parts = new Map();
  }

  of(entries: readonly Entry[]): EntriesPart {
    let part = this.#parts.get(entries);
    if (part === undefined) {
      const writer = new ByteWriter(entriesBytes(entries) + 64);
      encodeEntries(writer, entries);
      const bytes = writer.view();
      part = { bytes, crc: crc32c(bytes) };
      this.#parts.set(entries, part);
    }
    return part;
  }

  clear(): void {
    if (this.#parts.size > 0) this.#parts.clear();
  }
}

interface EntriesPart {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

export class SendQueue {
  readonly #queue: Ring<Waiting>;
  readonly #bytesMax: number;
  #bytes: number;
  #dropped: number;

  constructor(messagesMax: number, bytesMax: number) {
    this.#queue = new Ring(messagesMax);
    this.#bytesMax = bytesMax;
    this.#bytes = 0;
    this.#dropped = 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Messages that found no room, or whose link or session ended. */
  get dropped(): number {
    return this.#dropped;
  }

  pushMessage(message: Message): boolean {
    const bytes = messageHeadBytes + entriesBytes(message.entries);
    return this.#push(new Waiting(FrameType.Message, message, emptyBytes, bytes));
  }

  pushFrame(type: FrameType, body: Uint8Array): boolean {
    return this.#push(new Waiting(type, null, body, frameHeaderBytes + body.length));
  }

  /** The messages were for a session that is gone. */
  discard(): void {
    this.#dropped += this.#queue.size;
    this.#queue.clear();
    this.#bytes = 0;
  }

  /**
   * What the link holds back stays, for when it has drained. False: messages were lost, because the
   * link took nothing. `stamp`: called with each heartbeat at the moment it leaves.
   */
  flush(link: PeerLink, entries: EncodedEntries, stamp: (message: Message) => void): boolean {
    while (this.#queue.size > 0 && link.queuedBytes <= linkBytesMax) {
      const writer = link.writer(Math.min(this.#bytes, sendBytesMax) + 64);
      while (this.#queue.size > 0 && writer.body.length < sendBytesMax) {
        const next = this.#queue.shift()!;
        this.#bytes -= next.bytes;
        put(writer, next, entries, stamp);
      }
      if (!link.sendWritten(writer)) {
        this.#dropped += writer.frames;
        return false;
      }
    }
    return true;
  }

  #push(waiting: Waiting): boolean {
    // A single item larger than the bound still goes alone, as in the core's windows.
    const fits = this.#queue.size === 0 || this.#bytes + waiting.bytes <= this.#bytesMax;
    if (!fits || !this.#queue.push(waiting)) {
      this.#dropped++;
      return false;
    }
    this.#bytes += waiting.bytes;
    return true;
  }
}

function put(
  writer: FrameWriter,
  waiting: Waiting,
  entries: EncodedEntries,
  stamp: (message: Message) => void,
): void {
  writer.begin(waiting.type);
  const message = waiting.message;
  if (message === null) {
    writer.body.bytes(waiting.body);
    writer.end();
    return;
  }
  if (message.type === MessageType.Heartbeat) stamp(message);
  encodeMessageHead(writer.body, message);
  if (message.type === MessageType.AppendEntries) {
    const part = entries.of(message.entries);
    writer.endWith(part.bytes, part.crc);
  } else {
    writer.end();
  }
}

function entriesBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) bytes += entryBytes(entries[i]!);
  return bytes;
}
