// One link to another member from its first byte to its end, dialled or incoming: frames, the
// handshake of two hellos, silence. Whether a hello is acceptable, and what a frame means, its owner
// decides; a link gives no other frame out before both hellos are accepted.
import { assert, must } from "@quorate/base";
import { LinkEnd } from "@quorate/storage";
import type { Env, Link, LinkEvents } from "@quorate/storage";
import {
  FrameParser,
  frameHeaderBytes,
  FrameType,
  FrameWriter,
  frameBodyBytesMax,
  helloBodyBytesMax,
} from "./frame.ts";
import type { Frame } from "./frame.ts";
import { decodeHello, decodeRefusal, encodeHello, encodeRefusal, wrongProtocol } from "./hello.ts";
import type { Hello, LinkClass, Refusal } from "./hello.ts";

export const LinkState = {
  /** Dialled, not open yet. */
  Connecting: 1,
  /** Open; the other side's hello is awaited. */
  Greeting: 2,
  /** Its hello is acceptable; its record is being made durable (P4). */
  Settling: 3,
  Accepted: 4,
  /** Told why it is refused, or what it asked; given a moment to read that. */
  Refusing: 5,
  Ended: 6,
} as const;
export type LinkState = (typeof LinkState)[keyof typeof LinkState];

export interface LinkOwner {
  /** What this member says on the link now. */
  helloFor(link: PeerLink): Hello;
  /** Answers, now or later, with `accept`, `refuse` or `fail`; until then the link settles. */
  judge(link: PeerLink, hello: Hello): void;
  /** Whoever dialled wants to know who it is, before it can say a hello. */
  joinAnswer(ask: Uint8Array): Uint8Array;
  /** Whoever dialled says that a cluster is superseded; the answer. */
  noticeAnswer(notice: Uint8Array): Refusal;
  linkAccepted(link: PeerLink): void;
  linkFrame(link: PeerLink, frame: Frame): void;
  linkDrained(link: PeerLink): void;
  /**
   * Once, and last. `reason` stands alone; empty when the transport ended the link. `refusal`: what
   * the other side said.
   */
  linkEnded(link: PeerLink, end: LinkEnd, reason: string, refusal: Refusal | null): void;
}

/** Time by ticks, which the caller clamps after a stall: an own stall ends no link. */
export interface LinkTimes {
  readonly connectTicksMax: number;
  /** For the handshake once the link is open. */
  readonly helloTicksMax: number;
  /** A hello not yet answered is said again: the simulated network loses single sends. */
  readonly helloAgainTicks: number;
  readonly refusingTicks: number;
  /** A keep-alive leaves when nothing else did for so long. */
  readonly keepAliveTicks: number;
  /** Nothing came for so long: the other side is gone, and no end was told. */
  readonly silentTicksMax: number;
}

export interface LinkOptions {
  readonly env: Env;
  readonly owner: LinkOwner;
  readonly times: LinkTimes;
  /** What it was dialled for; null: incoming, the hello tells. */
  readonly linkClass: LinkClass | null;
  /** Who was dialled; null: incoming. */
  readonly expectedMemberId: string | null;
  readonly address: string;
  /** Order of making among all links and session records of this process. */
  readonly stamp: number;
}

/** How the reason of an end begins when this member has refused whom it dialled. */
export const notAccepted = "not accepted: ";

export class PeerLink implements LinkEvents {
  readonly expectedMemberId: string | null;
  readonly address: string;
  readonly stamp: number;
  readonly #owner: LinkOwner;
  readonly #times: LinkTimes;
  readonly #env: Env;
  #linkClass: LinkClass | null;
  #link: Link | null;
  #state: LinkState;
  /** The other side's; null until it came. */
  #hello: Hello | null;
  readonly #parser: FrameParser;
  #lastNumber: number;
  #stateTicks: number;
  #silentTicks: number;
  #idleTicks: number;
  #saidBye: boolean;
  #failed: boolean;
  #bytesSent: number;
  #bytesReceived: number;
  #acceptedMs: number;
  #heardMs: number;
  /** Raft frames flow on it; false: genesis talk only. The owner sets it before it accepts. */
  raft: boolean;
  /**
   * The genesis id in the first hello said here; -1: none said yet. Every further hello on this link
   * says the same, whatever has started meanwhile: both ends must agree on what flows.
   */
  saidGenesisId: number;

