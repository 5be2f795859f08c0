// One client's stream of watchers (etcd's serverWatchStream): what it asks for, in order, and what it
// is told. It keeps nothing of what is to be told: who does not read is fed from the rows later
// (kv's watch-hub.ts), so a stream that stands still costs what its sink has buffered.
import { assertNever, latin1Decode, utf8Encode } from "@quorate/base";
import {
  decodeWatchRequest,
  encodeWatchResponse,
  KvError,
  nobody,
  ProtoWriter,
  WatchAsk,
} from "@quorate/kv";
import type { HeaderSource, Identity, WatchAnswer, Watches, WatchRequest } from "@quorate/kv";
import { Failure, FailureCode } from "../host-api.ts";
import type { WatchSink, WatchStream } from "../host-api.ts";
import { failure, kvFailure } from "../proposals.ts";
import { endOf, keyOf, noEvents, StreamWatcher } from "./stream-watcher.ts";
import type { StreamOfWatcher } from "./stream-watcher.ts";
import type { WatchLimits } from "./watch-limits.ts";
import { reasonOf } from "./watch-rights.ts";
import type { WatchRights } from "./watch-rights.ts";

/** The id in answers that are about no watcher. */
const noWatcher = -1;

/** What all streams of a member share. */
export interface WatchShared {
  readonly hub: Watches;
  readonly rights: WatchRights;
  readonly limits: WatchLimits;
  header(): HeaderSource;
  /** There is something to tell somebody. */
  schedule(): void;
  /** Watchers and buffered bytes of all streams together. */
  watchers: number;
  /** Watchers of all streams of a connection. */
  readonly perConnection: WeakMap<object, number>;
  buffered: number;
  /** Streams with messages that came in the middle of a turn, or while there was no state. */
  readonly waiting: Set<WatchSession>;
  /** Streams whose client waits for a word of progress. */
  readonly awaiting: Set<WatchSession>;
  onClose(session: WatchSession): void;
}

interface Asked {
  readonly request: WatchRequest;
  readonly caller: Identity | Failure;
}

export class WatchSession implements WatchStream, StreamOfWatcher {
  readonly #shared: WatchShared;
  readonly #sink: WatchSink;
  readonly #writer: ProtoWriter;
  readonly requiresLeader: boolean;
  readonly #watchers: Map<number, StreamWatcher>;
  readonly #blocked: Set<StreamWatcher>;
  /** Asked while there was no state, or before the events of a turn were told. */
  #pending: Asked[];
  #nextId: number;
  /** Of the sink, as the sum of all streams has it. */
  #counted: number;
  #closed: boolean;

  constructor(shared: WatchShared, sink: WatchSink, requiresLeader: boolean) {
    this.#shared = shared;
    this.#sink = sink;
    this.#writer = new ProtoWriter();
    this.requiresLeader = requiresLeader;
    this.#watchers = new Map();
    this.#blocked = new Set();
    this.#pending = [];
    this.#nextId = 0;
    this.#counted = 0;
    this.#closed = false;
  }

  // ---- What the client says -------------------------------------------------------------------------

