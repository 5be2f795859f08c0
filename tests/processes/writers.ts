// Load with an oracle: writers that never write a key twice, and what the cluster has acknowledged to
// them. Whatever was acknowledged must be readable ever after; the rest may be there or not.
import { setTimeout as sleep } from "node:timers/promises";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import { put } from "./kv-calls.ts";
import type { TestMember } from "./member.ts";

const putTimeoutMs = 5000;
/** Before a writer goes to the next member after a failure. */
const pauseMs = 5;

export class Writers {
  readonly #members: readonly TestMember[];
  readonly #prefix: string;
  readonly #stopped: Promise<void>[];
  readonly #clients: GrpcClient[];
  /** Key → value, as acknowledged. */
  readonly acknowledged: Map<string, string>;
  /** Text of each failure → how often. */
  readonly failures: Map<string, number>;
  /** Times of acknowledgements, in ms of performance.now(), and the member that gave each. */
  readonly acknowledgedAt: { readonly atMs: number; readonly member: string }[];
  #running: boolean;

  /** Writer i begins at member i modulo their number and goes on to the next one when one fails. */
  constructor(members: readonly TestMember[], count: number, prefix: string) {
    this.#members = members;
    this.#prefix = prefix;
    this.acknowledged = new Map();
    this.failures = new Map();
    this.acknowledgedAt = [];
    this.#running = true;
    this.#clients = members.map((member) => new GrpcClient(member.address));
    this.#stopped = Array.from({ length: count }, (_, number) => this.#write(number));
  }

  /** Resolves when every writer has had its last answer. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#stopped);
    for (const client of this.#clients) client.close();
  }

  /** What is missing or different in what a member returned: null when nothing is. */
  difference(found: ReadonlyMap<string, string>): string | null {
    let lost = 0;
    let example = "";
    for (const [key, value] of this.acknowledged) {
      if (found.get(key) !== value) {
        lost += 1;
        example ||= `${key}: acknowledged ${value}, found ${found.get(key) ?? "nothing"}`;
      }
    }
    return lost === 0 ? null : `${lost} of ${this.acknowledged.size} lost (${example})`;
  }

  /** The longest time without an acknowledgement from one of these members, in ms. */
  longestGapMs(fromMs: number, toMs: number, members: readonly string[]): number {
    let gapMs = 0;
    let lastMs = fromMs;
    for (const { atMs, member } of this.acknowledgedAt) {
      if (atMs < fromMs || atMs > toMs || !members.includes(member)) continue;
      gapMs = Math.max(gapMs, atMs - lastMs);
      lastMs = atMs;
    }
    return Math.max(gapMs, toMs - lastMs);
  }

  async #write(number: number): Promise<void> {
    let at = number % this.#members.length;
    let count = 0;
    while (this.#running) {
      count += 1;
      const key = `${this.#prefix}${number}/${count}`;
      const value = `${number}-${count}-${this.#members[at]!.name}`;
      const result = await put(this.#clients[at]!, key, value, putTimeoutMs);
      if (result.code === GrpcCode.Ok) {
        this.acknowledged.set(key, value);
        this.acknowledgedAt.push({ atMs: performance.now(), member: this.#members[at]!.name });
      } else {
        const text = result.text || `gRPC code ${result.code}`;
        this.failures.set(text, (this.failures.get(text) ?? 0) + 1);
        at = (at + 1) % this.#members.length;
        await sleep(pauseMs);
      }
    }
  }
}
