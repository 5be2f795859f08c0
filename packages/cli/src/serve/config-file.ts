// --config-file: etcd's YAML (flag names as keys, its two TLS sections), or TOML whose names carry
// units. Yields flag names with raw values; a key that no flag has is refused with a suggestion.
import { readFileSync } from "node:fs";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { UsageError } from "../exit.ts";
import { suggestion } from "../suggestion.ts";
import { flags, flagsByName } from "./flags.ts";

export interface FileValue {
  readonly flag: string;
  readonly value: string;
  /** The file and the key, for messages. */
  readonly where: string;
}

/** etcd's YAML keeps TLS settings in sections: section → its keys and the flags that they stand for. */
const sections: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  [
    "client-transport-security",
    keysOf("cert-file key-file client-cert-file client-key-file client-cert-auth", [
      ["trusted-ca-file", "trusted-ca-file"],
      ["auto-tls", "auto-tls"],
      ["client-crl-file", "client-crl-file"],
      ["crl-file", "client-crl-file"],
      ["allowed-hostname", "client-cert-allowed-hostname"],
    ]),
  ],
  [
    "peer-transport-security",
    keysOf(
      "cert-file key-file client-cert-file client-key-file client-cert-auth trusted-ca-file " +
        "auto-tls crl-file cert-allowed-cn cert-allowed-hostname skip-client-san-verification",
      [
        ["allowed-cn", "peer-cert-allowed-cn"],
        ["allowed-hostname", "peer-cert-allowed-hostname"],
      ],
      "peer-",
    ),
  ],
]);

/** `same`: keys that are the flags' names, but for the prefix. */
function keysOf(
  same: string,
  others: readonly (readonly [string, string])[],
  prefix: string = "",
): ReadonlyMap<string, string> {
  return new Map([...same.split(" ").map((key) => [key, prefix + key] as const), ...others]);
}

export function readConfigFile(path: string): FileValue[] {
  const isToml = path.endsWith(".toml");
  const document = parseFile(path, isToml);
  if (document === null || document === undefined) {
    return [];
  }
  if (!isSection(document)) {
    throw new UsageError(`${path}: expected names with values`);
  }
  return isToml ? fromToml(path, document) : fromYaml(path, document);
}

function parseFile(path: string, isToml: boolean): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(`cannot read the configuration file ${path}: ${code}`);
  }
  try {
    return isToml ? parseToml(text) : parseYaml(text);
  } catch (error) {
    const first = String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
    throw new UsageError(`${path}: ${first.replace(/:$/, "")}`);
  }
}

function fromToml(path: string, document: Record<string, unknown>): FileValue[] {
  const names = new Map(flags.map((f) => [f.toml, f.name]));
  return Object.entries(document).flatMap(([key, value]) => {
    const flag = names.get(key);
    if (flag === undefined) {
      throw new UsageError(`${path}: unknown key "${key}"${suggestion(key, names.keys())}`);
    }
    return valueOf(path, key, flag, value);
  });
}

function fromYaml(path: string, document: Record<string, unknown>): FileValue[] {
  return Object.entries(document).flatMap(([key, value]) => {
    const keys = sections.get(key);
    if (keys === undefined) {
      const known = [...flagsByName.keys(), ...sections.keys()];
      if (!flagsByName.has(key)) {
        throw new UsageError(`${path}: unknown key "${key}"${suggestion(key, known)}`);
      }
      return valueOf(path, key, key, value);
    }
    return fromSection(path, key, keys, value);
  });
}

function fromSection(
  path: string,
  section: string,
  keys: ReadonlyMap<string, string>,
  value: unknown,
): FileValue[] {
  if (value === null) {
    return [];
  }
  if (!isSection(value)) {
    throw new UsageError(`${path}: "${section}" must hold names with values`);
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    const flag = keys.get(key);
    if (flag === undefined) {
      const hint = suggestion(key, keys.keys());
      throw new UsageError(`${path}: unknown key "${key}" in "${section}"${hint}`);
    }
    return valueOf(path, `${section}: ${key}`, flag, inner);
  });
}

/** Nothing for a key that stands there without a value, as in etcd's sample file. */
function valueOf(path: string, key: string, flag: string, value: unknown): FileValue[] {
  const where = `${path}: "${key}"`;
  if (value === null || value === "") {
    return [];
  }
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return [{ flag, value: value.join(","), where }];
  }
  switch (typeof value) {
    case "string":
      return [{ flag, value, where }];
    case "number":
    case "bigint":
    case "boolean":
      return [{ flag, value: value.toString(), where }];
    default:
      throw new UsageError(`${where} must be a text, a number or true/false`);
  }
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
