// The command line as a whole: every help fits 80 columns, every command is listed, and what is
// mistyped is refused by the parser with the nearest word.
import { equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import { CommanderError } from "commander";
import { makeProgram } from "./program.ts";
import { serveHelp } from "./serve/serve-help.ts";

function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}

/** With what `addHelpText` adds: helpInformation alone leaves it out. */
function wholeHelp(name: string): string {
  let text = "";
  const command = makeProgram().commands.find((c) => c.name() === name)!;
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

test("every help is at most 80 columns wide and says how the command is called", () => {
  const program = makeProgram();
  equal(widest(program.helpInformation()) <= 80, true);
  for (const command of program.commands) {
    const text = wholeHelp(command.name());
    equal(widest(text) <= 80, true, text);
    match(text, new RegExp(`^Usage: quorate ${command.name()}`));
  }
  equal(widest(serveHelp()) <= 80, true);
});

test("so is every help of the commands below them", () => {
  for (const command of makeProgram().commands) {
    for (const below of command.commands) {
      equal(widest(below.helpInformation()) <= 80, true, below.helpInformation());
    }
  }
});

test("the commands are there, each with a line about it", () => {
  const help = makeProgram().helpInformation();
  for (const name of [
    "serve",
    "dev",
    "put",
    "get",
    "del",
    "status",
    "members",
    "join",
    "sim",
    "version",
  ]) {
    match(help, new RegExp(`^  ${name}\\b.* {2}\\S`, "m"));
  }
});

test("what nobody knows is refused with the nearest word", async () => {
  const rows: [string[], RegExp][] = [
    [["stauts"], /unknown command 'stauts'[\s\S]*status/],
    [["get", "--prefx", "a"], /unknown option '--prefx'[\s\S]*--prefix/],
    [["get"], /missing required argument 'key'/],
    [["put", "a", "b", "c"], /too many arguments/],
    [["get", "a", "--limit", "-1"], /--limit/],
    [["get", "a", "--timeout", "0"], /--timeout/],
    [["dev", "--members", "2"], /none of 1, 3, 5/],
    [["dev", "--base-port", "99999"], /no port/],
  ];
  for (const [argv, message] of rows) {
    await rejects(makeProgram().parseAsync(argv, { from: "user" }), (error: unknown) => {
      equal(error instanceof CommanderError, true);
      match((error as CommanderError).message, message);
      return true;
    });
  }
});
