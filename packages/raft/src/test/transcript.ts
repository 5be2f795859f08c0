// Runs transcripts: text files of commands and what they print, in the manner of etcd-raft's
// interaction tests. A block is command lines, `----`, the expected output and an empty line. With
// UPDATE=1 the output is rewritten; the diff is then read by a person.
import { readFileSync, writeFileSync } from "node:fs";
import { TranscriptWorld } from "./transcript-world.ts";

interface Block {
  /** Comments and empty lines in front of the command. */
  readonly lead: readonly string[];
  readonly commands: readonly string[];
  readonly expected: string;
}

export interface TranscriptResult {
  readonly actual: string;
  readonly expected: string;
}

export function runTranscript(path: string): TranscriptResult {
  const expected = readFileSync(path, "utf8");
  const world = new TranscriptWorld();
  const parts: string[] = [];
  for (const block of parse(expected)) {
    parts.push(...block.lead);
    if (block.commands.length === 0) continue;
    const output: string[] = [];
    for (const command of block.commands) output.push(...world.run(command));
    parts.push(...block.commands, "----", ...(output.length === 0 ? ["ok"] : output), "");
  }
  const actual = `${parts.join("\n").trimEnd()}\n`;
  if (process.env["UPDATE"] === "1" && actual !== expected) writeFileSync(path, actual);
  return { actual, expected: process.env["UPDATE"] === "1" ? actual : expected };
}

function parse(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  let lead: string[] = [];
  let commands: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    at++;
    if (line === "----") {
      const output: string[] = [];
      while (at < lines.length && lines[at] !== "") output.push(lines[at++]!);
      at++;
      blocks.push({ lead, commands, expected: output.join("\n") });
      lead = [];
      commands = [];
    } else if (line === "" || line.startsWith("#")) {
      if (commands.length > 0) throw new Error(`commands without ----: ${commands.join("; ")}`);
      lead.push(line);
    } else {
      commands.push(line);
    }
  }
  if (commands.length > 0) throw new Error(`commands without ----: ${commands.join("; ")}`);
  if (lead.some((line) => line !== "")) blocks.push({ lead, commands, expected: "" });
  return blocks;
}
