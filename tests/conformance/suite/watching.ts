// A Watch stream in the hands of a case: watchers made and answered in order, events as plain rows.
import { deepEqual, equal } from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { etcd, mvcc } from "@quorate/proto";
import type { CallEnd } from "../wire/wire-call.ts";
import { answerTimeoutMs } from "../wire/wire-client.ts";
import type { Metadata, WireStream } from "../wire/wire-client.ts";
import { nameOf } from "./rows.ts";
import { text } from "./trial.ts";
import type { Trial } from "./trial.ts";

export type WatchInit = MessageInitShape<typeof etcd.WatchCreateRequestSchema>;

export class Watching {
  readonly trial: Trial;
  readonly #stream: WireStream<typeof etcd.WatchRequestSchema, typeof etcd.WatchResponseSchema>;

  constructor(trial: Trial, at: number = 0, metadata: Metadata = {}) {
    this.trial = trial;
    this.#stream = trial.members[at]!.stream(etcd.Watch.method.watch, metadata);
    trial.after(() => this.#stream.call.cancel());
  }

  /** Asks for a watcher; `next` has the answer. */
  ask(value: WatchInit): void {
    this.#stream.send({ requestUnion: { case: "createRequest", value } });
  }

  /** A watcher of all the case's keys, or as said; its id, once it is made. */
  async create(value: WatchInit = {}): Promise<bigint> {
    const all = { key: this.trial.key(""), rangeEnd: this.trial.prefixEnd() };
    this.ask(value.key === undefined ? { ...all, ...value } : value);
    const { created, canceled, watchId, events } = await this.next();
    deepEqual([created, canceled, events.length], [true, false, 0]);
    return watchId;
  }

  cancel(watchId: bigint): void {
    this.#stream.send({ requestUnion: { case: "cancelRequest", value: { watchId } } });
  }

  askProgress(): void {
    this.#stream.send({ requestUnion: { case: "progressRequest", value: {} } });
  }

  next(): Promise<etcd.WatchResponse> {
    return this.#stream.next();
  }

  /** The events up to so many, over as many answers as it takes; none beyond. */
  async events(count: number): Promise<PlainEvent[]> {
    const found: PlainEvent[] = [];
    while (found.length < count) {
      const { events, canceled } = await this.next();
      equal(canceled, false);
      found.push(...events.map((event) => plainEvent(this.trial, event)));
    }
    equal(found.length, count, "more events in one answer than were made");
    return found;
  }

  halfClose(): void {
    this.#stream.call.halfClose();
  }

  pause(): void {
    this.#stream.call.pause();
  }

  resume(): void {
    this.#stream.call.resume();
  }

  get open(): boolean {
    return this.#stream.call.open;
  }

  /** Messages that nobody has taken. */
  get arrived(): number {
    return this.#stream.call.arrived;
  }

  ended(): Promise<CallEnd> {
    return this.#stream.call.ended(answerTimeoutMs);
  }
}

/** "put a=1 @7" or "delete a @8": kind, key, value and revision. */
export type PlainEvent = string;

export function plainEvent(trial: Trial, { type, kv }: mvcc.Event): PlainEvent {
  const { key, value, modRevision } = kv!;
  const name = nameOf(trial, key);
  return type === mvcc.Event_EventType.DELETE
    ? `delete ${name} @${modRevision}`
    : `put ${name}=${text(value)} @${modRevision}`;
}
