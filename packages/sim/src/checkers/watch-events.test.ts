// Method: a twin that has applied a few requests, and records of watchers made by hand: a right one, and
// one for each way in which it can be wrong. Goal: the checker of watches refuses each of these, by the
// property that is hurt.
import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode } from "@quorate/base";
import {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  WatchAsk,
  WatchRequest,
} from "@quorate/kv";
import { type ToldRevision, WatchRecord } from "../client/watch-history.ts";
import { KvModel } from "../model/kv-model.ts";
import { Violation } from "./violation.ts";
import { checkWatches } from "./watch-events.ts";

const put = (key: string, value: string): PutRequest =>
  new PutRequest({ key: latin1Encode(key), value: latin1Encode(value) });

/** Revision 2: a=1; 3: b=2; 4: a=3; 5: a deleted; 6: b=4. */
function twin(compactAt: number | null = null): KvModel {
  const model = new KvModel();
  for (const request of [put("a", "1"), put("b", "2"), put("a", "3")]) model.apply(request);
  model.apply(new DeleteRangeRequest({ key: latin1Encode("a") }));
  model.apply(put("b", "4"));
  if (compactAt !== null) model.apply(new CompactionRequest({ revision: compactAt }));
  return model;
}

const told = (revision: number, ...events: string[]): ToldRevision => ({
  revision,
  events,
  bare: events.map((text) => text.split(" was ")[0]!),
});

const everything: readonly ToldRevision[] = [
  told(2, "a=1@2/2/1"),
  told(3, "b=2@3/3/1"),
  told(4, "a=3@2/4/2 was a=1@2/2/1"),
  told(5, "a deleted was a=3@2/4/2"),
  told(6, "b=4@3/6/2 was b=2@3/3/1"),
];

function record(heard: readonly ToldRevision[], fields: Partial<WatchRequest> = {}): WatchRecord {
  const all = { key: latin1Encode("\0"), rangeEnd: latin1Encode("\0"), prevKv: true };
  const request = new WatchRequest({ ask: WatchAsk.Create, ...all, ...fields });
  const made = new WatchRecord(1, request, heard[0]?.revision ?? 2);
  made.told.push(...heard);
  return made;
}

function rejects(one: WatchRecord, property: RegExp, model: KvModel = twin()): void {
  const refused = (error: unknown): boolean =>
    error instanceof Violation && property.test(error.property);
  assert.throws(() => checkWatches([one], model), refused);
}

test("a watcher that was told what happened is accepted, as far as it was told", () => {
  checkWatches([record(everything), record(everything.slice(0, 3)), record([])], twin());
  const deletions = [told(5, "a deleted was a=3@2/4/2")];
  checkWatches([record(deletions, { noPuts: true })], twin());
});

test("W4 a revision left out; W2 one told twice, or one that never was", () => {
  rejects(record([everything[0]!, everything[2]!]), /^W4/);
  rejects(record([everything[0]!, everything[0]!]), /^W2/);
  rejects(record([...everything, told(7, "c=1@7/7/1")]), /^W2/);
});

test("W8 what comes before the first revision that was asked for", () => {
  const early = record(everything);
  early.start = 3;
  rejects(early, /^W2 each event once, W8/);
});

test("W7 a wrong event, one too many in its revision, one that a filter takes out", () => {
  rejects(record([told(2, "a=9@2/2/1")]), /^W3/);
  rejects(record([told(2, "a=1@2/2/1", "b=2@3/3/1")]), /^W3/);
  rejects(record([...everything], { noDeletes: true }), /^W2/);
});

test("W7 the value before may be missing only where it may have been compacted", () => {
  const without = record([...everything.slice(0, 2), told(4, "a=3@2/4/2")]);
  rejects(without, /^W3/, twin(3));
  checkWatches([without], twin(4));
  const wrong = record([...everything.slice(0, 2), told(4, "a=3@2/4/2 was a=7@2/2/1")]);
  rejects(wrong, /^W3/, twin(4));
});

test("W6 a word of progress beyond what was told", () => {
  const good = record(everything.slice(0, 2));
  good.claim(3);
  checkWatches([good], twin());
  good.claim(4);
  rejects(good, /^W6/);
});

test("W9 an end for a compaction that never was, or that took nothing away", () => {
  const ended = record(everything.slice(0, 1));
  ended.compacted = { next: 3, compactRevision: 4 };
  rejects(ended, /^W9/);
  checkWatches([ended], twin(4));
  ended.compacted = { next: 4, compactRevision: 4 };
  rejects(ended, /^W9/, twin(4));
});
