// Frames of a client, cut into pieces at random, beside what was meant; and each way to break the rules.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "@quorate/base";
import { CloseCode, controlBytesMax, FrameReader, Opcode } from "./frame-reader.ts";
import { closeFrame, frame } from "./frame-writer.ts";
import { clientFrame } from "./testing/client-frame.ts";

const messageBytesMax = 70_000;

/** What a reader has told, in order. */
class Told {
  readonly events: string[] = [];
  readonly reader: FrameReader;
  #message: Buffer[] = [];

  constructor() {
    this.reader = new FrameReader(messageBytesMax, {
      data: (piece) => void this.#message.push(Buffer.from(piece)),
      messageEnd: () => {
        this.events.push(`message ${Buffer.concat(this.#message).toString("hex")}`);
        this.#message = [];
      },
      ping: (payload) => void this.events.push(`ping ${payload.toString("hex")}`),
      close: (code) => void this.events.push(`close ${code}`),
      broken: (code) => void this.events.push(`broken ${code}`),
    });
  }

  static of(...frames: readonly Buffer[]): string[] {
    const told = new Told();
    told.reader.push(Buffer.concat(frames));
    return told.events;
  }
}

test("messages and pings come as they were meant, however they are cut", () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const random = new Prng(seed);
    const sent: Buffer[] = [];
    const meant: string[] = [];
    for (let messages = 0; messages < 8; messages += 1) {
      const pieces: Buffer[] = [];
      const count = 1 + random.below(3);
      for (let at = 0; at < count; at += 1) {
        const piece = Buffer.alloc(random.pick([0, 1, 5, 125, 126, 127, 2000]), at + 1);
        const opcode = at === 0 ? random.pick([Opcode.Text, Opcode.Binary]) : Opcode.Continuation;
        sent.push(clientFrame(opcode, piece, { final: at === count - 1 }));
        pieces.push(piece);
        if (random.below(3) > 0) continue;
        const payload = Buffer.alloc(random.below(controlBytesMax + 1), messages);
        sent.push(clientFrame(Opcode.Ping, payload), clientFrame(Opcode.Pong, payload));
        meant.push(`ping ${payload.toString("hex")}`);
      }
      meant.push(`message ${Buffer.concat(pieces).toString("hex")}`);
    }
    // A ping behind the last piece of a message comes behind the message.
    const told = new Told();
    let rest = Buffer.concat(sent);
    while (rest.length > 0) {
      const length = 1 + random.below(random.pick([2, 10, 5000]));
      told.reader.push(Buffer.from(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
    deepEqual(told.events.toSorted(), meant.toSorted());
    const messages = (all: readonly string[]): string[] => all.filter((one) => one[0] === "m");
    deepEqual(messages(told.events), messages(meant));
  }
});

test("what a client may not send ends the connection, and nothing behind it is read", () => {
  const text = clientFrame(Opcode.Text, Buffer.from("a"));
  const begun = clientFrame(Opcode.Text, Buffer.from("a"), { final: false });
  const unmasked = Buffer.from([0x81, 0x01, 0x61]);
  const huge = Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]);
  const { ProtocolError, TooLarge } = CloseCode;
  const rows: readonly (readonly [why: string, frames: readonly Buffer[], code: number])[] = [
    ["no mask", [unmasked], ProtocolError],
    ["a reserved bit", [Buffer.from([0xc1, 0x80, 0, 0, 0, 0])], ProtocolError],
    ["an unknown opcode", [Buffer.from([0x83, 0x80, 0, 0, 0, 0])], ProtocolError],
    ["an unknown control opcode", [Buffer.from([0x8b, 0x80, 0, 0, 0, 0])], ProtocolError],
    ["a continuation of nothing", [clientFrame(Opcode.Continuation, text)], ProtocolError],
    ["a message within a message", [begun, text], ProtocolError],
    ["a ping in pieces", [clientFrame(Opcode.Ping, text, { final: false })], ProtocolError],
    ["a long ping", [clientFrame(Opcode.Ping, Buffer.alloc(126))], ProtocolError],
    ["half a close code", [clientFrame(Opcode.Close, Buffer.from([3]))], ProtocolError],
    ["a long frame", [clientFrame(Opcode.Text, Buffer.alloc(messageBytesMax + 1))], TooLarge],
    ["a frame of 4 GiB", [huge], TooLarge],
    ["a long message", [begun, clientFrame(Opcode.Continuation, Buffer.alloc(70_000))], TooLarge],
  ];
  for (const [why, frames, code] of rows) {
    const events = Told.of(...frames, text);
    equal(events.at(-1), `broken ${code}`, why);
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535]) {
    const close = clientFrame(Opcode.Close, Buffer.from([code >> 8, code & 0xff]));
    deepEqual(Told.of(close, text), [`broken ${ProtocolError}`], String(code));
  }
});

test("a close is told with its code, and is the last", () => {
  const text = clientFrame(Opcode.Text, Buffer.from("a"));
  const none = clientFrame(Opcode.Close, Buffer.alloc(0));
  deepEqual(Told.of(none, text), [`close ${CloseCode.NoStatus}`]);
  for (const code of [1000, 1001, 1011, 3000, 4999]) {
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from("bye")]);
    deepEqual(Told.of(clientFrame(Opcode.Close, payload), text), [`close ${code}`]);
  }
});

test("frames of the server: lengths of each form, closes with a code and without", () => {
  const rows: readonly (readonly [length: number, head: string])[] = [
    [0, "8100"],
    [125, "817d"],
    [126, "817e007e"],
    [65_535, "817effff"],
    [65_536, "817f0000000000010000"],
  ];
  for (const [length, head] of rows) {
    const bytes = frame(Opcode.Text, Buffer.alloc(length, 7));
    equal(bytes.subarray(0, head.length / 2).toString("hex"), head);
    deepEqual(bytes.subarray(head.length / 2), Buffer.alloc(length, 7));
  }
  equal(closeFrame(CloseCode.Normal).toString("hex"), "880203e8");
  equal(closeFrame(CloseCode.NoStatus).toString("hex"), "8800");
});
