// The folder of a local cluster: one directory for each member, and a note of how it was laid out,
// because members cannot change their ports or their number from one start to the next.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../exit.ts";
import type { DevMember } from "./layout.ts";

const noteName = "cluster.json";

interface Note {
  readonly clientPorts: readonly number[];
}

/** True when a cluster lives there already; throws UsageError when it is another one. Only reads. */
export function checkFolder(folder: string, members: readonly DevMember[]): boolean {
  const note = readNote(folder);
  if (note === null) {
    return false;
  }
  const ports = members.map((m) => m.clientPort);
  if (note.clientPorts.join() !== ports.join()) {
    throw new UsageError(
      `${folder} holds a cluster that was made with ${describe(note.clientPorts)}; ` +
        `start it so, or give another --data-dir`,
    );
  }
  return true;
}

export function prepareFolder(folder: string, members: readonly DevMember[]): void {
  const note: Note = { clientPorts: members.map((m) => m.clientPort) };
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, noteName), `${JSON.stringify(note)}\n`);
  } catch (error) {
    throw new UsageError(`cannot use ${folder} for the data: ${codeOf(error)}`);
  }
}

function readNote(folder: string): Note | null {
  let text: string;
  try {
    text = readFileSync(join(folder, noteName), "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      return null;
    }
    throw new UsageError(`cannot use ${folder} for the data: ${codeOf(error)}`);
  }
  try {
    const note = JSON.parse(text) as Note;
    if (note.clientPorts.every(Number.isInteger)) {
      return note;
    }
  } catch {
    // Falls through to the same message as a note with other content.
  }
  throw new UsageError(`${join(folder, noteName)} is not what quorate dev wrote there`);
}

function describe(ports: readonly number[]): string {
  const [first = 0, second] = ports;
  const base = second !== undefined && second - first === 10 ? ` and --base-port ${first}` : "";
  return `--members ${ports.length}${base} (clients at ${ports.join(", ")})`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
