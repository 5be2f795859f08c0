// What the user said, from flags, environment and configuration file, as one map of raw values: flag
// over environment over file (DESIGN.md 21). Unknown flags and keys are refused with a suggestion;
// unknown variables are only reported: orchestrators set ETCD_… of their own.
import { UsageError } from "../exit.ts";
import { suggestion } from "../suggestion.ts";
import { readConfigFile } from "./config-file.ts";
import { environmentName, FlagKind, flags, flagsByName, FlagState } from "./flags.ts";
import type { Flag } from "./flags.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  /** Flag name → value; booleans are "true" or "false". */
  readonly values: ReadonlyMap<string, string>;
  /** Flags set, accepted, and without effect. */
  readonly ignored: readonly string[];
  /** Environment variables that look like settings and are none. */
  readonly unknownVariables: readonly string[];
}

/** Ours, and no flag's: see serve.ts. */
export const exitOnStdinEndVariable = "QUORATE_EXIT_ON_STDIN_END";

export function gatherSettings(argv: readonly string[], environment: Environment): Settings {
  const fromFlags = parseFlags(argv);
  const fromEnvironment = readEnvironment(environment);
  const file = fromFlags.get("config-file") ?? fromEnvironment.get("config-file");
  const fromFile = file === undefined ? new Map<string, string>() : fileValues(file);
  const values = new Map([...fromFile, ...fromEnvironment, ...fromFlags]);
  const ignored: string[] = [];
  for (const [name, value] of values) {
    const flag = flagsByName.get(name)!;
    if (flag.state === FlagState.Refused && value !== "" && value !== "false") {
      throw new UsageError(`--${name} is not supported by this version of quorate`);
    }
    if (flag.state === FlagState.Ignored) {
      ignored.push(name);
    }
  }
  return {
    values,
    ignored: ignored.sort(),
    unknownVariables: unknownVariables(environment),
  };
}

/** `--name value`, `--name=value`, `-name value`, `--bool`, `--bool=false`, as Go's flag package. */
export function parseFlags(argv: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at]!;
    const match = /^--?([a-zA-Z][a-zA-Z0-9_-]*)(?:=([\s\S]*))?$/.exec(word);
    if (match === null) {
      throw new UsageError(`unexpected argument "${word}"`);
    }
    const flag = flagNamed(match[1]!);
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

function readEnvironment(environment: Environment): Map<string, string> {
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

function fileValues(path: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const { flag, value, where } of readConfigFile(path)) {
    values.set(flag, checked(flagsByName.get(flag)!, value, where));
  }
  return values;
}

function unknownVariables(environment: Environment): string[] {
  const known = new Set([exitOnStdinEndVariable, ...flags.map(environmentName)]);
  return Object.keys(environment)
    .filter((name) => /^(?:ETCD|QUORATE)_/.test(name) && !known.has(name))
    .sort();
}

function flagNamed(name: string): Flag {
  const flag = flagsByName.get(name);
  if (flag === undefined) {
    throw new UsageError(`unknown flag --${name}${suggestion(name, flagsByName.keys(), "--")}`);
  }
  return flag;
}

function checked(flag: Flag, value: string, where: string): string {
  switch (flag.kind) {
    case FlagKind.Bool:
      if (!/^(?:true|false|1|0|t|f)$/i.test(value)) {
        throw new UsageError(`${where}: "${value}" is not true or false`);
      }
      return /^[t1]/i.test(value) ? "true" : "false";
    case FlagKind.Int:
      if (!/^[0-9]{1,15}$/.test(value)) {
        throw new UsageError(`${where}: "${value}" is not a whole number`);
      }
      return value;
    default:
      return value;
  }
}
