// What watchers were told, in order: each is one record, however often its client went to another
// member with it. Judged when the run is over (checkers/watch-*.ts).
import { latin1Decode } from "@quorate/base";
import type { Identity, KeyValue, WatchEvent, WatchRequest } from "@quorate/kv";
import { kvText } from "../model/canonical.ts";
import { liveKeyOf } from "../model/reply-text.ts";

/** All events of one revision that a response had, as texts, sorted. */
export interface ToldRevision {
  readonly revision: number;
  readonly events: readonly string[];
  /** The same without the values before, which compaction may take away. */
  readonly bare: readonly string[];
}

export interface WatchPermit {
  readonly identity: Identity;
  readonly applied: number;
  /** It was begun then; else it was told of events. */
  readonly began: boolean;
}

export class WatchRecord {
  readonly id: number;
  /** Key, range and what it wants to be told; not the place where a client resumes. */
  readonly request: WatchRequest;
  /** First revision that it wants; null: it has not been told from where on it watches. */
  start: number | null;
  readonly told: ToldRevision[];
  /** It was said that by then it had been told of everything up to the revision. */
  readonly claims: { readonly revision: number; readonly toldCount: number }[];
  /** As whom it was begun or told, and what the member had applied when it said so. */
  readonly permits: WatchPermit[];
  /** Where it would have gone on, and what the member said was compacted; null: it goes on. */
  compacted: { readonly next: number; readonly compactRevision: number } | null;
  /** Its client wants no more of it. */
  closed: boolean;

  constructor(id: number, request: WatchRequest, start: number | null) {
    this.id = id;
    this.request = request;
    this.start = start;
    this.told = [];
    this.claims = [];
    this.permits = [];
    this.compacted = null;
    this.closed = false;
  }

  /** Where a client resumes it; null: from now on. */
  get next(): number | null {
    if (this.start === null) return null;
    const last = this.told.at(-1)?.revision ?? 0;
    const claimed = this.claims.at(-1)?.revision ?? 0;
    return Math.max(this.start, last + 1, claimed + 1);
  }

  /** One response; whole revisions. */
  hear(events: readonly WatchEvent[]): void {
    let revision = 0;
    let group: WatchEvent[] = [];
    for (const event of events) {
      if (event.kv.modRevision !== revision && group.length > 0) this.#push(revision, group);
      if (event.kv.modRevision !== revision) group = [];
      revision = event.kv.modRevision;
      group.push(event);
    }
    if (group.length > 0) this.#push(revision, group);
  }

  permitted(identity: Identity, applied: number, began: boolean): void {
    this.permits.push({ identity, applied, began });
  }

  claim(revision: number): void {
    this.claims.push({ revision, toldCount: this.told.length });
  }

  #push(revision: number, events: readonly WatchEvent[]): void {
    const bare = events.map((event) => eventText(event, false)).sort();
    this.told.push({ revision, events: events.map((e) => eventText(e, true)).sort(), bare });
  }
}

export class WatchHistory {
  readonly records: WatchRecord[];

  constructor() {
    this.records = [];
  }

  begin(request: WatchRequest, start: number | null): WatchRecord {
    const record = new WatchRecord(this.records.length, request, start);
    this.records.push(record);
    return record;
  }

  /** Told, all watchers together. */
  get revisions(): number {
    return this.records.reduce((sum, { told }) => sum + told.length, 0);
  }
}

function eventText({ deleted, kv, prevKv }: WatchEvent, withPrevious: boolean): string {
  const what = deleted ? `${latin1Decode(kv.key)} deleted` : textOf(kv);
  return withPrevious && prevKv !== null ? `${what} was ${textOf(prevKv)}` : what;
}

function textOf(kv: KeyValue): string {
  return kvText(liveKeyOf(kv));
}
