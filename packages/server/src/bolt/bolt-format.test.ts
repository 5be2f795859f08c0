// The hex examples of docs/spec/bolt-format.md are what this code writes.
import { strictEqual as equal } from "node:assert";
import fs from "node:fs";
import test from "node:test";
import { concatBytes, fromHex, must, toHex, utf8Encode } from "@quorate/base";
import { FileWriter } from "./file-writer.ts";
import { fnv1a64, pageBytes } from "./page.ts";

const text = fs.readFileSync(
  new URL("../../../../docs/spec/bolt-format.md", import.meta.url),
  "utf8",
);

/** The block's bytes; what the page holds behind them is padding. */
function check(name: string, page: Uint8Array): void {
  const block = new RegExp(`\`\`\`hex ${name}\\n([0-9a-f\\s]+)\`\`\``).exec(text);
  const hex = (block?.[1] ?? "missing").replaceAll(/\s/g, "");
  equal(toHex(page.subarray(0, hex.length / 2)), hex, name);
  equal(/^0*$/.test(toHex(page.subarray(hex.length / 2))), true, "the rest is padding");
}

test("the file of the example", () => {
  const key = must(fromHex("00000000000000025f0000000000000000"), "hex");
  const value = must(fromHex("0a03666f6f1002180220012a03626172"), "hex");
  const buckets = [
    { name: "meta", entries: [] },
    { name: "key", entries: [[key, value] as const] },
  ];
  const pages: Uint8Array[] = [];
  const plan = new FileWriter({ buckets, streamed: null }, null, null).finish();
  new FileWriter({ buckets, streamed: null }, plan, (page) => pages.push(page)).finish();
  const file = concatBytes(pages);
  equal(file.length, 4 * pageBytes);
  check("meta", file.subarray(0, pageBytes));
  check("root", file.subarray(3 * pageBytes));
});

test("FNV-1a of 64 bits: the published vectors", () => {
  equal(fnv1a64(utf8Encode("")), 0xcbf29ce484222325n);
  equal(fnv1a64(utf8Encode("a")), 0xaf63dc4c8601ec8cn);
  equal(fnv1a64(utf8Encode("foobar")), 0x85944171f73967e8n);
});
