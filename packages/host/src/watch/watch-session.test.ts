// Method: streams over a hub and a store in memory; requests go in as bytes, and what the sink is given
// is decoded. Goal: etcd's rules of a stream of watchers (etcd-api.md W1 to W7): ids, created first,
// refusals, cancel, progress, fragments, what waits for a state, limits, and what a sink that does not
// read costs.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { latin1Decode, latin1Encode, must, Prng } from "@quorate/base";
import {
  decodeWatchResponse,
  encodeWatchRequest,
  KvState,
  WatchAsk,
  WatchRequest,
} from "@quorate/kv";
import type { WatchResponse } from "@quorate/kv";
import { MemoryRows, MvccStore, WatchHub } from "@quorate/kv/internal";
import { FailureCode } from "../host-api.ts";
import type { Failure, WatchSink, WatchStream } from "../host-api.ts";
import type { WatchLimits } from "./watch-limits.ts";
import { WatchStreams } from "./watch-streams.ts";

const limits: WatchLimits = {
  watchersPerStreamMax: 10,
  watchersPerConnectionMax: 11,
  watchersMax: 12,
  streamBufferBytes: 100,
  bufferBytes: 10_000,
  progressMs: 1000,
  fragmentBytes: 60,
};

/** What a client heard, as short texts. */
class Client implements WatchSink {
  readonly heard: WatchResponse[];
  buffered: number;
  needsDrain: boolean;
  /** It reads at once what is written. */
  reads: boolean;
  failure: Failure | null;
  connection?: object;

  constructor() {
    this.heard = [];
    this.buffered = 0;
    this.needsDrain = false;
    this.reads = true;
    this.failure = null;
  }

  write(message: Uint8Array): void {
    this.heard.push(must(decodeWatchResponse(message), "a watch response"));
    if (this.reads) return;
    this.buffered += message.length;
    this.needsDrain = true;
  }

  fail(failure: Failure): void {
    this.failure = failure;
  }

  take(): string[] {
    return this.heard.splice(0).map(textOf);
  }
}

