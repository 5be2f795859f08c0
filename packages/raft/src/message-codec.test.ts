// Bytes of messages: pinned examples, round trips of every type, fuzz by "what decodes encodes to
// the same bytes", and the shapes that must be refused on both sides.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { AssertionError, ByteReader, ByteWriter, concatBytes, fromHex, toHex } from "@quorate/base";
import fc from "fast-check";
import { Entry } from "./entry.ts";
import { Message, MessageType } from "./message.ts";
import { decodeMessage, encodeEntries, encodeMessage, encodeMessageHead } from "./message-codec.ts";
import { ConfState, SnapshotMeta } from "./types.ts";

function bytesOf(message: Message): Uint8Array {
  const writer = new ByteWriter();
  encodeMessage(writer, message);
  return writer.take();
}

function decoded(bytes: Uint8Array): Message | null {
  return decodeMessage(new ByteReader(bytes));
}

function appendOf(index: number, logTerm: number, term: number, entries: Entry[]): Message {
  const message = new Message(MessageType.AppendEntries, 1, 2, term);
  message.index = index;
  message.logTerm = logTerm;
  message.entries = entries;
  return message;
}

const entryAt = (term: number, index: number): Entry =>
  new Entry(term, index, 16, 1, 1000, new Uint8Array([index & 0xff]));

/** Zero half of the time: absent fields are the common case. */
const field = fc.oneof(fc.constant(0), fc.nat(300), fc.maxSafeNat());
const nodeId = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 52 }));

const plain = fc
  .record({
    type: fc.constantFrom(...Object.values(MessageType)),
    ids: fc.tuple(nodeId, nodeId),
    term: field,
    numbers: fc.tuple(field, field, field, field, field, field, field, field, field, field),
    rank: field,
    reject: fc.boolean(),
    transfer: fc.boolean(),
  })
  .map(({ type, ids, term, numbers, rank, reject, transfer }) => {
    const message = new Message(type, ids[0], ids[1], term);
    message.session = numbers[0];
    message.toSession = numbers[1];
    message.number = numbers[2];
    message.index = numbers[3];
    message.logTerm = Math.min(numbers[4], term);
    message.commit = numbers[5];
    message.hintIndex = numbers[6];
    message.hintTerm = numbers[7];
    message.sentMs = numbers[8];
    message.wallMs = numbers[9];
    message.rank = rank;
    message.reject = reject;
    message.transfer = transfer;
    if (type === MessageType.InstallSnapshot) {
      const conf = new ConfState([1, 2, 3], [], [9], [], false);
      message.snapshot = new SnapshotMeta(
        Math.max(1, numbers[3]),
        Math.max(1, term),
        conf,
        numbers[4],
        numbers[5] % 2 ** 32,
        numbers[6],
      );
    }
    return message;
  });

const append = fc
  .record({
    start: fc.oneof(fc.nat(9), fc.nat(2 ** 40)),
    logTerm: fc.nat(5),
    steps: fc.array(fc.nat(2), { maxLength: 6 }),
    ahead: fc.nat(3),
    commit: field,
  })
  .map(({ start, logTerm, steps, ahead, commit }) => {
    let term = Math.max(1, logTerm);
    const entries = steps.map((step, i) => entryAt((term += step), start + 1 + i));
    const message = appendOf(start, logTerm, term + ahead, entries);
    message.commit = commit;
    return message;
  });

const anyMessage = fc.oneof(plain, append);

test("an append as bytes: the format is pinned", () => {
  const message = appendOf(300, 2, 3, [new Entry(3, 301, 16, 1, 1000, new Uint8Array([0x61]))]);
  message.session = 77;
  message.commit = 299;
  // type, present (term, session, index, logTerm, commit), from, to, then these fields
  const head = "01" + "7300" + "01" + "02" + "03" + "4d" + "ac02" + "02" + "ab02";
  const entries = "01" + "03ad021001e8070161";
  equal(toHex(bytesOf(message)), head + entries);
  deepEqual(decoded(bytesOf(message)), message);
});

