// No command of etcdctl is forgotten: each that the installed one has stands in the table, and each file
// of the table runs what it is named for.
import { deepEqual, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { toolVersion } from "../processes/entry.ts";
import { asksNoServer, covered } from "./etcdctl-commands.ts";

const help = toolVersion("etcdctl", "help");
if (help === null) {
  process.stderr.write("\nSKIPPED the list of etcdctl's commands: not installed\n\n");
}

test("every command of etcdctl has a test, or asks no server", { skip: help === null }, () => {
  const page = /\nCOMMANDS:\n([\s\S]*?)\n\n/.exec(help!)![1]!;
  const commands = page.split("\n").map((line) => line.trim().split("\t")[0]!.trim());
  const listed = [...Object.keys(covered), ...Object.keys(asksNoServer)];
  deepEqual(listed.sort(), commands.sort());
});

test("every file of the table runs its commands", () => {
  const root = join(import.meta.dirname, "../..");
  for (const [command, file] of Object.entries(covered)) {
    const source = readFileSync(join(root, file), "utf8");
    ok(runs(source, command), `${file} does not run ${command}`);
  }
});

/** A command line in a string, or its words as arguments of their own. */
function runs(source: string, command: string): boolean {
  const words = command.split(" ").map((word) => word.replace("-", "\\-"));
  return new RegExp(`["'\`]${words.join(`(?: |", *\\s*")`)}(?=["'\` ])`).test(source);
}

test("what is looked for is found in neither comments nor parts of words", () => {
  deepEqual(
    ["run etcdctl get", '"gets foo"', '"get foo"', '["get", "foo"]', '"member", "list"'].map(
      (source) => [runs(source, "get"), runs(source, "member list")],
    ),
    [
      [false, false],
      [false, false],
      [true, false],
      [true, false],
      [false, true],
    ],
  );
});
