// One client that watches: a few watchers on one stream, at one member at a time. When the stream ends,
// or for no reason, it goes on at another member from where each watcher was; it stops reading for a
// while, asks how far it was told, cancels and begins anew.
import { latin1Encode, must } from "@quorate/base";
import type { Credential } from "@quorate/host";
import { decodeWatchResponse, encodeWatchRequest, WatchAsk, WatchRequest } from "@quorate/kv";
import type { WatchEvent, WatchResponse } from "@quorate/kv";
import { demand } from "../checkers/violation.ts";
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { drawSpan } from "../workloads/auth-people.ts";
import { Entrance } from "./entrance.ts";
import { WatchConnection } from "./watch-connection.ts";
import type { WatchHistory, WatchRecord } from "./watch-history.ts";

const second = 1_000_000;
/** The id of answers that are about no watcher. */
const noWatcher = -1;

interface Slot {
  record: WatchRecord;
  /** On the present stream; null: the member has not said. */
  watchId: number | null;
  /** As whom it was asked for on the present stream. */
  entrance: Entrance;
  /** Events of a response whose other fragments are still to come. */
  fragments: WatchEvent[];
}

/** As whom a client watches, and where. */
export interface WatchSelf {
  /** Null: it brings nothing. */
  readonly credential: Credential | null;
  /** It watches what users have rights to, and may be refused; else it watches anything. */
  readonly isUser: boolean;
}

export class WatchClient {
  readonly #cluster: SimCluster;
  readonly #history: WatchHistory;
  readonly #random: SimRandom;
  readonly #self: WatchSelf;
  #slots: Slot[];
  /** Asked for on the present stream and not answered, in order. */
  #creating: Slot[];
  #connection: WatchConnection | null;
  /** Where the present connection leads. */
  #member: string;
  /** Members that it may go to; null: any. */
  #members: readonly string[] | null;
  /** No more pauses and moves: it only goes on. */
  #calm: boolean;

  constructor(cluster: SimCluster, history: WatchHistory, random: SimRandom, self: WatchSelf) {
    this.#cluster = cluster;
    this.#history = history;
    this.#random = random;
    this.#self = self;
    this.#slots = Array.from({ length: random.between(1, 4) }, () => this.#fresh(null));
    this.#creating = [];
    this.#connection = null;
    this.#member = "";
    this.#members = null;
    this.#calm = false;
  }

  start(): void {
    this.#connect();
    this.#actLater();
    this.#look();
  }

  /** From now on it reads what comes, and asks how far it was told. */
  calm(): void {
    this.#calm = true;
    if (this.#connection !== null) this.#connection.readUs = 100;
  }

  /** These serve: it goes to one of them. */
  keepTo(members: readonly string[]): void {
    this.#members = members;
    if (!members.includes(this.#member)) this.#reconnect();
  }

  /** Every watcher has been told of everything up to the revision; asks for it. */
  knows(revision: number): boolean {
    this.#dropFuture(revision);
    const behind = this.#slots.filter(({ record }) => (record.next ?? 0) <= revision);
    if (behind.length > 0) this.#askProgress();
    return behind.length === 0;
  }

  /** While one of a stream waits for what is to come, nobody on it hears of progress. */
  #dropFuture(revision: number): void {
    this.#slots = this.#slots.filter((slot) => {
      const { record, watchId } = slot;
      if ((record.next ?? 0) <= revision + 1) return true;
      record.closed = true;
      if (watchId === null) return this.#creating.includes(slot);
      this.#send(new WatchRequest({ ask: WatchAsk.Cancel, watchId }));
      return false;
    });
  }

  // ---- Connections ----------------------------------------------------------------------------------

  #connect(): void {
    const { world } = this.#cluster;
    if (this.#connection !== null) return;
    const names = this.#members ?? this.#cluster.present();
    this.#member = this.#random.pick(names.length > 0 ? names : this.#cluster.memberNames);
    const { incarnation, host } = this.#cluster.member(this.#member);
    if (incarnation === null || !incarnation.alive || host === null) return this.#connectLater();
    const readUs = this.#calm ? 100 : this.#random.doublings(50, 20_000);
    const connection = new WatchConnection(world, incarnation, host, readUs, {
      heard: (bytes, applied) => this.#heard(bytes, applied),
      ended: () => this.#reconnect(),
    });
    this.#connection = connection;
    this.#creating = [];
    for (const slot of this.#slots) this.#create(slot);
  }

  #connectLater(): void {
    this.#cluster.world.after(this.#random.doublings(1_000, second), () => this.#connect());
  }

  #reconnect(): void {
    this.#connection?.close();
    this.#connection = null;
    for (const slot of this.#slots) slot.watchId = null;
    this.#connectLater();
  }

