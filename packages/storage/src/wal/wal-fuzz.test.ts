// Whatever bytes stand on the disk, reading them never throws: not in the parts, not in a whole
// recovery. Bytes are arbitrary, or valid ones with a few changed, or changed and summed up again.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { crc32c, Prng, readU64, writeU32 } from "@quorate/base";
import { ExitCode } from "../env.ts";
import { WalLedger } from "../testing/wal-ledger.ts";
import { BatchHeader, parseBatchHeader } from "./batch-header.ts";
import { decodePayload, payloadChecks } from "./batch-payload.ts";
import { readDurableFile } from "./durable-file.ts";
import { decodeRewrite } from "./rewrite.ts";
import { parseSegmentHeader } from "./segment-header.ts";
import { batchMagic, blockBytes, durableMagic, nonceSeed, segmentMagic } from "./wal-format.ts";

const identity = { clusterId: new Uint8Array(8), raftId: 4711 };
const bytes = fc.uint8Array({ minLength: 0, maxLength: 600 });

describe("arbitrary bytes", () => {
  it("are no reason to throw for any decoder", () => {
    fc.assert(
      fc.property(
        bytes,
        fc.integer({ min: 0, max: 40 }),
        fc.nat(2000),
        (content, records, size) => {
          for (const magic of [0, batchMagic, segmentMagic, durableMagic]) {
            const file = content.slice();
            if (magic !== 0 && file.length >= 4) writeU32(file, 0, magic);
            const place = { nonce: 5, offset: 4096, segmentBytes: 32_768 };
            parseBatchHeader(file, 0, identity, place);
            parseSegmentHeader(file, identity);
            readDurableFile(file, identity);
            decodeRewrite(identity, file);
            const header = new BatchHeader();
            Object.assign(header, { records, entries: records, payloadBytes: size });
            payloadChecks(header, file, 3);
            header.payloadBytes = file.length;
            payloadChecks(header, file, 3);
            decodePayload(header, file);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("records with good sums and any content decode or do not, and never throw", () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (bodies) => {
        const parts: number[] = [];
        let running = nonceSeed(9);
        for (const body of bodies) {
          const record = new Uint8Array(8 + body.length);
          writeU32(record, 4, body.length);
          record.set(body, 8);
          running = crc32c(record, 4, record.length, running);
          writeU32(record, 0, running);
          parts.push(...record);
        }
        const payload = new Uint8Array(parts);
        const header = new BatchHeader();
        header.records = bodies.length;
        header.payloadBytes = payload.length;
        header.payloadCrc = running;
        assert.ok(payloadChecks(header, payload, nonceSeed(9)));
        decodePayload(header, payload);
      }),
      { numRuns: 1000 },
    );
  });
});

const outcomes = new Set<number>([0, ExitCode.Assertion, ExitCode.Damaged, ExitCode.Foreign]);

/** Damages a small log in `times` places; `resum`: header sums are made good again. */
function mangled(seed: number, times: number, resum: boolean): number {
  const prng = new Prng(seed);
  const ledger = new WalLedger(10);
  if (prng.chance(0.5)) ledger.seal();
  if (prng.chance(0.3)) ledger.checkpoint(prng.below(10));
  const { disk } = ledger.bench;
  disk.kill();
  for (let i = 0; i < times; i++) {
    const content = disk.content(ledger.path(1 + prng.below(2)));
    const block = prng.below(content.length / blockBytes) * blockBytes;
    const at = block + prng.below(prng.chance(0.8) ? 320 : blockBytes);
    content[at] = prng.chance(0.3) ? prng.pick([0, 1, 255]) : prng.below(256);
    if (!resum || block === 0) continue;
    const page = content.subarray(block, block + blockBytes);
    const nonce = page[31]! === 0 && page[30]! < 32 ? readU64(page, 24) : 1;
    writeU32(page, 252, crc32c(page, 0, 252, nonceSeed(nonce)));
  }
  const outcome = ledger.bench.outcome();
  return outcome.ok ? 0 : outcome.exitCode;
}

describe("a mangled log", () => {
  it("starts or is refused with a known code, never anything else", () => {
    const seen = new Map<number, number>();
    for (let seed = 0; seed < 600; seed++) {
      const code = mangled(seed, 1 + (seed % 4), seed % 2 === 0);
      assert.ok(outcomes.has(code), `seed ${seed}: ${code}`);
      seen.set(code, 1 + (seen.get(code) ?? 0));
    }
    assert.ok((seen.get(ExitCode.Damaged) ?? 0) > 50);
    assert.ok((seen.get(0) ?? 0) > 20);
  });
});
