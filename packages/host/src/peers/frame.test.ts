// Frames against every cut of the stream and any bytes: whole frames come out in order and once, a
// damaged stream ends with a reason and gives nothing wrong out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, crc32c, Prng } from "@quorate/base";
import {
  frameBodyBytesMax,
  frameHeaderBytes,
  FrameParser,
  FrameType,
  FrameWriter,
  helloBodyBytesMax,
} from "./frame.ts";
import type { Frame } from "./frame.ts";
import { FrameWindow, frameWindowMax } from "./frame-window.ts";

const types = Object.values(FrameType);

interface Sent {
  readonly type: FrameType;
  readonly body: Uint8Array;
}

function randomBytes(random: Prng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

function randomFrames(random: Prng, count: number, bytesMax: number): Sent[] {
  return Array.from({ length: count }, () => ({
    type: random.pick(types),
    body: randomBytes(random, random.below(bytesMax + 1)),
  }));
}

/** Some with a second part, as an AppendEntries has. */
function write(random: Prng, frames: readonly Sent[], lastNumber = 0): Uint8Array {
  const writer = new FrameWriter(lastNumber, 64);
  for (const { type, body } of frames) {
    writer.begin(type);
    const split = body.length > 0 && random.chance(0.5) ? 1 + random.below(body.length) : 0;
    if (split === 0) {
      writer.body.bytes(body);
      writer.end();
    } else {
      const second = body.subarray(split);
      writer.body.bytes(body.subarray(0, split));
      writer.endWith(second, crc32c(second));
    }
  }
  return writer.take();
}

function parse(parser: FrameParser, random: Prng, stream: Uint8Array, pieceMax: number): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < stream.length;) {
    const piece = stream.slice(at, at + 1 + random.below(pieceMax));
    at += piece.length;
    parser.feed(piece);
    for (let frame = parser.next(); frame !== null; frame = parser.next()) frames.push(frame);
  }
  return frames;
}

function same(frame: Frame | undefined, sent: Sent): boolean {
  return frame?.type === sent.type && Buffer.compare(frame.body, sent.body) === 0;
}

test("frames come out as they went in, however the stream is cut", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Prng(seed);
    const sent = randomFrames(random, 1 + random.below(12), random.pick([0, 30, 300, 5000]));
    const parser = new FrameParser(frameBodyBytesMax);
    const got = parse(parser, random, write(random, sent), random.pick([1, 7, 64, 100_000]));
    assert.equal(parser.error, "");
    assert.equal(got.length, sent.length);
    for (const [i, frame] of got.entries()) assert.ok(same(frame, sent[i]!), `seed ${seed}`);
  }
});

test("any flipped bit ends the stream with a reason; frames before it are good, none after", () => {
  for (let seed = 1; seed <= 600; seed++) {
    const random = new Prng(seed);
    const sent = randomFrames(random, 1 + random.below(5), 60);
    const stream = write(random, sent).slice();
    const bit = random.below(stream.length * 8);
    stream[bit >> 3]! ^= 1 << (bit & 7);
    const parser = new FrameParser(frameBodyBytesMax);
    const got = parse(parser, random, stream, random.pick([1, 16, 4096]));
    assert.notEqual(parser.error, "", `seed ${seed}: the flip was not seen`);
    assert.ok(got.length < sent.length);
    for (const [i, frame] of got.entries()) assert.ok(same(frame, sent[i]!), `seed ${seed}`);
    parser.feed(write(random, sent));
    assert.equal(parser.next(), null, "a stream that went wrong stays wrong");
  }
});

test("random bytes never throw and never make a frame", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Prng(seed);
    const parser = new FrameParser(frameBodyBytesMax);
    const got = parse(parser, random, randomBytes(random, random.below(400)), 50);
    assert.equal(got.length, 0);
  }
});

