// The wire from a member to a client that watches: what the member writes waits here until the client
// reads it, at a pace of its own. A client that stands still fills it, as a socket's buffer.
import { type Host, Need, type WatchSink, type WatchStream } from "@quorate/host";
import type { SimProcess } from "../sim-env.ts";
import type { World, WorldEvent } from "../world.ts";
import { appliedBy, Entrance, enter } from "./entrance.ts";

/** As a stream of Node's says that it wants to be drained. */
const highWaterBytes = 1_024;

export interface WatchConnectionEvents {
  /** `applied`: by the member, when it said so. */
  heard(bytes: Uint8Array, applied: number): void;
  /** The member ended it, or its process is gone. */
  ended(): void;
}

export class WatchConnection implements WatchSink {
  readonly #world: World;
  readonly #incarnation: SimProcess;
  readonly #events: WatchConnectionEvents;
  readonly #host: Host;
  readonly #queue: { readonly message: Uint8Array; readonly applied: number }[];
  /** Behind a message of which it is being found out who sends it; null: none is. */
  #waiting: { readonly bytes: Uint8Array; readonly entrance: Entrance }[] | null;
  #stream: WatchStream | null;
  #reading: WorldEvent | null;
  #closed: boolean;
  /** From one message to the next; may change. */
  readUs: number;
  buffered: number;
  needsDrain: boolean;

  constructor(
    world: World,
    incarnation: SimProcess,
    host: Host,
    readUs: number,
    events: WatchConnectionEvents,
  ) {
    this.#world = world;
    this.#incarnation = incarnation;
    this.#host = host;
    this.#events = events;
    this.#queue = [];
    this.#waiting = null;
    this.#stream = null;
    this.#reading = null;
    this.#closed = false;
    this.readUs = readUs;
    this.buffered = 0;
    this.needsDrain = false;
    incarnation.run(() => {
      if (!this.#closed) this.#stream = host.watch(this, false);
    });
  }

  get alive(): boolean {
    return this.#incarnation.alive && !this.#closed;
  }

  send(bytes: Uint8Array, entrance: Entrance = new Entrance(null)): void {
    this.#incarnation.run(() => {
      if (this.#waiting === null) this.#enter(bytes, entrance);
      else this.#waiting.push({ bytes, entrance });
    });
  }

  /** The messages of a stream stay in order, however long it takes to find out who sends one. */
  #enter(bytes: Uint8Array, entrance: Entrance): void {
    this.#waiting = [];
    const found = (caller: Parameters<WatchStream["message"]>[1]): void => {
      const behind = this.#waiting ?? [];
      this.#waiting = null;
      this.#stream?.message(bytes, caller);
      for (const { bytes: next, entrance: who } of behind) this.send(next, who);
    };
    enter(this.#host, entrance, Need.User, { admitted: found, refused: found });
  }

  /** What has not been read is lost. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#reading !== null) this.#world.cancel(this.#reading);
    this.#incarnation.run(() => this.#stream?.close());
  }

  // ---- The member's side ----------------------------------------------------------------------------

  write(message: Uint8Array): void {
    this.#queue.push({ message, applied: appliedBy(this.#host) });
    this.buffered += message.length;
    if (this.buffered >= highWaterBytes) this.needsDrain = true;
    this.#readLater();
  }

  fail(): void {
    this.#world.after(1_000, () => this.#end());
  }

  // ---- The client's side ----------------------------------------------------------------------------

  #readLater(): void {
    if (this.#reading !== null || this.#closed) return;
    this.#reading = this.#world.after(this.readUs, () => this.#read());
  }

  #read(): void {
    this.#reading = null;
    const next = this.#queue.shift();
    if (next === undefined || this.#closed) return;
    this.buffered -= next.message.length;
    this.#events.heard(next.message, next.applied);
    if (this.#closed) return;
    if (this.#queue.length > 0) return this.#readLater();
    if (!this.#incarnation.alive) return this.#end();
    if (!this.needsDrain) return;
    this.needsDrain = false;
    this.#incarnation.run(() => this.#stream?.drained());
  }

  #end(): void {
    if (this.#closed) return;
    this.close();
    this.#events.ended();
  }
}
