// One watcher of a client's stream: its id there, and what the client asked for besides events.
import { Watcher, WatchPlace } from "@quorate/kv";
import type { EventBatch, Identity, WatchAnswer, WatchRequest, WatchTarget } from "@quorate/kv";
import { latin1Decode } from "@quorate/base";

/** What a watcher needs of its stream. */
export interface StreamOfWatcher {
  readonly ready: boolean;
  send(answer: WatchAnswer, events: Uint8Array): void;
  /** Its sink must be empty before it takes more. */
  blocked(watcher: StreamWatcher): void;
  ended(watcher: StreamWatcher): void;
}

export class StreamWatcher implements WatchTarget {
  readonly id: number;
  readonly watcher: Watcher;
  /** Who has asked for it. */
  readonly identity: Identity;
  readonly #stream: StreamOfWatcher;
  readonly #progressNotify: boolean;
  /** 0: no response is cut. */
  readonly #fragmentBytes: number;
  /** It has heard something since the last look. */
  #heard: boolean;

  /** `request`: its key and range have been checked. */
  constructor(
    stream: StreamOfWatcher,
    id: number,
    request: WatchRequest,
    fragmentBytes: number,
    identity: Identity,
  ) {
    this.id = id;
    this.identity = identity;
    this.#stream = stream;
    this.#progressNotify = request.progressNotify;
    this.#fragmentBytes = request.fragment ? fragmentBytes : 0;
    this.#heard = true;
    const { rangeEnd, startRevision, noPuts, noDeletes, prevKv } = request;
    this.watcher = new Watcher(this, {
      key: keyOf(request),
      single: rangeEnd.length === 0,
      end: endOf(rangeEnd),
      noPuts,
      noDeletes,
      prevKv,
      startRevision,
    });
  }

  get ready(): boolean {
    return this.#stream.ready;
  }

  get key(): string {
    return this.watcher.key;
  }

  /** As a request has it. */
  get rangeEnd(): string {
    const { single, end } = this.watcher;
    return single ? "" : (end ?? "\0");
  }

  get synced(): boolean {
    return this.watcher.place === WatchPlace.Synced;
  }

  deliver(_watcher: Watcher, batch: EventBatch, revision: number): void {
    this.#heard = true;
    for (let at = 0; at < batch.length; at += 1) {
      const { bytes, ends, revision: partRevision } = batch[at]!;
      // Not before the last part has it been told of everything up to `revision`.
      const header = at + 1 < batch.length ? partRevision : revision;
      if (this.#fragmentBytes > 0) this.#sendFragments(bytes, ends, header);
      else this.#stream.send({ watchId: this.id, revision: header }, bytes);
    }
  }

  blocked(): void {
    this.#stream.blocked(this);
  }

  /** As in etcd: the header names no revision. */
  compacted(_watcher: Watcher, compactRevision: number): void {
    const answer = { watchId: this.id, revision: 0, canceled: true, compactRevision };
    this.#stream.send(answer, noEvents);
    this.#stream.ended(this);
  }

  /** Once in an interval: it has been told of everything up to `revision`. */
  progress(revision: number): void {
    if (!this.#progressNotify) return;
    const wants = !this.#heard && this.synced && this.ready;
    this.#heard = false;
    if (wants) this.#stream.send({ watchId: this.id, revision }, noEvents);
  }

  /** Pieces below the limit, of one event at least; all but the last say that more follows. */
  #sendFragments(bytes: Uint8Array, ends: readonly number[], revision: number): void {
    let from = 0;
    for (let at = 0; at < ends.length; at += 1) {
      const next = ends[at + 1];
      const fragment = next !== undefined;
      if (fragment && next - from < this.#fragmentBytes) continue;
      const answer = { watchId: this.id, revision, fragment };
      this.#stream.send(answer, bytes.subarray(from, ends[at]));
      from = ends[at]!;
    }
  }
}

/** An empty key stands for the least one. */
export function keyOf({ key }: WatchRequest): string {
  return key.length === 0 ? "\0" : latin1Decode(key);
}

/** "\0" stands for "no end". */
export function endOf(rangeEnd: Uint8Array): string | null {
  return rangeEnd.length === 1 && rangeEnd[0] === 0 ? null : latin1Decode(rangeEnd);
}

export const noEvents: Uint8Array = new Uint8Array(0);
