// Watch: one stream, many watchers; where each begins, what it hears, and how it ends.
import { deepEqual, equal, ok } from "node:assert/strict";
import { toBinary } from "@bufbuild/protobuf";
import { Prng } from "@quorate/base";
import { etcd } from "@quorate/proto";
import { eventually } from "../../processes/eventually.ts";
import type { Case } from "../suite/case.ts";
import { namesOf } from "../suite/rows.ts";
import { bytes, text } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";
import { plainEvent, Watching } from "../suite/watching.ts";
import type { PlainEvent } from "../suite/watching.ts";

const { put, deleteRange, txn, compact, range } = etcd.KV.method;
const { NOPUT, NODELETE } = etcd.WatchCreateRequest_FilterType;
const zero = Uint8Array.of(0);
/** max-request-bytes and what etcd allows gRPC on top of it. */
const fragmentBytesMax = 1_572_864 + 512 * 1024;

const putOp = (
  key: Uint8Array,
  value: Uint8Array,
): { request: { case: "requestPut"; value: { key: Uint8Array; value: Uint8Array } } } => ({
  request: { case: "requestPut", value: { key, value } },
});

export const watchCases: readonly Case[] = [
  {
    rule: "E-W1",
    name: "created comes first, with the present revision and ids from 0; then events as they happen",
    run: async (trial) => {
      const before = await trial.put("a", "1");
      const watching = new Watching(trial);
      watching.ask({ key: trial.key("a") });
      const first = await watching.next();
      deepEqual(
        [first.created, first.watchId, first.header!.revision, first.events.length],
        [true, 0n, before, 0],
      );
      equal(await watching.create({ key: trial.key("b") }), 1n);
      const rev = await trial.put("a", "2");
      const heard = await watching.next();
      deepEqual([heard.watchId, heard.created, heard.header!.revision], [0n, false, rev]);
      deepEqual(
        heard.events.map((event) => plainEvent(trial, event)),
        [`put a=2 @${rev}`],
      );
    },
  },
  {
    rule: "E-W1",
    name: "a start in the past: created still comes before the first event",
    run: async (trial) => {
      const r1 = await trial.put("a", "1");
      const r2 = await trial.put("a", "2");
      const watching = new Watching(trial);
      watching.ask({ key: trial.key("a"), startRevision: r1 });
      const first = await watching.next();
      deepEqual([first.created, first.events.length], [true, 0]);
      deepEqual(await watching.events(2), [`put a=1 @${r1}`, `put a=2 @${r2}`]);
    },
  },
  {
    rule: "E-W1",
    name: 'without a key, the key "\\0"; with the end "\\0", every key from the key on',
    run: async (trial) => {
      const watching = new Watching(trial);
      const single = await watching.create({ key: new Uint8Array(0) });
      const every = await watching.create({ key: new Uint8Array(0), rangeEnd: zero });
      const above = await watching.create({ key: trial.key("m"), rangeEnd: zero });
      await trial.put("a");
      equal((await watching.next()).watchId, every);
      await trial.put("n");
      const two = [await watching.next(), await watching.next()].map(({ watchId }) => watchId);
      deepEqual(new Set(two), new Set([every, above]));
      await trial.ok(put, { key: zero });
      const both = [await watching.next(), await watching.next()].map(({ watchId }) => watchId);
      deepEqual(new Set(both), new Set([single, every]));
      await trial.ok(deleteRange, { key: zero });
    },
  },
  {
    rule: "E-W1",
    name: "an id of the client's own; taken ones are passed over, and a second time refused",
    run: async (trial) => {
      const watching = new Watching(trial);
      equal(await watching.create({ key: trial.key("a"), watchId: 1n }), 1n);
      equal(await watching.create({ key: trial.key("a") }), 0n);
      equal(await watching.create({ key: trial.key("a") }), 2n);
      equal(await watching.create({ key: trial.key("a"), watchId: 1_000_000n }), 1_000_000n);
      watching.ask({ key: trial.key("b"), watchId: 1n });
      const { created, canceled, watchId, cancelReason } = await watching.next();
      deepEqual(
        [created, canceled, watchId, cancelReason],
        [true, true, -1n, "mvcc: duplicate watch ID provided on the WatchStream"],
      );
      await trial.put("a");
      const heard = [];
      for (let count = 0; count < 4; count += 1) heard.push((await watching.next()).watchId);
      deepEqual(
        heard.sort((a, b) => Number(a - b)),
        [0n, 1n, 2n, 1_000_000n],
      );
    },
  },
  {
    rule: "E-W1",
    name: "a range whose end is not above its key is refused; the stream goes on",
    run: async (trial) => {
      const watching = new Watching(trial);
      for (const end of ["a", "b"]) {
        watching.ask({ key: trial.key("b"), rangeEnd: trial.key(end) });
        const { created, canceled, watchId, cancelReason } = await watching.next();
        deepEqual(
          [created, canceled, watchId, cancelReason],
          [true, true, -1n, "mvcc: watcher range is empty"],
        );
      }
      equal(await watching.create(), 0n);
    },
  },
  {
    rule: "E-W2",
    name: "a start in compacted history: created, then cancelled with the compacted revision",
    run: async (trial) => {
      const r1 = await trial.put("a", "1");
      const r2 = await trial.put("a", "2");
      await trial.ok(compact, { revision: r2 });
      for (const startRevision of [r1, 1n]) {
        const watching = new Watching(trial);
        const watchId = await watching.create({ key: trial.key("a"), startRevision });
        const end = await watching.next();
        deepEqual(
          [end.watchId, end.canceled, end.created, end.compactRevision, end.events.length],
          [watchId, true, false, r2, 0],
        );
        equal(await watching.create({ key: trial.key("a"), startRevision: r2 }), 1n);
        deepEqual(await watching.events(1), [`put a=2 @${r2}`]);
      }
    },
  },
  {
    rule: "E-W2",
    name: "a negative start is a start in compacted history",
    run: async (trial) => {
      const rev = await trial.put("a", "1");
      await trial.ok(compact, { revision: rev });
      const watching = new Watching(trial);
      const watchId = await watching.create({ key: trial.key("a"), startRevision: -1n });
      const end = await watching.next();
      deepEqual([end.watchId, end.canceled, end.compactRevision], [watchId, true, rev]);
    },
  },
  {
    rule: "E-W4",
    name: "all events of one revision come in one answer, in the order of the transaction",
    run: async (trial) => {
      await trial.put("z", "old");
      const watching = new Watching(trial);
      await watching.create();
      const value = bytes("v");
      const done = await trial.ok(txn, {
        success: [
          putOp(trial.key("c"), value),
          putOp(trial.key("a"), value),
          { request: { case: "requestDeleteRange", value: { key: trial.key("z") } } },
          putOp(trial.key("b"), value),
        ],
      });
      const rev = done.header!.revision;
      const { events, header } = await watching.next();
      equal(header!.revision, rev);
      deepEqual(
        events.map((event) => plainEvent(trial, event)),
        [`put c=v @${rev}`, `put a=v @${rev}`, `delete z @${rev}`, `put b=v @${rev}`],
      );
    },
  },
  {
    rule: "E-W4",
    name: "without fragments a large revision is one answer; with them it comes in pieces, all but the last marked",
    run: async (trial) => {
      const keys = ["a", "b", "c"].map((name) => trial.key(name));
      const large = new Uint8Array(500_000);
      for (const key of keys) await trial.ok(put, { key, value: large });
      const watching = new Watching(trial);
      const whole = await watching.create({ ...all(trial), prevKv: true });
      const pieces = await watching.create({ ...all(trial), prevKv: true, fragment: true });
      await trial.ok(txn, { success: keys.map((key) => putOp(key, large.subarray(1))) });
      const answers: etcd.WatchResponse[] = [];
      const of = (id: bigint): etcd.WatchResponse[] =>
        answers.filter(({ watchId }) => watchId === id);
      const count = (id: bigint): number =>
        of(id).reduce((sum, { events }) => sum + events.length, 0);
      while (count(whole) < 3 || count(pieces) < 3) answers.push(await watching.next());
      deepEqual(
        of(whole).map(({ events, fragment }) => [events.length, fragment]),
        [[3, false]],
      );
      const marks = of(pieces).map(({ fragment }) => fragment);
      ok(marks.length > 1, "not in pieces");
      deepEqual(marks, [...marks.slice(1).fill(true), false]);
      for (const answer of of(pieces)) {
        ok(answer.events.length === 1 || sizeOf(answer) <= fragmentBytesMax);
      }
    },
  },
  {
    rule: "E-W4",
    name: "fragments of a long history: complete, ordered, no larger than the wire takes",
    run: async (trial) => {
      const value = new Uint8Array(700_000);
      const revisions = [];
      for (const name of ["a", "b", "c", "d", "e"]) {
        const answer = await trial.ok(put, { key: trial.key(name), value });
        revisions.push(answer.header!.revision);
      }
      const watching = new Watching(trial);
      await watching.create({ ...all(trial), startRevision: revisions[0]!, fragment: true });
      const heard: bigint[] = [];
      while (heard.length < 5) {
        const answer = await watching.next();
        ok(answer.events.length === 1 || sizeOf(answer) <= fragmentBytesMax);
        heard.push(...answer.events.map(({ kv }) => kv!.modRevision));
      }
      deepEqual(heard, revisions);
    },
  },
  {
    rule: "E-W5",
    name: "progress asked for: id -1, no events, and a revision up to which all was delivered",
    run: async (trial) => {
      const watching = new Watching(trial);
      await watching.create();
      const rev = await trial.put("a");
      await watching.events(1);
      watching.askProgress();
      const { watchId, header, events, created, canceled } = await watching.next();
      deepEqual([watchId, events.length, created, canceled], [-1n, 0, false, false]);
      equal(header!.revision, rev);
    },
  },
  {
    rule: "E-W5",
    name: "progress notices come to an idle watcher that wants them, and to no other",
    own: { members: 1, flags: ["--experimental-watch-progress-notify-interval=500ms"] },
    run: async (trial) => {
      await trial.put("a");
      const watching = new Watching(trial);
      await watching.create({ key: trial.key("b") });
      const wants = await watching.create({ key: trial.key("b"), progressNotify: true });
      const rev = await trial.put("a");
      await eventually("a notice with the newest revision", async () => {
        const { watchId, events, header } = await watching.next();
        deepEqual([watchId, events.length], [wants, 0]);
        return header!.revision === rev;
      });
    },
  },
  {
    rule: "E-W6",
    name: "a start in the future: nothing before it, everything from it on",
    run: async (trial) => {
      const now = await trial.put("a", "0");
      const watching = new Watching(trial);
      await watching.create({ ...all(trial), startRevision: now + 3n });
      await trial.put("a", "1");
      await trial.put("a", "2");
      await trial.put("a", "3");
      await trial.put("a", "4");
      deepEqual(await watching.events(2), [`put a=3 @${now + 3n}`, `put a=4 @${now + 4n}`]);
    },
  },
  {
    rule: "E-W6",
    name: "prev_kv: the row before, for puts and deletes; none for a new key or a compacted one",
    run: async (trial) => {
      const watching = new Watching(trial);
      await watching.create({ ...all(trial), prevKv: true });
      const first = await trial.put("a", "1");
      const second = await trial.put("a", "2");
      const key = trial.key("a");
      await trial.ok(deleteRange, { key });
      const events = [];
      while (events.length < 3) events.push(...(await watching.next()).events);
      deepEqual(
        events.map(({ prevKv }) => (prevKv ? [text(prevKv.value), prevKv.modRevision] : null)),
        [null, ["1", first], ["2", second]],
      );
      equal(events[2]!.kv!.createRevision, 0n);
      await trial.ok(compact, { revision: second });
      const later = new Watching(trial);
      await later.create({ ...all(trial), prevKv: true, startRevision: second });
      const [put2, gone] = (await later.next()).events;
      deepEqual([put2!.prevKv, text(gone!.prevKv!.value)], [undefined, "2"]);
    },
  },
  {
    rule: "E-W6",
    name: "filters: no puts, no deletes, neither",
    run: async (trial) => {
      const watching = new Watching(trial);
      const deletes = await watching.create({ ...all(trial), filters: [NOPUT] });
      const puts = await watching.create({ ...all(trial), filters: [NODELETE] });
      await watching.create({ ...all(trial), filters: [NOPUT, NODELETE] });
      await trial.put("a");
      equal((await watching.next()).watchId, puts);
      await trial.ok(deleteRange, { key: trial.key("a") });
      equal((await watching.next()).watchId, deletes);
      watching.askProgress();
      equal((await watching.next()).watchId, -1n);
    },
  },
  {
    rule: "E-W6",
    name: "cancel: told once, then silence; an id that is not there is passed over",
    run: async (trial) => {
      const watching = new Watching(trial);
      const gone = await watching.create();
      const stays = await watching.create();
      watching.cancel(gone);
      const { watchId, canceled, created, cancelReason, compactRevision } = await watching.next();
      deepEqual(
        [watchId, canceled, created, cancelReason, compactRevision],
        [gone, true, false, "", 0n],
      );
      watching.cancel(gone);
      watching.cancel(77n);
      await trial.put("a");
      equal((await watching.next()).watchId, stays);
      watching.askProgress();
      equal((await watching.next()).watchId, -1n);
      equal(await watching.create({ key: trial.key("a"), watchId: gone + 100n }), gone + 100n);
    },
  },
  {
    rule: "E-W6",
    name: "a request without content is passed over",
    run: async (trial) => {
      const stream = trial.wire.stream(etcd.Watch.method.watch);
      trial.after(() => stream.call.cancel());
      stream.send({});
      stream.send({ requestUnion: { case: "createRequest", value: { key: trial.key("a") } } });
      equal((await stream.next()).created, true);
    },
  },
  {
    rule: "E-W7",
    name: "the client's half-close does not end a Watch",
    run: async (trial) => {
      const watching = new Watching(trial);
      await watching.create();
      watching.halfClose();
      const rev = await trial.put("a", "1");
      deepEqual(await watching.events(1), [`put a=1 @${rev}`]);
      equal(watching.open, true);
    },
  },
  {
    rule: "E-W8",
    name: "ordered, unique, complete: a random history as several watchers hear it, live and anew",
    run: async (trial) => {
      const start = (await trial.revision()) + 1n;
      const watching = new Watching(trial);
      const other = new Watching(trial);
      const live = [await watching.create(), await watching.create()];
      await other.create();
      const made = await randomHistory(trial, 150);
      const heard = new Map(live.map((id) => [id, [] as PlainEvent[]]));
      while ([...heard.values()].some((events) => events.length < made.length)) {
        const { watchId, events } = await watching.next();
        heard.get(watchId)!.push(...events.map((event) => plainEvent(trial, event)));
      }
      for (const events of heard.values()) deepEqual(events, made);
      deepEqual(await other.events(made.length), made);
      const anew = new Watching(trial);
      await anew.create({ ...all(trial), startRevision: start });
      deepEqual(await anew.events(made.length), made);
      const middle = made[70]!;
      const from = BigInt(middle.slice(middle.indexOf("@") + 1));
      const suffix = made.filter((event) => BigInt(event.slice(event.indexOf("@") + 1)) >= from);
      const resumed = new Watching(trial);
      await resumed.create({ ...all(trial), startRevision: from });
      deepEqual(await resumed.events(suffix.length), suffix);
    },
  },
  {
    rule: "E-W8",
    name: "a client that stops reading hears everything when it goes on, and holds up nobody",
    run: async (trial) => {
      const slow = new Watching(trial);
      await slow.create();
      const quick = new Watching(trial);
      await quick.create();
      slow.pause();
      const made: PlainEvent[] = [];
      const value = "v".repeat(100_000);
      for (let at = 0; at < 60; at += 1) {
        made.push(`put k${at % 5}=${value} @${await trial.put(`k${at % 5}`, value)}`);
        equal((await quick.events(1))[0], made[at]);
      }
      slow.resume();
      deepEqual(await slow.events(made.length), made);
    },
  },
];

