// Columns and "did you mean".
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { nearest, padLeft, padRight, table } from "./text.ts";

test("padding widens and never cuts", () => {
  equal(padLeft("7", 3), "  7");
  equal(padRight("7", 3), "7  ");
  equal(padLeft("1234", 3), "1234");
  equal(padRight("1234", 3), "1234");
});

test("table aligns its columns and leaves no space at a line's end", () => {
  const rows = [
    ["name", "role", "applied"],
    ["m1", "leader", "1024"],
    ["member-2", "", "7"],
    ["x", ""],
  ];
  equal(
    table(rows),
    ["name      role    applied", "m1        leader  1024", "member-2          7", "x"].join("\n"),
  );
  equal(table([]), "");
});

const flags = ["listen-client-urls", "listen-peer-urls", "name", "data-dir", "initial-cluster"];
const cases: readonly [string, string | null][] = [
  ["listen-client-url", "listen-client-urls"],
  ["listen-pear-urls", "listen-peer-urls"],
  ["nmae", "name"],
  ["naem", "name"],
  ["data_dir", "data-dir"],
  ["initialcluster", "initial-cluster"],
  ["name", "name"],
  ["xyz", null],
  ["", null],
  ["no-such-flag", null],
];
for (const [word, expected] of cases) {
  test(`nearest to "${word}" is ${expected}`, () => equal(nearest(word, flags), expected));
}

test("of equally near words the first is taken", () => {
  equal(nearest("cat", ["car", "bat"]), "car");
  equal(nearest("cat", ["bat", "car"]), "bat");
});