test("an answer as bytes: the format is pinned", () => {
  const message = new Message(MessageType.AppendResponse, 2, 1, 3);
  message.toSession = 77;
  message.index = 300;
  message.reject = true;
  message.hintIndex = 12;
  message.hintTerm = 2;
  equal(toHex(bytesOf(message)), "02" + "9509" + "02" + "01" + "03" + "4d" + "ac02" + "0c" + "02");
});

test("a heartbeat as bytes: the format is pinned, a rank stands last", () => {
  const message = new Message(MessageType.Heartbeat, 1, 2, 3);
  message.number = 300;
  message.sentMs = 5;
  // type, present (term, number, sentMs), from, to, then these fields
  equal(toHex(bytesOf(message)), "03" + "0902" + "01" + "02" + "03" + "ac02" + "05");
  message.rank = 4;
  equal(toHex(bytesOf(message)), "03" + "0942" + "01" + "02" + "03" + "ac02" + "05" + "04");
  deepEqual(decoded(bytesOf(message)), message);
});

test("a snapshot as bytes: the format is pinned", () => {
  const message = new Message(MessageType.InstallSnapshot, 1, 2, 3);
  const conf = new ConfState([1, 2], [], [], [], false);
  message.snapshot = new SnapshotMeta(300, 2, conf, 9, 4, 1000);
  const snapshot = "ac02" + "02" + "09" + "04" + "e807" + "01020102" + "0000000000";
  equal(toHex(bytesOf(message)), "09" + "0120" + "01" + "02" + "03" + snapshot);
  deepEqual(decoded(bytesOf(message)), message);
});

test("every type round trips", () => {
  const seen = new Set<MessageType>();
  fc.assert(
    fc.property(anyMessage, (message) => {
      seen.add(message.type);
      deepEqual(decoded(bytesOf(message)), message);
    }),
    { numRuns: 1000 },
  );
  equal(seen.size, Object.values(MessageType).length);
});

test("messages one after the other: each reads its own bytes and no more", () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 5 }), (messages) => {
      const reader = new ByteReader(concatBytes(messages.map(bytesOf)));
      for (const message of messages) deepEqual(decodeMessage(reader), message);
      equal(reader.ok && reader.done, true);
    }),
  );
});

test("one entries part behind the heads of several followers", () => {
  const entries = [entryAt(3, 11), entryAt(4, 12)];
  const shared = new ByteWriter();
  encodeEntries(shared, entries);
  for (const to of [2, 3, 2 ** 52]) {
    const message = appendOf(10, 3, 4, entries);
    message.to = to;
    message.commit = to % 7;
    const head = new ByteWriter();
    encodeMessageHead(head, message);
    deepEqual(concatBytes([head.take(), shared.take()]), bytesOf(message));
  }
});

test("damaged bytes never throw, and what still reads has exactly these bytes", () => {
  const one = fc.record({ message: anyMessage, at: fc.nat(), to: fc.nat(255) });
  const bytes = fc.oneof(
    one.map(({ message, at, to }) => {
      const valid = bytesOf(message);
      return valid.with(at % valid.length, to);
    }),
    one.map(({ message, at }) => {
      const valid = bytesOf(message);
      return valid.slice(0, at % valid.length);
    }),
    fc.uint8Array({ maxLength: 60 }),
  );
  let read = 0;
  fc.assert(
    fc.property(bytes, (damaged) => {
      const reader = new ByteReader(damaged);
      const message = decodeMessage(reader);
      equal(message !== null, reader.ok);
      if (message === null) return;
      read++;
      deepEqual(bytesOf(message), damaged.slice(0, reader.position));
    }),
    { numRuns: 5000 },
  );
  equal(read > 100, true, "some damage must still read, or nothing was compared");
});

