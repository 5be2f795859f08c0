// etcd's --auth-token: "simple", or "jwt" with its options; read and checked before anything starts.
import { readFileSync } from "node:fs";
import { Signing } from "./signing.ts";

export interface SignedTokenOptions {
  readonly signing: Signing;
  readonly ttlSeconds: number;
}

export interface AuthOptions {
  /** Null: simple tokens. */
  readonly signed: SignedTokenOptions | null;
  /** Of simple tokens, without use (--auth-token-ttl). */
  readonly tokenTtlMs: number;
  readonly bcryptCost: number;
}

export const tokenTtlSecondsDefault = 300;
/** A year: stamps stay far below 2^53. */
export const tokenTtlSecondsMax = 31_536_000;

const options = ["pub-key", "priv-key", "sign-method", "ttl"];

/** What is wrong as text; null: simple tokens. */
export function parseAuthToken(text: string): SignedTokenOptions | null | string {
  const [type = "", ...pairs] = text.split(",");
  if (type === "simple" && pairs.length === 0) return null;
  if (type !== "jwt") return `"${type}" is neither simple nor jwt`;
  const values = new Map<string, string>();
  for (const pair of pairs) {
    const [name = "", value, ...rest] = pair.split("=");
    if (value === undefined || rest.length > 0) return `"${pair}" is not of the form name=value`;
    if (!options.includes(name)) return `"${name}" is none of ${options.join(", ")}`;
    if (values.has(name)) return `${name} is given twice`;
    values.set(name, value);
  }
  const ttlSeconds = secondsOf(values.get("ttl") ?? `${tokenTtlSecondsDefault}s`);
  if (ttlSeconds === null) return `ttl: "${values.get("ttl")}" is not a duration like 10m or 90s`;
  const privateKey = fileOf(values.get("priv-key"));
  const publicKey = fileOf(values.get("pub-key"));
  if (typeof privateKey === "string") return `priv-key: ${privateKey}`;
  if (typeof publicKey === "string") return `pub-key: ${publicKey}`;
  const signing = Signing.make(values.get("sign-method") ?? "", privateKey, publicKey);
  return typeof signing === "string" ? signing : { signing, ttlSeconds };
}

/** Go's durations, as far as they are whole seconds: 1h30m, 10m, 90s. */
function secondsOf(text: string): number | null {
  const match = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$/.exec(text);
  if (match === null) return null;
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  const total = hours * 3600 + minutes * 60 + seconds;
  return total > 0 && total <= tokenTtlSecondsMax ? total : null;
}

function fileOf(path: string | undefined): Uint8Array | null | string {
  if (path === undefined || path === "") return null;
  try {
    return readFileSync(path);
  } catch (error) {
    return `cannot be read: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}`;
  }
}