  message(bytes: Uint8Array, caller: Identity | Failure = nobody): void {
    if (this.#closed) return;
    const request = decodeWatchRequest(bytes);
    if (request === null) return this.fail(kvFailure(KvError.Malformed));
    // Who sends it may have been found out by a read barrier, and so in the middle of a turn.
    const { settled } = this.#shared.hub;
    if (this.#pending.length === 0 && settled) return this.#handle(request, caller);
    if (this.#pending.length >= this.#shared.limits.watchersPerStreamMax) {
      return this.fail(failure(FailureCode.TooManyRequests));
    }
    this.#pending.push({ request, caller });
    this.#shared.waiting.add(this);
    this.#shared.schedule();
  }

  /** There is a state, and all that it has become is told. */
  serve(): void {
    const pending = this.#pending;
    this.#shared.waiting.delete(this);
    this.#pending = [];
    for (const { request, caller } of pending) {
      if (!this.#closed) this.#handle(request, caller);
    }
  }

  drained(): void {
    if (this.#closed) return;
    this.#count();
    if (this.#blocked.size === 0 && !this.#shared.awaiting.has(this)) return;
    for (const { watcher } of this.#blocked) this.#shared.hub.resume(watcher);
    this.#blocked.clear();
    this.#shared.schedule();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { watcher } of this.#watchers.values()) this.#shared.hub.remove(watcher);
    this.#countWatchers(-this.#watchers.size);
    this.#shared.buffered -= this.#counted;
    this.#watchers.clear();
    this.#blocked.clear();
    this.#pending = [];
    this.#shared.awaiting.delete(this);
    this.#shared.waiting.delete(this);
    this.#shared.onClose(this);
  }

  fail(why: Failure): void {
    if (this.#closed) return;
    this.close();
    this.#sink.fail(why);
  }

  #handle(request: WatchRequest, caller: Identity | Failure): void {
    switch (request.ask) {
      case WatchAsk.Create:
        if (!(caller instanceof Failure)) return this.#create(request, caller);
        return caller.code === FailureCode.Kv
          ? this.#refuse(reasonOf(caller.kvError))
          : this.fail(caller);
      case WatchAsk.Cancel:
        return this.#cancel(request.watchId);
      case WatchAsk.Progress:
        this.#shared.awaiting.add(this);
        return this.#shared.schedule();
      case WatchAsk.Nothing:
        return;
      default:
        assertNever(request.ask, "what a client asks of its watchers");
    }
  }

  #create(request: WatchRequest, identity: Identity): void {
    const { hub, limits } = this.#shared;
    const refusal = this.#refusalOf(request, identity);
    if (refusal !== "") return this.#refuse(refusal);
    const id = request.watchId === 0 ? this.#freeId() : request.watchId;
    const created = new StreamWatcher(this, id, request, limits.fragmentBytes, identity);
    this.#watchers.set(id, created);
    this.#countWatchers(1);
    this.send({ watchId: id, revision: hub.revision, created: true }, noEvents);
    hub.add(created.watcher);
    this.#shared.schedule();
  }

  #refuse(reason: string): void {
    const { revision } = this.#shared.hub;
    const cancelReason = utf8Encode(reason);
    const answer = { watchId: noWatcher, revision, created: true, canceled: true, cancelReason };
    this.send(answer, noEvents);
  }

  /** Empty: none. The words are etcd's, where etcd refuses. */
  #refusalOf(request: WatchRequest, identity: Identity): string {
    const { watchers, limits, rights } = this.#shared;
    // The bounds as the client has given them, before they are made into anything else.
    const denied = rights.mayBegin(identity, keyOf(request), latin1Decode(request.rangeEnd));
    if (denied !== KvError.None) return reasonOf(denied);
    const { rangeEnd, watchId } = request;
    const end = rangeEnd.length === 0 ? null : endOf(rangeEnd);
    if (end !== null && keyOf(request) >= end) return "mvcc: watcher range is empty";
    if (!Number.isSafeInteger(watchId)) return "quorate: watch IDs beyond 2^53 are not supported";
    if (watchId !== 0 && this.#watchers.has(watchId)) {
      return "mvcc: duplicate watch ID provided on the WatchStream";
    }
    const isFull =
      this.#watchers.size >= limits.watchersPerStreamMax ||
      this.#ofConnection >= limits.watchersPerConnectionMax ||
      watchers >= limits.watchersMax;
    return isFull ? "etcdserver: too many requests" : "";
  }

  get #ofConnection(): number {
    return this.#shared.perConnection.get(this.#sink.connection ?? this) ?? 0;
  }

  #countWatchers(change: number): void {
    const { perConnection } = this.#shared;
    this.#shared.watchers += change;
    perConnection.set(this.#sink.connection ?? this, this.#ofConnection + change);
  }

  #freeId(): number {
    while (this.#watchers.has(this.#nextId)) this.#nextId += 1;
    return this.#nextId++;
  }

  #cancel(id: number): void {
    const found = this.#watchers.get(id);
    if (found === undefined) return;
    this.#shared.hub.remove(found.watcher);
    this.ended(found);
    this.send({ watchId: id, revision: this.#shared.hub.revision, canceled: true }, noEvents);
  }

  /** Users, roles or rights have changed. */
  recheck(): void {
    const { rights, hub } = this.#shared;
    for (const watcher of [...this.#watchers.values()]) {
      const { identity, key, rangeEnd } = watcher;
      if (!rights.concerns(identity)) continue;
      const reason = reasonOf(rights.mayGoOn(identity, key, rangeEnd));
      if (reason === "") continue;
      hub.remove(watcher.watcher);
      this.ended(watcher);
      const cancelReason = utf8Encode(reason);
      const { revision } = hub;
      this.send({ watchId: watcher.id, revision, canceled: true, cancelReason }, noEvents);
    }
  }

  // ---- What it is told --------------------------------------------------------------------------------

  /** Whatever others have buffered: a sink that will not call back takes more. */
  get ready(): boolean {
    const { buffered, needsDrain } = this.#sink;
    if (this.#closed) return false;
    const { limits, buffered: total } = this.#shared;
    return !needsDrain || (buffered < limits.streamBufferBytes && total < limits.bufferBytes);
  }

  send(answer: WatchAnswer, events: Uint8Array): void {
    if (this.#closed) return;
    const header = this.#shared.header();
    this.#sink.write(encodeWatchResponse(this.#writer, header, answer, events));
    this.#count();
  }

  blocked(watcher: StreamWatcher): void {
    this.#blocked.add(watcher);
  }

  ended(watcher: StreamWatcher): void {
    if (this.#watchers.get(watcher.id) !== watcher) return;
    this.#watchers.delete(watcher.id);
    this.#blocked.delete(watcher);
    this.#countWatchers(-1);
  }

  /** Once in an interval, to those who asked for it. */
  progress(): void {
    for (const watcher of this.#watchers.values()) watcher.progress(this.#shared.hub.revision);
  }

  /**
   * What was asked for by hand: true when it was said, which is when every watcher of the stream has
   * been told of everything up to the revision in it (#15220).
   */
  answerProgress(): boolean {
    if (this.#closed) return true;
    if (!this.ready) return false;
    for (const { synced } of this.#watchers.values()) {
      if (!synced) return false;
    }
    this.send({ watchId: noWatcher, revision: this.#shared.hub.revision }, noEvents);
    return true;
  }

  #count(): void {
    if (this.#closed) return;
    const { buffered } = this.#sink;
    this.#shared.buffered += buffered - this.#counted;
    this.#counted = buffered;
  }
}
