// A new password from whoever runs a command: twice and unseen from a terminal, else the first line of
// standard input. Never from the command line, which lists of processes show.
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageError } from "../exit.ts";

export async function askPassword(user: string): Promise<string> {
  if (!process.stdin.isTTY) return firstLine();
  const silent = new Writable({ write: (_bytes, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  lines.on("SIGINT", () => process.exit(130));
  try {
    const first = await ask(lines, `New password of ${user}: `);
    const second = await ask(lines, "Again: ");
    if (first !== second) throw new UsageError("the two are not equal");
    return first;
  } finally {
    lines.close();
  }
}

async function ask(lines: ReturnType<typeof createInterface>, prompt: string): Promise<string> {
  process.stderr.write(prompt);
  const answer = await lines.question("");
  process.stderr.write("\n");
  return answer;
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return "";
}
