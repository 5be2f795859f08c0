// What the user said, from flags, environment and configuration file, as one map of raw values: flag
// over environment over file (DESIGN.md 21). Unknown names are refused with a suggestion.
import { readFileSync } from "node:fs";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { nearest } from "@quorate/base";
import { UsageError } from "../exit.ts";
import { environmentName, FlagKind, flags, flagsByName, FlagState } from "./flags.ts";
import type { Flag } from "./flags.ts";

export interface Settings {
  readonly values: ReadonlyMap<string, string>;
  /** Set, accepted, and without effect. */
  readonly ignored: readonly string[];
}

export function gatherSettings(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const fromFlags = parseFlags(argv);
  const fromEnvironment = readEnvironment(environment);
  const file = fromFlags.get("config-file") ?? fromEnvironment.get("config-file");
  const fromFile = file === undefined ? new Map<string, string>() : readConfigFile(file);
  const values = new Map([...fromFile, ...fromEnvironment, ...fromFlags]);
  const ignored: string[] = [];
  for (const [name, value] of values) {
    const flag = flagsByName.get(name)!;
    if (flag.state === FlagState.Refused && !(flag.kind === FlagKind.Bool && value === "false")) {
      if (value !== "") {
        throw new UsageError(`--${name} is not supported by this version of quorate`);
      }
    }
    if (flag.state === FlagState.Ignored) {
      ignored.push(name);
    }
  }
  return { values, ignored: ignored.sort() };
}

/** `--name value`, `--name=value`, `-name value`, `--bool`, `--bool=false`, as Go's flag package. */
export function parseFlags(argv: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at]!;
    const match = /^--?([a-zA-Z][a-zA-Z0-9-]*)(?:=([\s\S]*))?$/.exec(word);
    if (match === null) {
      throw new UsageError(`unexpected argument "${word}"`);
    }
    const flag = flagNamed(match[1]!, "flag", "--");
    let value = match[2];
    if (value === undefined && flag.kind === FlagKind.Bool) {
      value = "true";
    }
    if (value === undefined) {
      at += 1;
      value = argv[at];
      if (value === undefined) {
        throw new UsageError(`flag needs a value: --${flag.name}`);
      }
    }
    values.set(flag.name, checked(flag, value, `--${flag.name}`));
  }
  return values;
}

function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const values = new Map<string, string>();
  for (const flag of flags) {
    const name = environmentName(flag);
    const value = environment[name];
    if (value !== undefined && value !== "") {
      values.set(flag.name, checked(flag, value, name));
    }
  }
  return values;
}

function readConfigFile(path: string): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read the configuration file ${path}: ${codeOf(error)}`);
  }
  const isToml = path.endsWith(".toml");
  let document: unknown;
  try {
    document = isToml ? parseToml(text) : parseYaml(text);
  } catch (error) {
    const first = String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
    throw new UsageError(`${path}: ${first}`);
  }
  if (document === null || document === undefined) {
    return new Map();
  }
  if (typeof document !== "object" || Array.isArray(document)) {
    throw new UsageError(`${path}: expected names with values`);
  }
  const tomlNames = new Map(flags.map((f) => [f.toml, f.name]));
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(document)) {
    const name = isToml ? tomlNames.get(key) : key;
    if (name === undefined || !flagsByName.has(name)) {
      const known = isToml ? [...tomlNames.keys()] : [...flagsByName.keys()];
      throw new UsageError(`${path}: unknown key "${key}"${suggestion(key, known, "")}`);
    }
    if (typeof value === "object" && value !== null) {
      throw new UsageError(`${path}: "${key}" must be a text, a number or true/false`);
    }
    values.set(name, checked(flagsByName.get(name)!, String(value), `${path}: "${key}"`));
  }
  return values;
}

function flagNamed(name: string, what: string, prefix: string): Flag {
  const flag = flagsByName.get(name);
  if (flag === undefined) {
    const hint = suggestion(name, [...flagsByName.keys()], prefix);
    throw new UsageError(`unknown ${what} ${prefix}${name}${hint}`);
  }
  return flag;
}

function suggestion(name: string, known: readonly string[], prefix: string): string {
  const near = nearest(name, known);
  return near === null ? "" : `; did you mean ${prefix}${near}?`;
}

function checked(flag: Flag, value: string, where: string): string {
  if (flag.kind === FlagKind.Bool && !/^(true|false|1|0|t|f)$/i.test(value)) {
    throw new UsageError(`${where}: "${value}" is not true or false`);
  }
  if (flag.kind === FlagKind.Int && !/^[0-9]{1,15}$/.test(value)) {
    throw new UsageError(`${where}: "${value}" is not a whole number`);
  }
  return value;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