test("every cut of a message is none", () => {
  const bytes = bytesOf(appendOf(10, 3, 4, [entryAt(3, 11), entryAt(4, 12)]));
  for (let cut = 0; cut < bytes.length; cut++) equal(decoded(bytes.slice(0, cut)), null);
});

/** The bytes of an append whose entries part says something else than its head allows. */
function mixed(message: Message, entries: readonly Entry[]): Uint8Array {
  const writer = new ByteWriter();
  encodeMessageHead(writer, message);
  encodeEntries(writer, entries);
  return writer.take();
}

test("refused: entries with gaps, of falling terms, not behind index, of terms outside", () => {
  const head = appendOf(10, 3, 4, []);
  equal(decoded(mixed(head, [entryAt(3, 11), entryAt(4, 12)])) !== null, true);
  const rows: readonly (readonly [string, Entry[]])[] = [
    ["not behind index", [entryAt(3, 12)]],
    ["index again", [entryAt(3, 10)]],
    ["gap", [entryAt(3, 11), entryAt(3, 13)]],
    ["the same twice", [entryAt(3, 11), entryAt(3, 11)]],
    ["falling terms", [entryAt(4, 11), entryAt(3, 12)]],
    ["older than logTerm", [entryAt(2, 11)]],
    ["newer than the message", [entryAt(3, 11), entryAt(5, 12)]],
  ];
  for (const [name, entries] of rows) equal(decoded(mixed(head, entries)), null, name);
});

test("refused: unknown types and bits, ids out of range, zero fields, counts without bytes", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["type 0", "00" + "0100" + "0102" + "03"],
    ["type 10", "0a" + "0100" + "0102" + "03"],
    ["type 12", "0c" + "0100" + "0102" + "03"],
    ["unknown bit", "04" + "0180" + "0102" + "03"],
    ["from nobody", "04" + "0100" + "0002" + "03"],
    ["to nobody", "04" + "0100" + "0100" + "03"],
    ["a field that is present and zero", "04" + "0100" + "0102" + "00"],
    ["a hostile count", "01" + "0100" + "0102" + "03" + "ffffffffffff0f"],
    [
      "a snapshot without its type",
      "04" + "0120" + "0102" + "03" + "010101" + "010101000000" + "0000",
    ],
    [
      "a snapshot of index 0",
      "09" + "0120" + "0102" + "03" + "0001010101" + "010101" + "0000000000",
    ],
    ["a snapshot that is missing", "09" + "0100" + "0102" + "03"],
  ];
  for (const [name, hex] of rows) equal(decoded(fromHex(hex)!), null, name);
  equal(decoded(fromHex("04" + "0100" + "0102" + "03")!)?.term, 3);
});

test("what would not decode does not encode", () => {
  const withEntries = new Message(MessageType.Heartbeat, 1, 2, 3);
  withEntries.entries = [entryAt(3, 1)];
  const withSnapshot = new Message(MessageType.Heartbeat, 1, 2, 3);
  const conf = new ConfState([1], [], [], [], false);
  withSnapshot.snapshot = new SnapshotMeta(1, 1, conf, 1);
  const fractional = new Message(MessageType.Heartbeat, 1, 2, 3);
  fractional.sentMs = 12.5;
  const bad = [
    withEntries,
    withSnapshot,
    fractional,
    new Message(MessageType.InstallSnapshot, 1, 2, 3),
    new Message(MessageType.Heartbeat, 0, 2, 3),
    new Message(MessageType.Heartbeat, 1, 2 ** 53, 3),
    appendOf(10, 3, 4, [entryAt(3, 12)]),
    appendOf(10, 3, 4, [entryAt(2, 11)]),
    appendOf(10, 3, 4, [entryAt(5, 11)]),
    appendOf(10, 3, 4, [entryAt(3, 11), entryAt(3, 13)]),
  ];
  for (const message of bad) throws(() => bytesOf(message), AssertionError);
});