export const watchClusterCases: readonly Case[] = [
  {
    rule: "E-W8",
    name: "watchers at all three members hear the same history; one goes on at another member",
    run: async (trial) => {
      const watchings = [0, 1, 2].map((at) => new Watching(trial, at));
      for (const watching of watchings) await watching.create();
      const made = await randomHistory(trial, 60);
      for (const watching of watchings) deepEqual(await watching.events(made.length), made);
      const from = BigInt(made[20]!.slice(made[20]!.indexOf("@") + 1));
      const suffix = made.filter((event) => BigInt(event.slice(event.indexOf("@") + 1)) >= from);
      const elsewhere = new Watching(trial, 2);
      await elsewhere.create({ ...all(trial), startRevision: from });
      deepEqual(await elsewhere.events(suffix.length), suffix);
    },
  },
  {
    rule: "E-W7",
    name: "with hasleader a stream ends when nobody leads, and none begins; without it stays",
    own: { members: 3 },
    run: async (trial) => {
      const metadata = { hasleader: "true" };
      const bound = new Watching(trial, 0, metadata);
      await bound.create();
      const free = new Watching(trial, 0);
      await free.create();
      await trial.servers.kill(1);
      await trial.servers.kill(2);
      const end = await bound.ended();
      ok(end.code === 14 || end.code === 1, `${end.code} ${end.text}`);
      equal(free.open, true);
      const late = new Watching(trial, 0, metadata);
      late.ask({ key: trial.key("a") });
      trial.isError("noLeader", await late.ended());
    },
  },
];

