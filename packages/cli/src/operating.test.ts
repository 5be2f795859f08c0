// The commands of docs/OPERATING.md are ones that there are, with options that they take.
import { equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { makeProgram } from "./program.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/OPERATING.md"), "utf8");
const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!);
const lines = blocks.flatMap((block) => block.split("\n")).filter((line) => line !== "");

/** The command that the words lead to, and what is left of them. */
function find(words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command = makeProgram();
  for (const [at, word] of words.entries()) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) return { command, rest: words.slice(at) };
    command = next;
  }
  return { command, rest: [] };
}

test("every command of the operating guide is there, with its options and arguments", () => {
  ok(lines.length > 8);
  for (const line of lines) {
    const [program, ...words] = line.split(" ");
    equal(program, "quorate", line);
    const { command, rest } = find(words);
    equal(command.commands.length, 0, `${line}: names no command`);
    let given = 0;
    for (let at = 0; at < rest.length; at++) {
      const word = rest[at]!;
      if (!word.startsWith("--")) {
        given += 1;
        continue;
      }
      const option = command.options.find(({ long }) => long === word);
      ok(option !== undefined, `${line}: ${word} is no option of it`);
      if (!option.isBoolean()) at += 1;
    }
    const { registeredArguments } = command;
    const needed = registeredArguments.filter(({ required }) => required).length;
    const isEnough = given >= needed;
    const fits =
      given <= registeredArguments.length || (registeredArguments.at(-1)?.variadic ?? false);
    ok(isEnough && fits, `${line}: ${given} arguments, ${needed} are needed`);
  }
});