test("a cut stream waits for the rest and claims nothing", () => {
  const random = new Prng(5);
  const stream = write(random, [{ type: FrameType.Message, body: randomBytes(random, 90) }]);
  for (let cut = 0; cut < stream.length; cut++) {
    const parser = new FrameParser(frameBodyBytesMax);
    parser.feed(stream.slice(0, cut));
    assert.equal(parser.next(), null);
    assert.equal(parser.error, "");
    parser.feed(stream.slice(cut));
    assert.equal(parser.next()?.body.length, 90);
  }
});

test("the bound on a body holds from its header on, and can be raised between frames", () => {
  const random = new Prng(6);
  const small = { type: FrameType.Hello, body: randomBytes(random, helloBodyBytesMax) };
  const large = { type: FrameType.Message, body: randomBytes(random, helloBodyBytesMax + 1) };
  const stream = write(random, [small, large]);
  const raised = new FrameParser(helloBodyBytesMax);
  raised.feed(stream);
  assert.ok(raised.next() !== null);
  raised.bodyBytesMax = frameBodyBytesMax;
  assert.equal(raised.next()?.body.length, helloBodyBytesMax + 1);
  const kept = new FrameParser(helloBodyBytesMax);
  kept.feed(stream.slice(0, frameHeaderBytes + small.body.length + frameHeaderBytes));
  assert.ok(kept.next() !== null);
  assert.equal(kept.next(), null);
  assert.equal(kept.error, `frame of 4097 bytes, at most 4096 are allowed`);
});

test("bytes that claim a large body cost memory only as they come", () => {
  const writer = new FrameWriter(0, 64);
  writer.begin(FrameType.Message);
  writer.body.bytes(new Uint8Array(60_000_000));
  writer.end();
  const header = writer.take().slice(0, frameHeaderBytes + 10);
  const before = process.memoryUsage().arrayBuffers;
  const parsers = Array.from({ length: 50 }, () => new FrameParser(frameBodyBytesMax));
  for (const parser of parsers) {
    parser.feed(header);
    assert.equal(parser.next(), null);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 50 * 200_000);
});

test("a repeated frame is given out once, in whatever order it comes", () => {
  const random = new Prng(7);
  const sends = Array.from({ length: 8 }, (_, i) =>
    write(random, [{ type: FrameType.Digest, body: Uint8Array.of(i) }], i),
  );
  const parser = new FrameParser(frameBodyBytesMax);
  const order = [0, 1, 2, 1, 4, 3, 3, 0, 7, 6, 5, 5, 7];
  const stream = concatBytes(order.map((i) => sends[i]!));
  const got = parse(parser, random, stream, 40).map((frame) => frame.body[0]);
  assert.deepEqual(got, [0, 1, 2, 4, 3, 7, 6, 5]);
  assert.equal(parser.duplicates, 5);
});

test("the window forgets what is too old and takes each number once", () => {
  const random = new Prng(8);
  for (let walk = 0; walk < 50; walk++) {
    const window = new FrameWindow();
    const seen = new Set<number>();
    let newest = 0;
    for (let i = 0; i < 3000; i++) {
      const jump = random.chance(0.01) ? random.below(3000) : random.below(4);
      const number = Math.max(1, newest + jump - random.below(random.pick([2, 50, 1100])));
      const tooOld = number <= newest - frameWindowMax;
      assert.equal(window.accept(number), !seen.has(number) && !tooOld, `${number} of ${newest}`);
      if (!tooOld) seen.add(number);
      newest = Math.max(newest, number);
    }
  }
});

test("the window goes on over the wrap of 2^32", () => {
  const window = new FrameWindow();
  // As a long link comes there: step by step.
  for (let number = 0; number < 2 ** 32; number += 2 ** 30) window.accept(number);
  const order = [2 ** 32 - 2, 2 ** 32 - 1, 0, 1, 2 ** 32 - 1, 0, 3, 2, 2];
  assert.deepEqual(
    order.map((number) => window.accept(number)),
    [true, true, true, true, false, false, true, true, false],
  );
});
