// One simulated connection: two ends, each with a send queue, a window of unacknowledged bytes and
// an order of arrival. What may happen to a send stands in network-options.ts; those that arrive the
// first time do so in order. A cut stalls what travels its way (acknowledgements too) until it
// heals, a clog does so to one direction of one link; an end without answer for linkTimeoutUs gives
// up.
import { assert } from "@quorate/base";
import { type Link, LinkEnd, type LinkEvents } from "@quorate/storage";
import type { SimRandom } from "../sim-random.ts";
import type { SimUser } from "../sim-user.ts";
import type { World, WorldEvent } from "../world.ts";
import type { NetworkOptions } from "./network-options.ts";
import { drawFate, flipBits } from "./send-fate.ts";
import type { SimMachine } from "./sim-machine.ts";
import type { Wiretap } from "./wiretap.ts";

/** A link gives up before. */
const retransmissionUsMax = 60_000_000;

/** What an end needs of its network. */
export interface LinkNetwork {
  readonly world: World;
  readonly random: SimRandom;
  readonly options: NetworkOptions;
  /** Called for every send that a process makes. */
  readonly onSend: ((from: SimUser, to: SimMachine, bytes: Uint8Array) => void) | null;
  /** True: this send is lost, whatever the options say. `dialled`: its sender has dialled the link. */
  readonly loses:
    | ((from: SimMachine, to: SimMachine, bytes: Uint8Array, dialled: boolean) => boolean)
    | null;
  /** A damaged send was taken in, and its receiver has not ended the link. */
  readonly onDamageTaken: ((receiver: SimEnd) => void) | null;
  readonly tap: Wiretap | null;
  forget(connection: SimConnection): void;
}

/** Something travelling one way: bytes, an acknowledgement, or the end of the link. */
interface Parcel {
  /** Order of sending, per end. */
  readonly sequence: number;
  readonly arrive: () => void;
}

export class SimConnection {
  readonly dialer: SimEnd;
  /** Null until a listener has accepted. */
  acceptor: SimEnd | null;

  constructor(dialer: SimEnd) {
    this.dialer = dialer;
    this.acceptor = null;
  }

  ends(): SimEnd[] {
    return this.acceptor === null ? [this.dialer] : [this.dialer, this.acceptor];
  }

  /** The other end, once there is one. */
  peerOf(end: SimEnd): SimEnd | null {
    return end === this.dialer ? this.acceptor : this.dialer;
  }
}

export class SimEnd implements Link {
  readonly remote: string;
  readonly user: SimUser;
  readonly machine: SimMachine;
  readonly remoteMachine: SimMachine;
  connection: SimConnection | null;
  events: LinkEvents | null;
  open: boolean;
  /** What the process here sent last; null: nothing yet. */
  lastSent: Uint8Array | null;
  /** The process has heard, or will hear, onEnd; or it is dead. */
  ended: boolean;
  readonly #network: LinkNetwork;
  /** Why it ended; null while it lives. */
  #how: LinkEnd | null;
  #parcels: number;
  /** `send` left something in the queue: onDrain is due. */
  #owesDrain: boolean;
  #queue: Uint8Array[];
  #queuedBytes: number;
  #unackedBytes: number;
  /** Nothing sent from here arrives before what was sent earlier. */
  #lastArriveUs: number;
  /** Nothing leaves in this direction of this link, and no end is told. */
  #clogged: boolean;
  /** Waiting for a cut to heal, in order. */
  #stalled: Parcel[];
  /** When the first of them was sent. */
  #stalledAtUs: number;
  #giveUp: WorldEvent | null;
  #paused: boolean;
  /** Arrived while paused, in order. */
  #held: (() => void)[];

  constructor(
    network: LinkNetwork,
    user: SimUser,
    machine: SimMachine,
    remoteMachine: SimMachine,
    remote: string,
  ) {
    this.remote = remote;
    this.user = user;
    this.machine = machine;
    this.remoteMachine = remoteMachine;
    this.connection = null;
    this.events = null;
    this.open = false;
    this.lastSent = null;
    this.ended = false;
    this.#network = network;
    this.#how = null;
    this.#parcels = 0;
    this.#owesDrain = false;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#unackedBytes = 0;
    this.#lastArriveUs = 0;
    this.#clogged = false;
    this.#stalled = [];
    this.#stalledAtUs = 0;
    this.#giveUp = null;
    this.#paused = false;
    this.#held = [];
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  send(bytes: Uint8Array): boolean {
    assert(this.user.alive, "Link.send: a dead process sends");
    if (this.ended) return false;
    if (this.#queuedBytes + bytes.length > this.#network.options.queueBytesMax) return false;
    if (!this.machine.foreign) this.#shown(bytes);
    this.lastSent = bytes;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.fillWindow();
    if (this.#queuedBytes > 0) this.#owesDrain = true;
    return true;
  }

  #shown(bytes: Uint8Array): void {
    const { onSend, tap, world } = this.#network;
    onSend?.(this.user, this.remoteMachine, bytes);
    const receiver = this.#peer()?.user.name;
    if (tap === null || this.connection?.dialer !== this || receiver === undefined) return;
    tap.sent(this, receiver, { atUs: world.nowUs, bytes });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    this.#network.world.after(0, () => {
      for (const [place, arrive] of held.entries()) {
        if (this.#paused) {
          this.#held = [...held.slice(place), ...this.#held];
          return;
        }
        arrive();
      }
    });
  }