function textOf(response: WatchResponse): string {
  const { header, watchId, created, canceled, compactRevision, cancelReason, fragment } = response;
  const events = response.events.map(
    ({ deleted, kv, prevKv }) =>
      `${latin1Decode(kv.key)}${deleted ? "-" : `=${latin1Decode(kv.value)}`}@${kv.modRevision}` +
      (prevKv === null ? "" : ` was ${latin1Decode(prevKv.value)}`),
  );
  const parts = [
    `${watchId} at ${header.revision}`,
    created ? "created" : "",
    canceled ? "canceled" : "",
    compactRevision === 0 ? "" : `compacted ${compactRevision}`,
    cancelReason,
    ...events,
    fragment ? "…" : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

class Member {
  readonly store: MvccStore;
  readonly streams: WatchStreams;
  leads: boolean;
  turns: number;

  constructor(whole: boolean = true) {
    this.store = new MvccStore(new MemoryRows());
    this.leads = true;
    this.turns = 0;
    this.streams = new WatchStreams({
      hub: new WatchHub(this.store),
      auth: new KvState({
        rows: new MemoryRows(),
        clusterId: 1n,
        memberId: 2n,
        txnOpsMax: 1,
        rangeBytesMax: 1,
      }).auth,
      limits,
      random: new Prng(1),
      tickMs: 10,
      electionTimeoutTicks: 100,
      header: () => ({ ids: new Uint8Array(0), term: 3 }),
      schedule: () => {
        this.turns += 1;
      },
      hasLeader: () => this.leads,
      missing: () => [],
    });
    if (whole) this.streams.stateBack();
  }

  put(key: string, value: string): void {
    this.apply(key, value);
    this.streams.turn();
  }

  /** The turn is not over. */
  apply(key: string, value: string): void {
    this.store.begin(1);
    this.store.put(key, latin1Encode(key), latin1Encode(value), 0, 0);
    this.store.commit();
  }
}

function ask(stream: WatchStream, fields: Partial<WatchRequest>): void {
  stream.message(encodeWatchRequest(new WatchRequest(fields)));
}

const prefix = { ask: WatchAsk.Create, key: latin1Encode("a"), rangeEnd: latin1Encode("b") };

test("ids: the server's from 0 on, past those that clients chose; created comes before events", () => {
  const member = new Member();
  const client = new Client();
  const stream = member.streams.open(client, false);
  ask(stream, prefix);
  ask(stream, { ...prefix, watchId: 1 });
  ask(stream, prefix);
  ask(stream, { ...prefix, watchId: 1 });
  deepEqual(client.take(), [
    "0 at 1, created",
    "1 at 1, created",
    "2 at 1, created",
    "-1 at 1, created, canceled, mvcc: duplicate watch ID provided on the WatchStream",
  ]);
  member.put("a1", "x");
  deepEqual(client.take(), ["0 at 2, a1=x@2", "1 at 2, a1=x@2", "2 at 2, a1=x@2"]);
  ask(stream, { ask: WatchAsk.Cancel, watchId: 1 });
  ask(stream, { ask: WatchAsk.Cancel, watchId: 7 });
  member.put("a1", "y");
  deepEqual(client.take(), ["1 at 2, canceled", "0 at 3, a1=y@3", "2 at 3, a1=y@3"]);
  equal(member.streams.watchers, 2);
  stream.close();
  equal(member.streams.watchers, 0);
  equal(member.streams.streams, 0);
});

test("what is asked in the middle of a turn is answered behind that turn's events, in its order", () => {
  const member = new Member();
  const [first, other] = [new Client(), new Client()];
  const stream = member.streams.open(first, false);
  const late = member.streams.open(other, false);
  ask(stream, prefix);
  first.take();
  member.apply("a1", "x");
  ask(late, prefix);
  ask(stream, { ask: WatchAsk.Cancel, watchId: 0 });
  deepEqual([first.take(), other.take()], [[], []]);
  member.streams.turn();
  deepEqual(first.take(), ["0 at 2, a1=x@2", "0 at 2, canceled"]);
  deepEqual(other.take(), ["0 at 2, created"]);
  member.put("a1", "y");
  deepEqual(other.take(), ["0 at 3, a1=y@3"]);
});

test("an empty range is refused, an empty key is the least one, history is told and then the present", () => {
  const member = new Member();
  const client = new Client();
  const stream = member.streams.open(client, false);
  member.put("a1", "x");
  ask(stream, { ...prefix, rangeEnd: latin1Encode("a") });
  ask(stream, { ask: WatchAsk.Create, rangeEnd: latin1Encode("\0"), startRevision: 2 });
  deepEqual(client.take(), [
    "-1 at 2, created, canceled, mvcc: watcher range is empty",
    "0 at 2, created",
  ]);
  member.streams.turn();
  member.put("z", "y");
  deepEqual(client.take(), ["0 at 2, a1=x@2", "0 at 3, z=y@3"]);
});

test("a start in compacted history ends the watcher: no revision in the header", () => {
  const member = new Member();
  const client = new Client();
  member.put("a1", "x");
  member.put("a1", "y");
  member.put("a1", "z");
  member.store.compact(3);
  const stream = member.streams.open(client, false);
  ask(stream, { ...prefix, startRevision: 2 });
  ask(stream, { ...prefix, startRevision: 3, prevKv: true });
  member.streams.turn();
  deepEqual(client.take(), [
    "0 at 4, created",
    "1 at 4, created",
    "0 at 0, canceled, compacted 3",
    "1 at 4, a1=y@3, a1=z@4 was y",
  ]);
  equal(member.streams.watchers, 1);
});

test("progress by hand waits until every watcher of the stream has been told all, future ones too", () => {
  const member = new Member();
  const client = new Client();
  const stream = member.streams.open(client, false);
  ask(stream, { ask: WatchAsk.Progress });
  member.streams.turn();
  deepEqual(client.take(), ["-1 at 1"]);
  member.put("a1", "x");
  ask(stream, { ...prefix, startRevision: 2 });
  ask(stream, { ask: WatchAsk.Progress });
  ask(stream, { ask: WatchAsk.Progress });
  member.streams.turn();
  deepEqual(client.take(), ["0 at 2, created", "0 at 2, a1=x@2", "-1 at 2"]);
  ask(stream, { ...prefix, startRevision: 4 });
  ask(stream, { ask: WatchAsk.Progress });
  member.streams.turn();
  deepEqual(client.take(), ["1 at 2, created"]);
  member.put("b", "x");
  deepEqual(client.take(), ["-1 at 3"]);
});

test("who asked for progress hears of it in idle intervals only", () => {
  const member = new Member();
  const client = new Client();
  const stream = member.streams.open(client, false);
  ask(stream, { ...prefix, progressNotify: true });
  ask(stream, prefix);
  client.take();
  member.streams.tick(110);
  deepEqual(client.take(), []);
  member.put("b", "no event of theirs");
  member.streams.tick(230);
  deepEqual(client.take(), ["0 at 2"]);
  member.put("a", "x");
  client.take();
  member.streams.tick(350);
  deepEqual(client.take(), []);
});

test("fragments: pieces below the limit, the last one says that it is the last", () => {
  const member = new Member();
  const client = new Client();
  const stream = member.streams.open(client, false);
  ask(stream, { ...prefix, fragment: true });
  ask(stream, prefix);
  member.store.begin(1);
  for (const key of ["a1", "a2", "a3"]) {
    member.store.put(key, latin1Encode(key), latin1Encode("x".repeat(20)), 0, 0);
  }
  member.store.commit();
  member.streams.turn();
  const value = "x".repeat(20);
  deepEqual(client.take().slice(2), [
    `0 at 2, a1=${value}@2, …`,
    `0 at 2, a2=${value}@2, …`,
    `0 at 2, a3=${value}@2`,
    `1 at 2, a1=${value}@2, a2=${value}@2, a3=${value}@2`,
  ]);
});

test("a sink that does not read is given little, and everything once it reads; others wait for nothing", () => {
  const member = new Member();
  const [slow, other] = [new Client(), new Client()];
  const stream = member.streams.open(slow, false);
  ask(stream, prefix);
  ask(member.streams.open(other, false), prefix);
  slow.take();
  other.take();
  slow.reads = false;
  for (let at = 0; at < 50; at += 1) member.put("a", String(at));
  equal(other.take().length, 50);
  ok(slow.buffered < limits.streamBufferBytes + 100, `${slow.buffered} bytes`);
  const first = slow.take().length;
  slow.reads = true;
  slow.buffered = 0;
  slow.needsDrain = false;
  stream.drained();
  member.streams.turn();
  const rest = slow.heard.splice(0).flatMap(({ events }) => events);
  equal(first + rest.length, 50);
  equal(rest.at(-1)!.kv.modRevision, 51);
});

test("what is asked before there is a state waits for it", () => {
  const member = new Member(false);
  const client = new Client();
  const stream = member.streams.open(client, false);
  ask(stream, prefix);
  ask(stream, { ask: WatchAsk.Cancel, watchId: 0 });
  deepEqual(client.take(), []);
  member.streams.stateBack();
  deepEqual(client.take(), ["0 at 1, created", "0 at 1, canceled"]);
});

test("limits: watchers of a stream and of the member; requests that wait; bytes that are no request", () => {
  const member = new Member();
  const client = new Client();
  const stream = member.streams.open(client, false);
  for (let at = 0; at < 11; at += 1) ask(stream, prefix);
  equal(client.take().at(-1), "-1 at 1, created, canceled, etcdserver: too many requests");
  const second = new Client();
  const another = member.streams.open(second, false);
  for (let at = 0; at < 3; at += 1) ask(another, prefix);
  deepEqual(second.take(), [
    "0 at 1, created",
    "1 at 1, created",
    "-1 at 1, created, canceled, etcdserver: too many requests",
  ]);
  another.message(latin1Encode("\n"));
  equal(second.failure?.code, FailureCode.Kv);
  equal(member.streams.watchers, 10);
  const early = new Member(false);
  const third = new Client();
  const waiting = early.streams.open(third, false);
  for (let at = 0; at < 11; at += 1) ask(waiting, prefix);
  equal(third.failure?.code, FailureCode.TooManyRequests);
});

test("limits: watchers of all streams of a connection; those of another one are not counted", () => {
  const member = new Member();
  const connection = {};
  const clients = [new Client(), new Client(), new Client()] as const;
  clients[0].connection = connection;
  clients[1].connection = connection;
  const streams = clients.map((client) => member.streams.open(client, false));
  for (let at = 0; at < 9; at += 1) ask(streams[0]!, prefix);
  for (let at = 0; at < 3; at += 1) ask(streams[1]!, prefix);
  const refused = "-1 at 1, created, canceled, etcdserver: too many requests";
  deepEqual(clients[1].take(), ["0 at 1, created", "1 at 1, created", refused]);
  ask(streams[2]!, prefix);
  deepEqual(clients[2].take(), ["0 at 1, created"]);
  ask(streams[0]!, { ask: WatchAsk.Cancel, watchId: 3 });
  streams[2]!.close();
  ask(streams[1]!, prefix);
  deepEqual(clients[1].take(), ["2 at 1, created"]);
  ask(streams[1]!, prefix);
  deepEqual(clients[1].take(), [refused]);
  streams[0]!.close();
  ask(streams[1]!, prefix);
  deepEqual(clients[1].take(), ["3 at 1, created"]);
});

test("hasleader: such a stream ends after three election timeouts without a leader, others do not", () => {
  const member = new Member();
  const [strict, patient] = [new Client(), new Client()];
  member.streams.open(strict, true);
  member.streams.open(patient, false);
  member.streams.tick(10);
  member.leads = false;
  member.streams.tick(300);
  equal(strict.failure, null);
  member.streams.tick(320);
  equal(strict.failure!.code, FailureCode.NoLeader);
  equal(patient.failure, null);
  const late = new Client();
  member.streams.open(late, true);
  equal(late.failure!.code, FailureCode.NoLeader);
  member.streams.stop();
  equal(patient.failure!.code, FailureCode.Stopped);
});
