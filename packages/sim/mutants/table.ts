// What a hunt found, as lines of text.
import type { Hunted } from "./hunt.ts";
import { runArguments } from "./hunt-run.ts";

const nameChars = 44;
const checkerChars = 52;

export const tableHead: string = row("mutant", "caught by", "seeds", "seconds");

export function tableLine(hunted: Hunted, seconds: number): string {
  const { mutant, seeds } = hunted;
  const line = row(mutant.name, checkerOf(hunted), String(seeds), seconds.toFixed(1));
  return isExpected(hunted) ? line : `${line}  (another was expected)`;
}

/** The property; of an assertion inside a member, its text. */
export function checkerOf({ failure }: Hunted): string {
  if (failure === null) return "SURVIVED";
  return failure.property === "assertion" ? firstLine(failure.message) : failure.property;
}

/** By one of the checkers that its file names; its message may say it as well. */
export function isExpected({ mutant, failure }: Hunted): boolean {
  if (failure === null) return true;
  return mutant.caughtBy.some(
    (text) => failure.property.includes(text) || failure.message.includes(text),
  );
}

/** What the run said, and how to see it in a checkout that has the mutant. */
export function detailLines({ plan, failure }: Hunted): string[] {
  if (plan === null || failure === null) return [];
  return [`    npm run sim -- ${runArguments(plan)}`, `    ${failure.message}`];
}

export function summaryLines(all: readonly Hunted[], seconds: number): string[] {
  const survivors = all.filter(({ failure }) => failure === null);
  const lines = survivors.map(
    ({ mutant, seeds }) => `SURVIVED ${seeds} seeds: ${mutant.name}: ${mutant.story}`,
  );
  for (const { mutant, errors } of all) {
    for (const error of errors) lines.push(`${mutant.name}: ${error}`);
  }
  const caught = all.length - survivors.length;
  const minutes = (seconds / 60).toFixed(1);
  lines.push(
    `${all.length} mutants: ${caught} caught, ${survivors.length} survived, ${minutes} min`,
  );
  return lines;
}

function row(name: string, checker: string, seeds: string, seconds: string): string {
  const cut = checker.length > checkerChars ? `${checker.slice(0, checkerChars - 1)}…` : checker;
  const columns = [
    name.padEnd(nameChars),
    cut.padEnd(checkerChars),
    seeds.padStart(6),
    seconds.padStart(8),
  ];
  return columns.join(" ");
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
