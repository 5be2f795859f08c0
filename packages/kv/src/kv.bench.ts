// Microseconds of processor time per operation of the state machine with a million keys, without a
// row store behind it, and the heap that the key index takes. Processor time, garbage collection
// included, because other work on the machine would show in the wall clock. About ten seconds:
//   node --conditions=@quorate/source --expose-gc packages/kv/src/kv.bench.ts [keys]
import { latin1Decode, latin1Encode, Prng } from "@quorate/base";
import { KvState } from "./kv-state.ts";
import { OperationKind } from "./operation.ts";
import type { Row, RowCursor, RowRef, RowStore } from "./rows.ts";
import {
  encodeCompactionRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
} from "./wire/encode-request.ts";
import {
  Compare,
  CompactionRequest,
  CompareTarget,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "./wire/request.ts";

const KEYS = Number(process.argv[2] ?? 1_000_000);
const VALUE_BYTES = 256;

/** Keeps one row for all refs, so that neither memory nor time of a real store is measured. */
class OneRow implements RowStore {
  row: Row | null = null;
  rows = 0;
  deadRows = 0;

  append(row: Row): RowRef {
    this.row = row;
    return this.rows++;
  }

  dead(): void {
    this.deadRows++;
  }

  read(): Row {
    return this.row!;
  }

  cursorFrom(): RowCursor {
    return { next: () => null, ref: () => 0 };
  }
}

const rows = new OneRow();
const kv = new KvState({
  rows,
  clusterId: 0xfedcba9876543210n,
  memberId: 0x123456789abcdefn,
  txnOpsMax: 128,
  rangeBytesMax: 1 << 29,
});
const random = new Prng(1);
const value = new Uint8Array(VALUE_BYTES).map((_, i) => i);
let index = 0;

/** Keys of one length, so that a request can be made from another by putting its digits in. */
const PREFIX = "/registry/pods/default/";
const DIGITS = 8;
const keyOf = (n: number): Uint8Array =>
  latin1Encode(PREFIX + n.toString(16).padStart(DIGITS, "0"));

const envelope = (request: Uint8Array): Uint8Array => kv.envelope("", 0, request);

function apply(kind: OperationKind, request: Uint8Array, wantReply: boolean): void {
  const reply = kv.apply(
    { kind, level: 1, index: ++index, term: 3, wallMs: 1.7e12 + index, payload: request },
    wantReply,
    3,
  );
  if (reply.error !== 0) throw new Error(`error ${reply.error}`);
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const PER_ROUND = 10_000;

/**
 * The requests of a round are views of one buffer, as those of a connection are, made from
 * `template` (of key 0) before the clock starts: no garbage but the operation's own is measured.
 */
function measure(
  name: string,
  rounds: number,
  template: Uint8Array,
  next: () => number,
  run: (request: Uint8Array) => void,
): void {
  const slab = new Uint8Array(PER_ROUND * template.length);
  const requests: Uint8Array[] = [];
  for (let i = 0; i < PER_ROUND; i++) {
    slab.set(template, i * template.length);
    requests.push(slab.subarray(i * template.length, (i + 1) * template.length));
  }
  const places = digitPlaces(template);
  const spentUs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const request of requests) putDigits(request, places, next());
    const start = cpuUs();
    for (const request of requests) run(request);
    spentUs.push((cpuUs() - start) / PER_ROUND);
  }
  spentUs.sort((x, y) => x - y);
  const mean = spentUs.reduce((sum, us) => sum + us, 0) / rounds;
  const middle = spentUs[rounds >> 1]!;
  const show = (us: number): string => us.toFixed(2).padStart(6);
  console.log(`${name.padEnd(44)} mean ${show(mean)}  median ${show(middle)} µs`);
}

/** Where the key's digits stand in a request. */
function digitPlaces(template: Uint8Array): number[] {
  const text = latin1Decode(template);
  const places: number[] = [];
  for (let at = text.indexOf(PREFIX); at >= 0; at = text.indexOf(PREFIX, at + 1)) {
    places.push(at + PREFIX.length);
  }
  return places;
}

function putDigits(request: Uint8Array, places: readonly number[], n: number): void {
  for (const place of places) {
    for (let i = 0; i < DIGITS; i++) {
      const digit = (n >>> (28 - 4 * i)) & 15;
      request[place + i] = digit < 10 ? 48 + digit : 87 + digit;
    }
  }
}

function heapMiB(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  void external;
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

const before = heapMiB();
let n = 0;
const scattered = (i: number): number => Math.imul(i, 0x9e3779b1) >>> 0;
const known = (): number => scattered(random.below(KEYS));
const key = keyOf(0);
const bare = encodePutRequest(new PutRequest({ key, value }));
const put = envelope(bare);

measure(
  `put a new key (of ${KEYS})`,
  KEYS / PER_ROUND,
  put,
  () => scattered(n++),
  (request) => {
    apply(OperationKind.Put, request, true);
  },
);
console.log(`index of ${kv.keys} keys: ${(heapMiB() - before).toFixed(0)} MiB`);
measure("put over a key, with reply", 30, put, known, (request) => {
  apply(OperationKind.Put, request, true);
});
measure("put over a key, without reply", 30, put, known, (request) => {
  apply(OperationKind.Put, request, false);
});
measure("check a put at the edge, and its envelope", 30, bare, known, (request) => {
  kv.check(OperationKind.Put, request);
  envelope(request);
});
const txn = new TxnRequest({
  compare: [new Compare({ target: CompareTarget.Mod, operand: 6, number: 5, key })],
  success: [new PutRequest({ key, value })],
  failure: [new PutRequest({ key, value }), new RangeRequest({ key })],
});
measure("txn: compare, put, get", 30, envelope(encodeTxnRequest(txn)), known, (request) => {
  apply(OperationKind.Txn, request, true);
});
measure("range: one key", 30, encodeRangeRequest(new RangeRequest({ key })), known, (request) => {
  kv.range(request, 3);
});
const page = new RangeRequest({ key, rangeEnd: latin1Encode("/registry/q"), limit: 10 });
measure("range: 10 keys, counting all behind", 3, encodeRangeRequest(page), known, (request) => {
  kv.range(request, 3);
});
const compaction = new CompactionRequest({ revision: kv.revision });
apply(OperationKind.Compact, envelope(encodeCompactionRequest(compaction)), true);
const start = cpuUs();
while (!kv.compactStep(1000));
const each = (cpuUs() - start) / rows.deadRows;
console.log(`compaction of ${rows.deadRows} versions, each: ${each.toFixed(2)} µs`);
