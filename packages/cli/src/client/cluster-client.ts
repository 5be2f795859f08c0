// Calls to whichever endpoint can answer: the next one is asked when one cannot be reached, or when
// it says that nothing was done. What may have had an effect is never repeated elsewhere; what only reads
// is, when its answer was lost.
import { GrpcClient, GrpcCode, machineTls } from "@quorate/grpc";
import type { GrpcResult, GrpcTls } from "@quorate/grpc";
import { CommandError } from "../exit.ts";
import { logIn, userOf, userVariable } from "./login.ts";
import { reach } from "./reach.ts";

/** Refusals after which nothing was done, and another member may know better (DESIGN.md 22). */
const refusals: ReadonlySet<string> = new Set([
  "etcdserver: no leader",
  "etcdserver: server stopped",
  "etcdserver: rpc not supported for learner",
  "etcdserver: the state of this member is being rebuilt",
]);

/** Trailing metadata of "no leader": the voters that the answering member misses. */
const missingTrailer = "quorate-missing";

/** Asked for, and no answer came: it may have been done. */
export class LostAnswer extends CommandError {}

export class ClusterClient {
  readonly #endpoints: readonly string[];
  readonly #timeoutMs: number;
  readonly #tls: GrpcTls;

  /** `endpoints`: as parseEndpoints yields them, in the order they are tried; at least one. */
  constructor(endpoints: readonly string[], timeoutMs: number, tls: GrpcTls = machineTls) {
    this.#tls = tls;
    this.#endpoints = endpoints;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The answer's bytes; throws CommandError with the cluster's text, or why nobody answered: LostAnswer
   * where it may have been done all the same.
   */
  call(path: string, request: Uint8Array): Promise<Uint8Array> {
    return this.#try(path, request, false);
  }

  /** As `call`, for what changes nothing: an endpoint that goes while it is asked is passed over. */
  read(path: string, request: Uint8Array): Promise<Uint8Array> {
    return this.#try(path, request, true);
  }

  async #try(path: string, request: Uint8Array, reads: boolean): Promise<Uint8Array> {
    const failures: string[] = [];
    for (const endpoint of this.#endpoints) {
      const unreachable = await reach(endpoint, this.#tls);
      if (unreachable !== null) {
        failures.push(`cannot reach ${endpoint}: ${unreachable}`);
        continue;
      }
      const result = await callOnce(endpoint, path, request, this.#timeoutMs, this.#tls);
      if (result.code === GrpcCode.Ok && result.message !== null) {
        return result.message;
      }
      const text = textOf(result);
      // No status came: the connection, or the time, ended before it.
      const isLost = result.trailers["grpc-status"] === undefined;
      if (isLost && !reads) throw new LostAnswer(text);
      if (!isLost && !refusals.has(result.text)) throw new CommandError(text);
      failures.push(this.#endpoints.length === 1 ? text : `${endpoint}: ${text}`);
    }
    throw new CommandError(failures.join("; "));
  }
}

/** One call on a connection of its own, by whom the environment names. */
export async function callOnce(
  address: string,
  path: string,
  request: Uint8Array,
  timeoutMs: number,
  tls: GrpcTls = machineTls,
): Promise<GrpcResult> {
  const user = userOf(process.env[userVariable]);
  const client = new GrpcClient(address, tls);
  try {
    const metadata = user === null ? {} : await logIn(client, user, timeoutMs);
    if (isFailure(metadata)) return metadata;
    return await client.call(path, request, timeoutMs, metadata);
  } finally {
    client.close();
  }
}

function isFailure(
  metadata: Readonly<Record<string, string>> | GrpcResult,
): metadata is GrpcResult {
  return typeof metadata["code"] === "number";
}

function textOf(result: GrpcResult): string {
  const missing = result.trailers[missingTrailer];
  const text = result.text === "" ? `the call failed with gRPC code ${result.code}` : result.text;
  return typeof missing === "string" && missing !== "" ? `${text} (not heard: ${missing})` : text;
}