  constructor(options: LinkOptions) {
    this.expectedMemberId = options.expectedMemberId;
    this.address = options.address;
    this.stamp = options.stamp;
    this.#owner = options.owner;
    this.#times = options.times;
    this.#env = options.env;
    this.#linkClass = options.linkClass;
    this.#link = null;
    this.#state = this.dialled ? LinkState.Connecting : LinkState.Greeting;
    this.#hello = null;
    this.#parser = new FrameParser(helloBodyBytesMax);
    this.#lastNumber = 0;
    this.#stateTicks = 0;
    this.#silentTicks = 0;
    this.#idleTicks = 0;
    this.#saidBye = false;
    this.#failed = false;
    this.#bytesSent = 0;
    this.#bytesReceived = 0;
    this.#acceptedMs = -1;
    this.#heardMs = -1;
    this.raft = false;
    this.saidGenesisId = -1;
  }

  /** The byte stream below; before any event of it. */
  attach(link: Link): void {
    assert(this.#link === null, "PeerLink: attached twice");
    this.#link = link;
  }

  get dialled(): boolean {
    return this.expectedMemberId !== null;
  }

  get state(): LinkState {
    return this.#state;
  }

  get accepted(): boolean {
    return this.#state === LinkState.Accepted;
  }

  /** Accepted, and Raft frames flow. */
  get carriesRaft(): boolean {
    return this.raft && this.#state === LinkState.Accepted;
  }

  get linkClass(): LinkClass | null {
    return this.#linkClass;
  }

  get remote(): string {
    return this.#link?.remote ?? this.address;
  }

  get hello(): Hello | null {
    return this.#hello;
  }

  /** The other process announced that it stops. */
  get saidBye(): boolean {
    return this.#saidBye;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get queuedBytes(): number {
    return this.#link?.queuedBytes ?? 0;
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  get duplicates(): number {
    return this.#parser.duplicates;
  }

  /** When the handshake ended well; -1 before. */
  get acceptedMs(): number {
    return this.#acceptedMs;
  }

  /** Monotonic time of the newest bytes since then; -1: none. */
  get heardMs(): number {
    return this.#heardMs;
  }

  // ---- What the owner decides ----------------------------------------------------------------------

  accept(): void {
    if (this.#state !== LinkState.Greeting && this.#state !== LinkState.Settling) return;
    this.#enter(LinkState.Accepted);
    this.#parser.bodyBytesMax = frameBodyBytesMax;
    this.#acceptedMs = this.#env.clock.monotonicMs();
    this.#heardMs = this.#acceptedMs;
    if (!this.dialled) this.#sayHello();
    this.#owner.linkAccepted(this);
  }

  refuse(refusal: Refusal): void {
    if (this.#state >= LinkState.Refusing) return;
    this.#enter(LinkState.Refusing);
    this.sendFrame(FrameType.Refusal, encodeRefusal(refusal));
    // The refused side ends the link when it has read why; time does otherwise.
    if (this.dialled) this.#end(LinkEnd.Local, `${notAccepted}${refusal.reason}`, null);
  }

  /** Closes because of what the other side did, or did not do. */
  fail(reason: string): void {
    if (this.#state !== LinkState.Ended) this.#failed = true;
    this.#end(LinkEnd.Local, reason, null);
  }

  /** Closes without fault. */
  close(reason: string): void {
    this.#end(LinkEnd.Local, reason, null);
  }

  /** A writer whose frames follow what was sent before. */
  writer(bytesExpected: number): FrameWriter {
    return new FrameWriter(this.#lastNumber, bytesExpected);
  }

  /** All frames of the writer leave in one send; false: the bound is reached, nothing was sent. */
  sendWritten(writer: FrameWriter): boolean {
    const bytes = writer.take();
    if (this.#link === null || this.#state === LinkState.Ended) return false;
    if (!this.#link.send(bytes)) return false;
    this.#lastNumber = writer.lastNumber;
    this.#bytesSent += bytes.length;
    this.#idleTicks = 0;
    return true;
  }

  sendFrame(type: FrameType, body: Uint8Array): boolean {
    const writer = this.writer(frameHeaderBytes + body.length);
    writer.begin(type);
    writer.body.bytes(body);
    writer.end();
    return this.sendWritten(writer);
  }

  // ---- Events of the transport ---------------------------------------------------------------------

  onOpen(): void {
    if (this.#state !== LinkState.Connecting) return;
    this.#enter(LinkState.Greeting);
    this.#sayHello();
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#state === LinkState.Ended || this.#state === LinkState.Refusing) return;
    this.#bytesReceived += bytes.length;
    this.#silentTicks = 0;
    if (this.#state === LinkState.Accepted) this.#heardMs = this.#env.clock.monotonicMs();
    this.#parser.feed(bytes);
    for (let frame = this.#parser.next(); frame !== null; frame = this.#parser.next()) {
      this.#onFrame(frame);
      if (this.#state >= LinkState.Refusing) return;
    }
    if (this.#parser.error !== "") this.fail(this.#parser.error);
  }

  onDrain(): void {
    if (this.#state === LinkState.Accepted) this.#owner.linkDrained(this);
  }

  onEnd(end: LinkEnd): void {
    this.#end(end, "", null);
  }

  tick(ticks: number): void {
    this.#stateTicks += ticks;
    this.#silentTicks += ticks;
    this.#idleTicks += ticks;
    switch (this.#state) {
      case LinkState.Connecting:
        if (this.#stateTicks > this.#times.connectTicksMax) this.fail("connect took too long");
        return;
      case LinkState.Greeting:
      case LinkState.Settling:
        if (this.#stateTicks > this.#times.helloTicksMax) this.fail("hello was not answered");
        else this.#maybeSayHelloAgain();
        return;
      case LinkState.Accepted:
        if (this.#silentTicks > this.#times.silentTicksMax) this.fail("silent for too long");
        else if (this.#idleTicks >= this.#times.keepAliveTicks) this.#sayNothing();
        return;
      case LinkState.Refusing:
        if (this.#stateTicks > this.#times.refusingTicks) this.close("refused");
        return;
      case LinkState.Ended:
        return;
    }
  }

  // ---- The handshake -------------------------------------------------------------------------------

  #onFrame(frame: Frame): void {
    if (frame.type === FrameType.Hello) return this.#onHello(frame.body);
    if (frame.type === FrameType.Refusal) return this.#onRefusal(frame.body);
    if (frame.type === FrameType.JoinAsk) return this.#onJoinAsk(frame.body);
    if (frame.type === FrameType.Superseded) return this.#onNotice(frame.body);
    if (this.#state !== LinkState.Accepted) return this.fail("frame before the hello");
    if (frame.type === FrameType.KeepAlive) return;
    if (frame.type === FrameType.Bye) {
      this.#saidBye = true;
      return;
    }
    this.#owner.linkFrame(this, frame);
  }

  #onHello(body: Uint8Array): void {
    const hello = decodeHello(body);
    if (typeof hello === "number") return this.refuse(wrongProtocol(hello));
    if (hello === null) return this.fail("hello is malformed");
    if (this.#state === LinkState.Accepted || this.#state === LinkState.Settling) {
      // Said again, because the answer is late or lost.
      if (!this.dialled && this.#state === LinkState.Accepted) this.#sayHello();
      return;
    }
    if (this.dialled && hello.linkClass !== this.#linkClass) return this.fail("hello is malformed");
    this.#linkClass = hello.linkClass;
    this.#hello = hello;
    this.#enter(LinkState.Settling);
    this.#owner.judge(this, hello);
  }

  #onJoinAsk(body: Uint8Array): void {
    if (this.dialled || this.#state !== LinkState.Greeting) return this.fail("join out of place");
    this.#enter(LinkState.Refusing);
    this.sendFrame(FrameType.JoinAnswer, this.#owner.joinAnswer(body));
  }

  #onNotice(body: Uint8Array): void {
    if (this.dialled || this.#state !== LinkState.Greeting) return this.fail("notice out of place");
    this.refuse(this.#owner.noticeAnswer(body));
  }

  #onRefusal(body: Uint8Array): void {
    const refusal = decodeRefusal(body);
    if (refusal === null) return this.fail("refusal is malformed");
    this.#end(LinkEnd.Local, `refused: ${refusal.reason}`, refusal);
  }

  #maybeSayHelloAgain(): void {
    const unanswered = this.dialled && this.#state === LinkState.Greeting;
    if (unanswered && this.#idleTicks >= this.#times.helloAgainTicks) this.#sayHello();
  }

  #sayHello(): void {
    this.sendFrame(FrameType.Hello, encodeHello(this.#owner.helloFor(this)));
    // Also when the send found no room: the next try comes after helloAgainTicks.
    this.#idleTicks = 0;
  }

  #sayNothing(): void {
    this.#idleTicks = 0;
    this.sendFrame(FrameType.KeepAlive, noBody);
  }

  #enter(state: LinkState): void {
    this.#state = state;
    this.#stateTicks = 0;
  }

  #end(end: LinkEnd, reason: string, refusal: Refusal | null): void {
    if (this.#state === LinkState.Ended) return;
    this.#enter(LinkState.Ended);
    if (end === LinkEnd.Local) this.#link?.close();
    this.#owner.linkEnded(this, end, reason, refusal);
  }
}

const noBody = new Uint8Array(0);

export function helloOf(link: PeerLink): Hello {
  return must(link.hello, "an accepted link has a hello");
}