  close(): void {
    if (this.ended) return;
    // Whether queued bytes still leave depends on how a socket is closed: nobody may rely on it.
    if (this.open && this.#network.random.chance(0.5)) this.#flushAll();
    this.end(LinkEnd.Local);
    this.sendEnd(LinkEnd.Closed);
  }

  /** The process hears of the end, later and once. */
  end(how: LinkEnd): void {
    if (this.ended) return;
    this.#how = how;
    this.#stop();
    this.#network.world.after(0, () => this.user.run(() => this.events?.onEnd(how)));
  }

  /** The process died: it hears nothing any more. What its system had taken still travels. */
  abandon(): void {
    this.#stop();
    this.events = null;
  }

  /** Tells the peer, behind everything that is on the way. */
  sendEnd(how: LinkEnd): void {
    this.#depart(() => this.#peer()?.end(how));
  }

  /** The peer is told at once, ahead of what is on the way: a reset. */
  reset(): void {
    this.#stalled = [];
    const peer = this.#peer();
    if (peer === null) return;
    this.#network.world.after(this.#delayUs(), () => peer.end(LinkEnd.Failed));
  }

  fillWindow(): void {
    while (this.open && !this.ended && this.#queue.length > 0) {
      if (this.#unackedBytes >= this.#network.options.windowBytes) break;
      this.#transmit(this.#queue.shift()!);
    }
    if (!this.#owesDrain || this.#queuedBytes > 0) return;
    this.#owesDrain = false;
    this.#network.world.after(0, () => {
      this.user.run(() => {
        if (!this.ended) this.events?.onDrain();
      });
    });
  }

  /** The path from here is whole again, or may be: what waited tries once more. */
  retry(): void {
    if (this.#stalled.length === 0 || this.#blocked) return;
    const stalled = this.#stalled.sort((a, b) => a.sequence - b.sequence);
    this.#stalled = [];
    const backoffUs = this.#backoffUs();
    for (const parcel of stalled) this.#travel(parcel, backoffUs);
    this.#answered();
  }

  clog(us: number): void {
    if (this.#clogged) return;
    this.#clogged = true;
    this.#network.world.after(us, () => this.unclog());
  }

  unclog(): void {
    this.#clogged = false;
    this.retry();
  }

  get #blocked(): boolean {
    return this.#clogged || this.machine.blockedTo(this.remoteMachine);
  }

  #flushAll(): void {
    while (this.#queue.length > 0) this.#transmit(this.#queue.shift()!);
  }

  #transmit(bytes: Uint8Array): void {
    const { random, options, world } = this.#network;
    const { faults } = world;
    this.#queuedBytes -= bytes.length;
    this.#unackedBytes += bytes.length;
    const fate = drawFate(random, options, this.machine.wayTo(this.remoteMachine).chances);
    if (fate.clogs) {
      faults.count("network.clog");
      this.clog(random.below(options.clogMaxUs + 1));
    }
    const dialled = this.connection?.dialer === this;
    const loses = this.#network.loses?.(this.machine, this.remoteMachine, bytes, dialled) === true;
    if (loses || fate.lost) faults.count("network.loss");
    if (loses || (fate.lost && options.rtoUs === 0)) {
      this.#acked(bytes.length);
      return;
    }
    const againUs = fate.lost ? this.#retransmissionUs() : 0;
    const lateUs = againUs + (fate.late ? random.below(options.lateMaxUs + 1) : 0);
    if (fate.late) faults.count("network.reorder");
    if (fate.cutShort) {
      this.#depart(() => this.#cutShort(bytes), lateUs);
      return;
    }
    if (fate.flipped) {
      const flipped = flipBits(bytes, random);
      this.#depart(() => this.#arrive(flipped, true), lateUs);
    } else {
      this.#depart(() => this.#arrive(bytes, false), lateUs);
    }
    if (fate.repeated) this.#repeatLater(bytes);
  }

  /** Until a lost send has come through: timer after timer, each twice as long as the one before. */
  #retransmissionUs(): number {
    const { random, options } = this.#network;
    const way = this.machine.wayTo(this.remoteMachine);
    const chance = Math.min(1, options.lossChance + way.chances.lossChance);
    let us = options.rtoUs;
    for (
      let timerUs = 2 * us;
      timerUs < retransmissionUsMax && random.chance(chance);
      timerUs *= 2
    ) {
      us += timerUs;
    }
    return us;
  }

