// One dial to an address of a cluster that was recovered without the member there, one notice, one
// answer. Whoever it concerns ends with 74; this side only learns what became of it.
import { LinkEnd } from "@quorate/storage";
import type { Env, Link, LinkEvents } from "@quorate/storage";
import { FrameParser, FrameType, FrameWriter, helloBodyBytesMax } from "../peers/frame.ts";
import { decodeRefusal, RefusalCode } from "../peers/hello.ts";
import { endText } from "../peers/link-times.ts";
import { encodeNotice } from "./superseded-notice.ts";
import type { SupersededNotice } from "./superseded-notice.ts";

export const Announced = {
  /** Nobody listens there, or nothing can be reached. */
  Silent: "silent",
  /** A member of the superseded cluster: it ends. */
  Told: "told",
  /** A member of the cluster that goes on has that address now. */
  Successor: "successor",
  /** It took the notice and ended the link: perhaps it ended over it, which the next dial tells. */
  HungUp: "hung up",
  /** Somebody else, or an answer that makes no sense. */
  Other: "other",
} as const;
export type Announced = (typeof Announced)[keyof typeof Announced];

export type OnAnnounced = (what: Announced, words: string) => void;

export class Announcement implements LinkEvents {
  readonly #notice: SupersededNotice;
  readonly #done: OnAnnounced;
  readonly #parser: FrameParser;
  #link: Link | null;
  #opened: boolean;
  #ended: boolean;

  /** `done` is called once, never inside a call of this class but for `giveUp`. */
  constructor(env: Env, address: string, notice: SupersededNotice, done: OnAnnounced) {
    this.#notice = notice;
    this.#done = done;
    this.#parser = new FrameParser(helloBodyBytesMax);
    this.#opened = false;
    this.#ended = false;
    this.#link = env.transport.dial(address, this);
  }

  onOpen(): void {
    this.#opened = true;
    const body = encodeNotice(this.#notice);
    const writer = new FrameWriter(0, body.length + 64);
    writer.begin(FrameType.Superseded);
    writer.body.bytes(body);
    writer.end();
    this.#link?.send(writer.take());
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#parser.feed(bytes);
    const frame = this.#parser.next();
    if (frame === null) {
      if (this.#parser.error !== "") this.#end(Announced.Other, this.#parser.error);
      return;
    }
    const refusal = frame.type === FrameType.Refusal ? decodeRefusal(frame.body) : null;
    if (refusal === null) return this.#end(Announced.Other, "its answer makes no sense");
    if (refusal.code === RefusalCode.Superseded) return this.#end(Announced.Told, refusal.reason);
    const isSuccessor = refusal.code === RefusalCode.Successor;
    this.#end(isSuccessor ? Announced.Successor : Announced.Other, refusal.reason);
  }

  onDrain(): void {
    // One small frame is all that ever leaves.
  }

  onEnd(end: LinkEnd): void {
    this.#link = null;
    // Somebody took the connection and hung up, or TLS with him came to nothing: that is no silence.
    if (!this.#opened && end === LinkEnd.Failed) return this.#end(Announced.Other, endText(end));
    const opened = this.#opened && end !== LinkEnd.Unreachable;
    this.#end(opened ? Announced.HungUp : Announced.Silent, endText(end));
  }

  giveUp(): void {
    if (this.#opened) this.#end(Announced.Other, "no answer");
    else this.#end(Announced.Silent, "no answer");
  }

  #end(what: Announced, words: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#link?.close();
    this.#link = null;
    this.#done(what, words);
  }
}
