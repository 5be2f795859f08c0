// The first request of a connection may say "http://…" as its :authority, as Go's gRPC does where it was
// given an endpoint with its scheme: it is served all the same, by the same lengths and tables.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { mendAuthority } from "./authority.ts";
import { openHttp2, Opening, OpeningStep } from "./opening.ts";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const settings = Buffer.from("000000040000000000", "hex");
const ack = Buffer.from("000000040100000000", "hex");

function literal(index: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([0x40 | index, text.length]), Buffer.from(text, "latin1")]);
}

function headers(block: Uint8Array, flags: number = 4): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(block.length, 0, 3);
  head[3] = 1;
  head[4] = flags;
  head[8] = 1;
  return Buffer.concat([head, block]);
}

const post = Buffer.from([0x83, 0x86]);

test("a scheme in :authority becomes a name of the same length, whichever way it is written", () => {
  const plain = Buffer.concat([post, literal(1, "http://10.0.0.1:2379"), literal(4, "/a//b")]);
  mendAuthority(plain);
  const wanted = [post, literal(1, "http:--10.0.0.1:2379"), literal(4, "/a//b")];
  assert.deepEqual(plain, Buffer.concat(wanted));
  // As Go writes it: 100111 01001 01001 101011 1011100, then twice 011000, and the rest of the name.
  const huffman = Buffer.from("83864187" + "9d29aee30c0841", "hex");
  mendAuthority(huffman);
  // Twice 010110 in the place of the slashes.
  assert.equal(huffman.toString("hex"), "83864187" + "9d29aee2cb0841");
});

test("other authorities, other fields and blocks that end too early stay as they are", () => {
  const blocks = [
    Buffer.concat([post, literal(1, "10.0.0.1:2379"), literal(4, "http://x")]),
    Buffer.concat([post, literal(1, "unix:///tmp/x")]),
    Buffer.from([0x41, 0x7f]),
    Buffer.from([0x41, 0x90, 0x9d, 0x29]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0x3f, 0xe1, 0x1f, 0x83]),
    Buffer.alloc(0),
  ];
  for (const block of blocks) {
    const before = Buffer.from(block);
    mendAuthority(block);
    assert.deepEqual(block, before);
  }
});

test("who sends a request at once is not greeted", () => {
  const opening = new Opening();
  const request = headers(literal(1, "http://a:1"));
  assert.equal(opening.feed(Buffer.concat([preface, settings, request])), OpeningStep.Done);
  const wanted = [preface, settings, headers(literal(1, "http:--a:1"))];
  assert.deepEqual(opening.bytes, Buffer.concat(wanted));
});

test("who waits for the server's SETTINGS gets some; the session sees no acknowledgement of them", () => {
  const opening = new Opening();
  assert.equal(opening.feed(preface.subarray(0, 10)), OpeningStep.Wait);
  assert.equal(opening.feed(Buffer.concat([preface.subarray(10), settings])), OpeningStep.Greet);
  assert.equal(opening.feed(ack.subarray(0, 4)), OpeningStep.Wait);
  assert.equal(opening.feed(ack.subarray(4)), OpeningStep.Wait);
  const request = headers(literal(1, "a:1"));
  assert.equal(opening.feed(request.subarray(0, 11)), OpeningStep.Wait);
  assert.equal(opening.feed(request.subarray(11)), OpeningStep.Done);
  assert.deepEqual(opening.bytes, Buffer.concat([preface, settings, request]));
});

test("a request that comes before the acknowledgement waits for it", () => {
  const opening = new Opening();
  assert.equal(opening.feed(Buffer.concat([preface, settings])), OpeningStep.Greet);
  const request = headers(literal(1, "a:1"));
  assert.equal(opening.feed(request), OpeningStep.Wait);
  assert.equal(opening.feed(ack), OpeningStep.Done);
  assert.deepEqual(opening.bytes, Buffer.concat([preface, settings, request]));
});

test("padding and priority stand before the block", () => {
  const opening = new Opening();
  const block = Buffer.from([2, 0, 0, 0, 0, 16, ...literal(1, "http://a:1"), 0, 0]);
  const sent = Buffer.concat([preface, settings, headers(block, 4 | 8 | 32)]);
  assert.equal(opening.feed(sent), OpeningStep.Done);
  assert.match(opening.bytes.toString("latin1"), /http:--a:1/);
});

test("a connection that does not say its SETTINGS in time is closed; one that has may wait", async () => {
  const opened: net.Socket[] = [];
  const listener = net.createServer((socket) => openHttp2(socket, () => opened.push(socket), 50));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as net.AddressInfo;
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const settings = Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
  const waits = net.connect(port, "127.0.0.1").resume();
  waits.write(Buffer.concat([Buffer.from(preface), settings]));
  const half = net.connect(port, "127.0.0.1").resume();
  half.write(Buffer.concat([Buffer.from(preface), settings.subarray(0, 5)]));
  half.on("error", () => undefined);
  await new Promise((resolve) => half.on("close", resolve));
  assert.equal(waits.destroyed, false);
  waits.write(Buffer.of(0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8));
  waits.write(Buffer.of(0, 0, 0, 4, 1, 0, 0, 0, 0));
  while (opened.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  waits.destroy();
  listener.close();
});

test("anything else is the session's business at once, and so is too much", () => {
  const ping = Buffer.from("0000080600000000000000000000000000", "hex");
  assert.equal(new Opening().feed(Buffer.concat([preface, settings, ping])), OpeningStep.Done);
  const flood = Buffer.concat([preface, Buffer.from("ffffff0000", "hex"), Buffer.alloc(70_000)]);
  assert.equal(new Opening().feed(flood), OpeningStep.Done);
});