function all(trial: Trial): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
  return { key: trial.key(""), rangeEnd: trial.prefixEnd() };
}

function sizeOf(answer: etcd.WatchResponse): number {
  return toBinary(etcd.WatchResponseSchema, answer).length;
}

/** Puts, deletes of ranges and transactions from a seed; the events that they make, in order. */
async function randomHistory(trial: Trial, steps: number): Promise<PlainEvent[]> {
  const random = new Prng("watch history");
  const made: PlainEvent[] = [];
  const name = (): string => `k${random.below(8)}`;
  for (let step = 0; step < steps; step += 1) {
    if (random.below(5) === 0) {
      const [from, to] = [name(), name()].sort() as [string, string];
      const request = { key: trial.key(from), rangeEnd: trial.key(`${to}~`) };
      const { kvs } = await trial.ok(range, request);
      const { header } = await trial.ok(deleteRange, request);
      const gone = namesOf(trial, kvs)
        .split(" ")
        .filter((each) => each !== "");
      made.push(...gone.map((each) => `delete ${each} @${header!.revision}`));
    } else if (random.below(4) === 0) {
      const names = [...new Set([name(), name(), name()])];
      const success = names.map((each) => putOp(trial.key(each), bytes(`t${step}`)));
      const { header } = await trial.ok(txn, { success });
      made.push(...names.map((each) => `put ${each}=t${step} @${header!.revision}`));
    } else {
      const each = name();
      made.push(`put ${each}=${step} @${await trial.put(each, `${step}`)}`);
    }
  }
  return made;
}
