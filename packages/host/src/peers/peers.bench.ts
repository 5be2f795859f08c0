// What Peers costs per turn of a leader with two followers: appends encoded once, framed, handed to
// links, parsed and decoded on the other side. Links are direct calls; no network, no disk.
// Run: node_modules/.bin/node --conditions=@quorate/source packages/host/src/peers/peers.bench.ts
import { ByteReader } from "@quorate/base";
import { decodeMessage, Entry, Message, MessageType } from "@quorate/raft";
import type { Env, Link } from "@quorate/storage";
import { FrameParser, frameBodyBytesMax } from "./frame.ts";
import { LinkClass } from "./hello.ts";
import { PeerLink } from "./peer-link.ts";
import { EncodedEntries, SendQueue } from "./send-queue.ts";

const followers = 2;

function bench(entriesPerAppend: number, payloadBytes: number): void {
  const received: Uint8Array[] = [];
  const link = new PeerLink({
    env: { clock: { monotonicMs: () => 0, wallMs: () => 0 } } as unknown as Env,
    owner: null!,
    times: null!,
    linkClass: LinkClass.Data,
    expectedMemberId: "x",
    address: "",
    stamp: 1,
  });
  const wire: Link = {
    remote: "",
    queuedBytes: 0,
    send: (bytes) => received.push(bytes) > 0,
    pause: () => {},
    resume: () => {},
    close: () => {},
  };
  link.attach(wire);
  const queue = new SendQueue(1000, 1e9);
  const cache = new EncodedEntries();
  const payload = new Uint8Array(payloadBytes).fill(3);
  const entries: Entry[] = [];
  for (let i = 0; i < entriesPerAppend; i++) {
    entries.push(new Entry(3, 100 + i, 16, 1, 1_800_000_000_000, payload));
  }
  const turns = Math.ceil(400_000 / entriesPerAppend);
  let sendNs = 0n;
  let parseNs = 0n;
  let bytes = 0;
  for (let round = -200; round < turns; round++) {
    const t0 = process.hrtime.bigint();
    for (let f = 0; f < followers; f++) {
      const message = new Message(MessageType.AppendEntries, 1, 2 + f, 3);
      message.index = 99;
      message.logTerm = 3;
      message.commit = 98;
      message.session = 2 ** 50 + 1;
      message.toSession = 2 ** 50 + 2;
      message.entries = entries;
      queue.pushMessage(message);
      queue.flush(link, cache, () => {});
    }
    cache.clear();
    const t1 = process.hrtime.bigint();
    const parser = new FrameParser(frameBodyBytesMax);
    parser.feed(received[0]!);
    const frame = parser.next()!;
    if (decodeMessage(new ByteReader(frame.body))?.entries.length !== entriesPerAppend) {
      throw new Error("not what was sent");
    }
    const t2 = process.hrtime.bigint();
    bytes = received[0]!.length;
    received.length = 0;
    if (round < 0) continue;
    sendNs += t1 - t0;
    parseNs += t2 - t1;
  }
  const sendUs = Number(sendNs) / turns / 1000;
  const parseUs = Number(parseNs) / turns / 1000;
  console.log(
    `${String(entriesPerAppend).padStart(5)} entries of ${payloadBytes} B: ` +
      `${bytes} B, leader ${sendUs.toFixed(2)} µs for ${followers} followers, ` +
      `follower ${parseUs.toFixed(2)} µs; per entry ${((1000 * sendUs) / entriesPerAppend).toFixed(0)} ` +
      `and ${((1000 * parseUs) / entriesPerAppend).toFixed(0)} ns`,
  );
}

for (const count of [1, 8, 64, 512]) bench(count, 300);