  /** From a heal until what was stalled goes out. */
  #backoffUs(): number {
    const { random, options, world } = this.#network;
    if (options.rtoUs === 0) return random.below(options.retransmitMaxUs + 1);
    const waitedUs = world.nowUs - this.#stalledAtUs;
    let dueUs = options.rtoUs;
    while (dueUs < waitedUs) dueUs = 2 * dueUs + options.rtoUs;
    return dueUs - waitedUs;
  }

  #repeatLater(bytes: Uint8Array): void {
    const { random, options, world } = this.#network;
    world.faults.count("network.duplicate");
    const lateUs = this.#delayUs() + random.below(options.duplicateDelayMaxUs + 1);
    world.after(lateUs, () => {
      if (!this.#blocked) this.#peer()?.deliver(bytes);
    });
  }

  /** Half a send is through when something on the path resets the connection. */
  #cutShort(bytes: Uint8Array): void {
    const { random, world } = this.#network;
    const peer = this.#peer();
    if (peer === null || peer.ended) return this.#arrive(bytes, false);
    world.faults.count("network.reset");
    const half = bytes.subarray(0, random.below(bytes.length));
    if (half.length > 0) peer.deliver(half);
    peer.end(LinkEnd.Failed);
    world.after(this.#delayUs(), () => this.end(LinkEnd.Failed));
  }

  #arrive(bytes: Uint8Array, damaged: boolean): void {
    const peer = this.#peer();
    if (peer !== null && !peer.#deaf) {
      if (damaged) this.#network.world.faults.count("network.flip");
      peer.deliver(bytes, () => peer.acknowledge(bytes.length), damaged);
    } else if (this.remoteMachine.up) {
      // A machine that is up answers for a link that it does not know with a reset.
      this.#network.world.after(this.#delayUs(), () => this.end(LinkEnd.Failed));
    } else {
      this.#waitForAnswer();
    }
  }

  /** Hands bytes to the process, or keeps them while it is paused. */
  deliver(bytes: Uint8Array, taken: (() => void) | null = null, damaged = false): void {
    if (this.#paused) {
      this.#held.push(() => this.deliver(bytes, taken, damaged));
      return;
    }
    taken?.();
    this.user.run(() => {
      if (this.ended) return;
      this.events?.onBytes(bytes);
      if (damaged && !this.ended) this.#network.onDamageTaken?.(this);
    });
  }

  /** Tells the sender that its bytes have arrived; a cut of the way back holds this up. */
  acknowledge(count: number): void {
    const peer = this.#peer();
    if (peer === null) return;
    if (this.#blocked) {
      this.#hold({ sequence: ++this.#parcels, arrive: () => peer.#acked(count) });
      peer.#waitForAnswer();
    } else {
      peer.#acked(count);
    }
  }

  #acked(count: number): void {
    this.#unackedBytes -= count;
    assert(this.#unackedBytes >= 0, "SimEnd: more acknowledged than sent");
    this.#answered();
    this.fillWindow();
  }

  #depart(arrive: () => void, lateUs = 0): void {
    const parcel = { sequence: ++this.#parcels, arrive };
    // Behind what is stalled, whatever has happened to the cut meanwhile.
    if (this.#stalled.length > 0) this.#stall(parcel);
    else this.#travel(parcel, lateUs);
  }

  #travel(parcel: Parcel, extraUs: number): void {
    if (this.#blocked) {
      this.#stall(parcel);
      return;
    }
    const world = this.#network.world;
    // One µs apart: events of one moment have no order.
    const atUs = Math.max(world.nowUs + extraUs + this.#delayUs(), this.#lastArriveUs + 1);
    this.#lastArriveUs = atUs;
    world.after(atUs - world.nowUs, () => {
      // A cut also stops what was on the way.
      if (this.#blocked) this.#stall(parcel);
      else parcel.arrive();
    });
  }

  #hold(parcel: Parcel): void {
    if (this.#stalled.length === 0) this.#stalledAtUs = this.#network.world.nowUs;
    this.#stalled.push(parcel);
  }

  #stall(parcel: Parcel): void {
    this.#hold(parcel);
    this.#waitForAnswer();
  }

  #delayUs(): number {
    return this.machine.delayUs(this.remoteMachine, this.#network.options, this.#network.random);
  }

  #peer(): SimEnd | null {
    return this.connection?.peerOf(this) ?? null;
  }

  // Nobody takes bytes here and the peer does not know it yet. An end closed by its own process
  // still takes them, in silence, until its farewell arrives.
  get #deaf(): boolean {
    return this.ended && !(this.#how === LinkEnd.Local && this.user.alive);
  }

  #waitForAnswer(): void {
    if (this.#giveUp !== null || this.ended) return;
    this.#giveUp = this.#network.world.after(this.#network.options.linkTimeoutUs, () => {
      this.#giveUp = null;
      this.#stalled = [];
      this.end(LinkEnd.Failed);
    });
  }

  #answered(): void {
    if (this.#giveUp === null) return;
    this.#network.world.cancel(this.#giveUp);
    this.#giveUp = null;
  }

  #stop(): void {
    this.ended = true;
    this.open = false;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#answered();
    const connection = this.connection;
    if (connection === null) return;
    for (const end of connection.ends()) {
      if (!end.ended) return;
    }
    this.#network.forget(connection);
  }
}