  /** A process that is gone says nothing of it. */
  #look(): void {
    this.#cluster.world.after(200_000, () => {
      if (this.#connection !== null && !this.#connection.alive) this.#reconnect();
      this.#look();
    });
  }

  // ---- What it asks -----------------------------------------------------------------------------------

  #create(slot: Slot): void {
    slot.watchId = null;
    slot.fragments = [];
    this.#creating.push(slot);
    const startRevision = slot.record.next ?? 0;
    const watchId = this.#random.chance(0.3) ? 1_000 + slot.record.id : 0;
    const request = new WatchRequest(slot.record.request);
    slot.entrance = new Entrance(this.#self.credential);
    this.#send(Object.assign(request, { startRevision, watchId }), slot.entrance);
  }

  /** It was refused, or its right has ended: it asks again, or, as one who may be refused, for another. */
  #refused(slot: Slot): void {
    slot.watchId = null;
    slot.fragments = [];
    const { isUser } = this.#self;
    if (isUser) slot.record.closed = true;
    if (isUser && this.#calm) {
      this.#slots = this.#slots.filter((other) => other !== slot);
      return;
    }
    const connection = this.#connection;
    const us = this.#calm ? 10_000 : this.#random.doublings(10_000, second);
    this.#cluster.world.after(us, () => {
      const isSame = this.#connection === connection && this.#slots.includes(slot);
      if (!isSame || slot.watchId !== null || this.#creating.includes(slot)) return;
      if (isUser) slot.record = this.#fresh(null).record;
      this.#create(slot);
    });
  }

  #askProgress(): void {
    this.#send(new WatchRequest({ ask: WatchAsk.Progress }));
  }

  #send(request: WatchRequest, entrance: Entrance = new Entrance(this.#self.credential)): void {
    this.#connection?.send(encodeWatchRequest(request), entrance);
  }

  #actLater(): void {
    this.#cluster.world.after(this.#random.doublings(100_000, 8 * second), () => {
      if (!this.#calm) this.#act();
      this.#actLater();
    });
  }

  #act(): void {
    const draw = this.#random.below(10);
    if (this.#connection === null) return;
    if (draw < 3) this.#askProgress();
    else if (draw < 5) this.#reconnect();
    else if (draw < 8) this.#connection.readUs = this.#random.doublings(50, 4 * second);
    else this.#begin(this.#random.pick(this.#slots));
  }

  /** Another watcher in this one's place. */
  #begin(slot: Slot): void {
    const { watchId, record } = slot;
    if (watchId === null) return;
    this.#send(new WatchRequest({ ask: WatchAsk.Cancel, watchId }));
    record.closed = true;
    const past = record.next ?? 1;
    const start = this.#random.pick([null, past, Math.max(1, past - 20), past + 10]);
    slot.record = this.#fresh(start).record;
    this.#create(slot);
  }

  #fresh(start: number | null): Slot {
    const random = this.#random;
    if (this.#self.isUser) return this.#freshOfUser(start);
    const key = random.pick(["\0", "a", "c", "k", "r", "t", "u"]);
    const end = random.pick(["\0", "\0", "d", "s", "v"]);
    const request = new WatchRequest({
      ask: WatchAsk.Create,
      key: latin1Encode(key),
      rangeEnd: latin1Encode(end !== "\0" && end <= key ? "\0" : end),
      noPuts: random.chance(0.1),
      noDeletes: random.chance(0.1),
      prevKv: random.chance(0.4),
      progressNotify: random.chance(0.5),
      fragment: random.chance(0.3),
    });
    return this.#slotOf(request, start);
  }

  #freshOfUser(start: number | null): Slot {
    const { key, rangeEnd } = drawSpan(this.#random);
    const bytes = { key: latin1Encode(key), rangeEnd: latin1Encode(rangeEnd) };
    const prevKv = this.#random.chance(0.4);
    return this.#slotOf(new WatchRequest({ ask: WatchAsk.Create, ...bytes, prevKv }), start);
  }

  #slotOf(request: WatchRequest, start: number | null): Slot {
    const record = this.#history.begin(request, start);
    return { record, watchId: null, entrance: new Entrance(null), fragments: [] };
  }

  // ---- What it hears ----------------------------------------------------------------------------------

  #heard(bytes: Uint8Array, applied: number): void {
    const response = must(decodeWatchResponse(bytes), "a watch response");
    if (response.created) return this.#created(response, applied);
    if (response.watchId === noWatcher) {
      for (const { record, watchId } of this.#slots) {
        if (watchId !== null) record.claim(response.header.revision);
      }
      return;
    }
    const slot = this.#slots.find(({ watchId }) => watchId === response.watchId);
    // Of one that it has cancelled.
    if (slot === undefined) return;
    if (response.compactRevision !== 0) return this.#compacted(slot, response.compactRevision);
    if (response.canceled) return this.#refused(slot);
    if (response.events.length > 0) this.#isTold(slot, applied, false);
    slot.fragments.push(...response.events);
    if (response.fragment) return;
    if (slot.fragments.length > 0) slot.record.hear(slot.fragments);
    else slot.record.claim(response.header.revision);
    slot.fragments = [];
  }

  #created({ watchId, header, canceled, cancelReason }: WatchResponse, applied: number): void {
    const slot = this.#creating.shift();
    demand(slot !== undefined, "W1 a watcher is created once", () => `id ${watchId}, unasked`);
    const mayBeRefused = this.#self.credential !== null;
    demand(!canceled || mayBeRefused, "W1 a watcher is created", () => cancelReason);
    if (canceled) return this.#refused(slot);
    slot.watchId = watchId;
    this.#isTold(slot, applied, true);
    slot.record.start ??= header.revision + 1;
  }

  #isTold({ entrance, record }: Slot, applied: number, began: boolean): void {
    const { identity, credential } = entrance;
    if (credential !== null && identity !== null) record.permitted(identity, applied, began);
  }

  #compacted(slot: Slot, compactRevision: number): void {
    const { record } = slot;
    record.compacted = { next: must(record.next, "it had a start"), compactRevision };
    slot.record = this.#history.begin(record.request, compactRevision);
    this.#create(slot);
  }
}
