// One process of another member whose session is accepted: what waits to be sent to it, its round
// trip, and the evidence that it is gone (P6). It ends with the session; members outlive it.
import type { Message, NodeId, Session } from "@quorate/raft";
import type { Env } from "@quorate/storage";
import { LinkClass } from "./hello.ts";
import type { Hello } from "./hello.ts";
import { SendQueue } from "./send-queue.ts";

const controlMessagesMax = 4096;
const controlBytesMax = 4_194_304;
const dataMessagesMax = 16_384;
const dataBytesMax = 134_217_728;
/** Own dials that may end in a reset before the suspicion is dropped: a process dies in that time. */
const probeResetsMax = 3;
/** Numbers of forwarded requests are counted from 1 in each process. */
const forwardNumberMax = 2 ** 44;

export class Remote {
  readonly raftId: NodeId;
  readonly memberId: string;
  readonly session: Session;
  readonly bootCount: number;
  readonly control: SendQueue;
  readonly data: SendQueue;
  readonly #env: Env;
  /** What the host hears is above what it heard of earlier sessions of the raft id. */
  readonly #numberBase: number;
  #numberTop: number;
  /** Of the newest heartbeat that left, exactly and as it was told. */
  #heartbeatMs: number;
  #heartbeatSentMs: number;
  #roundTripMs: number;
  /** Of its links that have ended, and since it was accepted. */
  #heardMs: number;
  /** Above 0: the link with its control traffic has ended; dials begun after this stamp count. */
  #suspectStamp: number;
  /** Above 0: the own control link to it ended at this stamp, and none has been accepted since. */
  #ownEndStamp: number;
  /** Refusals of own dials begun since, in a row. */
  #refusals: number;
  /** Own dials begun since that were reset before a hello. */
  #resets: number;

  constructor(env: Env, hello: Hello, numberBase: number) {
    this.#env = env;
    this.#numberBase = numberBase;
    this.#numberTop = numberBase;
    this.raftId = hello.raftId;
    this.memberId = hello.memberId;
    this.session = hello.session;
    this.bootCount = hello.bootCount;
    this.control = new SendQueue(controlMessagesMax, controlBytesMax);
    this.data = new SendQueue(dataMessagesMax, dataBytesMax);
    this.#heartbeatMs = 0;
    this.#heartbeatSentMs = 0;
    this.#heardMs = env.clock.monotonicMs();
    this.#roundTripMs = 0;
    this.#suspectStamp = 0;
    this.#ownEndStamp = 0;
    this.#refusals = 0;
    this.#resets = 0;
  }

  /** It is the process that said this. */
  isOf(hello: Hello | null): boolean {
    return hello?.raftId === this.raftId && hello.session === this.session;
  }

  queue(linkClass: LinkClass): SendQueue {
    return linkClass === LinkClass.Control ? this.control : this.data;
  }

  get queuedBytes(): number {
    return this.control.bytes + this.data.bytes;
  }

  /** Messages for it that did not leave. */
  get dropped(): number {
    return this.control.dropped + this.data.dropped;
  }

  /** Its session has ended: nothing more leaves. The number of messages dropped in all its time. */
  discard(): number {
    this.control.discard();
    this.data.discard();
    return this.dropped;
  }

  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  // ---- Numbers of forwarded requests (P4) ----------------------------------------------------------

  /** The highest that the host heard. */
  get numberTop(): number {
    return this.#numberTop;
  }

  /**
   * The number by which the host knows a request of this session: request numbers restart with a
   * process, and an answer to the old one must not be taken for one to the new. 0: impossible.
   */
  heardNumber(said: number): number {
    const heard = this.#numberBase + said;
    if (said < 1 || said > forwardNumberMax || !Number.isSafeInteger(heard)) return 0;
    this.#numberTop = Math.max(this.#numberTop, heard);
    return heard;
  }

  /** The process's own number of a request that the host answers; 0: an earlier process asked. */
  saidNumber(heard: number): number {
    return Math.max(0, heard - this.#numberBase);
  }

  // ---- Round trips ---------------------------------------------------------------------------------

  /** At the moment the heartbeat leaves. */
  stamp(heartbeat: Message): void {
    this.#heartbeatMs = this.#env.clock.monotonicMs();
    this.#heartbeatSentMs = Math.max(1, Math.floor(this.#heartbeatMs));
    heartbeat.sentMs = this.#heartbeatSentMs;
  }

  /** The round trip in ms, or -1 when the answer tells none. */
  answered(sentMs: number): number {
    if (sentMs === 0) return -1;
    const nowMs = this.#env.clock.monotonicMs();
    // The newest one is known more exactly than the whole milliseconds on the wire.
    const leftMs = sentMs === this.#heartbeatSentMs ? this.#heartbeatMs : sentMs;
    if (leftMs > nowMs) return -1;
    this.#roundTripMs = nowMs - leftMs;
    return this.#roundTripMs;
  }

  /** A link of it ended, that was heard at that time. */
  noteHeard(heardMs: number): void {
    this.#heardMs = Math.max(this.#heardMs, heardMs);
  }

  get heardMs(): number {
    return this.#heardMs;
  }

  // ---- Evidence (P6) -------------------------------------------------------------------------------

  get suspected(): boolean {
    return this.#suspectStamp > 0;
  }

  /**
   * A process that dies ends both links, in either order. The dial that the end of the own one has
   * begun may be on its way when the other's is seen: it tells no less, and a round trip earlier.
   */
  ownLinkEnded(stamp: number): void {
    this.#ownEndStamp = stamp;
  }

  ownLinkAccepted(): void {
    this.#ownEndStamp = 0;
  }

  /** Its control traffic ended, and not by this side. */
  suspect(stamp: number): void {
    this.#suspectStamp = this.#ownEndStamp > 0 ? this.#ownEndStamp : stamp;
    this.#refusals = 0;
    this.#resets = 0;
  }

  unsuspect(): void {
    this.#suspectStamp = 0;
    this.#refusals = 0;
    this.#resets = 0;
  }

  /** The dial begun at `stamp` was begun after the first of its links ended. */
  isProbe(stamp: number): boolean {
    return this.suspected && stamp > this.#suspectStamp;
  }

  /** True: every address refused, the process is gone. */
  refused(addresses: number): boolean {
    this.#refusals++;
    return this.#refusals >= addresses;
  }

  /** False: too many by now to wait for a refusal. */
  wasReset(): boolean {
    this.#refusals = 0;
    this.#resets++;
    return this.#resets <= probeResetsMax;
  }
}
