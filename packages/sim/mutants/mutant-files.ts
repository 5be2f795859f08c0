// The mutants of this folder, read and held against the present sources.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { applyMutant, components, filesOf, type Mutant, parseMutant } from "./mutant.ts";

const ending = ".mutant";

/** The root of the checkout that this file is of. */
export const workspaceRoot: string = join(import.meta.dirname, "../../..");

/** In order of names. A file that cannot be read as a mutant is an error. */
export function readMutants(): Mutant[] {
  return components.flatMap((component) =>
    readdirSync(join(import.meta.dirname, component))
      .sort()
      .map((file) => readMutant(`${component}/${file}`)),
  );
}

function readMutant(path: string): Mutant {
  if (!path.endsWith(ending)) throw new Error(`${path} is no mutant`);
  const text = readFileSync(join(import.meta.dirname, path), "utf8");
  return parseMutant(path.slice(0, -ending.length), text);
}

/** Files and what they must be changed to; throws when the mutant does not fit the sources. */
export function mutatedSources(root: string, mutant: Mutant): Map<string, string> {
  const changed = filesOf(mutant).map((file): [string, string] => {
    return [file, applyMutant(mutant, file, readFileSync(join(root, file), "utf8"))];
  });
  return new Map(changed);
}
