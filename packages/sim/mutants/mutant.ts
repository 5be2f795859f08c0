// A mutant: one known bug, put back into the present code of a package. What a mutant file says, and
// its edit on a source text. Reads no files, judges no runs.
//
// A file's path is its name, the folder is the component. First what goes wrong, in one line; then
// what it touches and which checkers should see it; then the edit, whose old text must stand in the
// file exactly once, so that unrelated changes do no harm and related ones are noticed. An edit of
// another file names it ("--- find packages/…"):
//
//   A leader counts entries of earlier terms (Raft §5.4.2, figure 8).
//
//   file: packages/raft/src/commit.ts
//   caught by: S4 leader completeness, S9 committed log
//   seeds: 200
//   --- find
//     if (log.tail.termAt(index) !== raft.term) return;
//   --- replace
//   --- end
import { crashPoints } from "../src/crash-points.ts";
import { planOf } from "../src/run-plan.ts";
import { allScenarios, listScenarios, parseArguments } from "../bin/arguments.ts";
import type { HuntRun } from "./hunt-run.ts";

export const components = ["raft", "kv", "storage", "host", "transport"] as const;
export type Component = (typeof components)[number];

export interface Edit {
  /** From the root of the workspace. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  /** "raft/prior-term-by-count" */
  readonly name: string;
  readonly component: Component;
  readonly story: string;
  /** Properties, or parts of the text of an assertion; any of them is what is expected. */
  readonly caughtBy: readonly string[];
  /** It must be caught within so many. */
  readonly seedsMax: number;
  /** What every run of it has in common, or a story; null: short and aimed runs in turn. */
  readonly run: HuntRun | null;
  /** Marks at which aimed runs crash a process, in turn; empty: all there are. */
  readonly marks: readonly string[];
  readonly edits: readonly Edit[];
}

const headings = ["file", "caught by", "seeds", "run", "marks"] as const;
type Heading = (typeof headings)[number];

/** Throws what is wrong with the text. */
export function parseMutant(name: string, text: string): Mutant {
  const wrong = (what: string): never => {
    throw new Error(`${name}: ${what}`);
  };
  const component = components.find((known) => name.startsWith(`${known}/`));
  if (component === undefined) return wrong(`not in a folder of ${components.join(", ")}`);
  const [head, ...sections] = text.split(/^--- /m);
  const [story, ...lines] = head!.trim().split("\n");
  const fields = parseFields(lines, wrong);
  const required = (heading: Heading): string => fields.get(heading) ?? wrong(`no ${heading}`);
  const seedsMax = Number(required("seeds"));
  if (!Number.isSafeInteger(seedsMax) || seedsMax < 1) return wrong("seeds is no number");
  const marks = listOf(fields.get("marks") ?? "");
  const unknown = marks.find((mark) => crashPoints.every((point) => point.mark !== mark));
  if (unknown !== undefined) return wrong(`no mark ${unknown}`);
  return {
    name,
    component,
    story: story!,
    caughtBy: listOf(required("caught by")),
    seedsMax,
    run: parseRun(fields.get("run"), wrong),
    marks,
    edits: parseEdits(required("file"), sections, wrong),
  };
}

function parseFields(
  lines: readonly string[],
  wrong: (what: string) => never,
): Map<Heading, string> {
  const fields = new Map<Heading, string>();
  for (const line of lines) {
    if (line === "") continue;
    const heading = headings.find((known) => line.startsWith(`${known}:`));
    if (heading === undefined) return wrong(`"${line}" begins with none of ${headings.join(", ")}`);
    if (fields.has(heading)) return wrong(`${heading} twice`);
    fields.set(heading, line.slice(heading.length + 1).trim());
  }
  return fields;
}

function listOf(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** In the words of the simulator's own command line. */
function parseRun(text: string | undefined, wrong: (what: string) => never): HuntRun | null {
  if (text === undefined) return null;
  const parsed = parseArguments(text.split(/\s+/));
  if (typeof parsed === "string") return wrong(`run: ${parsed}`);
  const { plan, scenario } = parsed;
  if (scenario === allScenarios || scenario === listScenarios) return wrong("run: one story");
  return { ...plan, scenario };
}

function parseEdits(
  file: string,
  sections: readonly string[],
  wrong: (what: string) => never,
): Edit[] {
  const edits: Edit[] = [];
  for (let at = 0; at < sections.length - 1; at += 2) {
    const old = /^find(?: (\S+))?\n/.exec(sections[at]!);
    const changed = /^replace\n/.exec(sections[at + 1]!);
    if (old === null || changed === null) return wrong("find and replace come in pairs");
    const find = sections[at]!.slice(old[0].length);
    if (find.trim() === "") return wrong("nothing to find");
    const replace = sections[at + 1]!.slice(changed[0].length);
    edits.push({ file: old[1] ?? file, find, replace });
  }
  if (edits.length === 0) return wrong("no edit");
  if (sections.at(-1)!.trim() !== "end" || sections.length % 2 === 0) return wrong("no end");
  return edits;
}

/** The changed text of one file; throws when what is edited in it is not there exactly once. */
export function applyMutant(mutant: Mutant, file: string, source: string): string {
  let text = source;
  for (const { find, replace } of mutant.edits.filter((edit) => edit.file === file)) {
    const parts = text.split(find);
    if (parts.length !== 2) {
      const line = find.trim().split("\n", 1)[0]!;
      const times = parts.length - 1;
      throw new Error(`${mutant.name}: "${line}" stands ${times} times in ${file}, not once`);
    }
    text = parts.join(replace);
  }
  return text;
}

export function filesOf(mutant: Mutant): string[] {
  return [...new Set(mutant.edits.map(({ file }) => file))];
}

/** Virtual seconds of a run that is not aimed: most mutants show within seconds. */
const swarmSeconds = 10;

/** The `number`-th run, from 0. Without wishes: one aimed at a mark, one as drawn, in turn. */
export function planFor(mutant: Mutant, number: number): HuntRun {
  const { run, marks } = mutant;
  if (marks.length > 0) {
    const mark = marks[number % marks.length]!;
    const place = crashPoints.findIndex((point) => point.mark === mark);
    const seed = place + Math.floor(number / marks.length) * crashPoints.length;
    return { ...(run ?? { ...planOf(seed), scenario: null }), targeted: true, seed };
  }
  if (run !== null) return { ...run, seed: number };
  const seed = Math.floor(number / 2);
  const aimed = number % 2 === 0;
  const seconds = aimed ? null : swarmSeconds;
  return { ...planOf(seed), targeted: aimed, seconds, scenario: null };
}
