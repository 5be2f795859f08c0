// The header's grammar: each unit, and each way to be wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGrpcTimeout } from "./grpc-timeout.ts";

test("grpc-timeout: units, signs, and what is refused", () => {
  const rows: readonly (readonly [header: string, parsed: number | null])[] = [
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3000],
    ["4m", 4],
    ["5000u", 5],
    ["6000000n", 6],
    ["0S", 0],
    ["-1S", -1000],
    ["+1S", 1000],
    ["99999999H", 99_999_999 * 3_600_000],
    ["", null],
    ["S", null],
    ["123456789S", null],
    ["10", null],
    ["10s", null],
    ["1.5S", null],
    ["1 S", null],
    ["-S", null],
  ];
  for (const [header, parsed] of rows) assert.equal(parseGrpcTimeout(header), parsed, header);
});
