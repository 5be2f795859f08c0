// ns per entry for encoding and decoding, with payloads of 16, 256 and 1024 bytes. Run:
//   node --conditions=@quorate/source packages/raft/src/entry-codec.bench.ts
import { ByteReader, ByteWriter } from "@quorate/base";
import { Entry } from "./entry.ts";
import { decodeEntry, encodedEntryBytes, encodeEntry } from "./entry-codec.ts";

const entriesPerRound = 1000;
const rounds = 500;

function nsPerEntry(round: () => void): number {
  for (let i = 0; i < rounds / 5; i++) round();
  const samples: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint();
    round();
    samples.push(Number(process.hrtime.bigint() - start) / entriesPerRound);
  }
  return samples.toSorted((a, b) => a - b)[rounds / 2]!;
}

for (const payloadBytes of [16, 256, 1024]) {
  const payload = new Uint8Array(payloadBytes).fill(7);
  const entries = Array.from(
    { length: entriesPerRound },
    (_, i) => new Entry(7, 1_000_000 + i, 16, 1, 1_790_000_000_000 + i, payload),
  );
  const writer = new ByteWriter();
  const encode = nsPerEntry(() => {
    writer.reset();
    for (let i = 0; i < entries.length; i++) encodeEntry(writer, entries[i]!);
  });
  const bytes = writer.take();
  let read = 0;
  const decode = nsPerEntry(() => {
    const reader = new ByteReader(bytes);
    for (let i = 0; i < entriesPerRound; i++) read += decodeEntry(reader)!.payload.length;
  });
  const overhead = encodedEntryBytes(entries[0]!) - payloadBytes;
  console.log(
    `payload ${payloadBytes} B + ${overhead} B: encode ${encode.toFixed(0)} ns/entry, ` +
      `decode ${decode.toFixed(0)} ns/entry (${read} bytes read)`,
  );
}
