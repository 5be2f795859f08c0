// Writers with unique values that note how each write ended, to hold against what is there at the end:
// a success must be there; a write that was refused as not committed must not be; the rest is unknown.
import { GrpcCode } from "@quorate/grpc";
import type { Members } from "./members.ts";

export interface Written {
  readonly member: number;
  readonly key: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly code: GrpcCode;
  readonly text: string;
}

/** Writers of different tests never share a key. */
let generations = 0;

export class Writers {
  readonly #generation: number;
  readonly #members: Members;
  readonly #loops: Promise<void>[];
  readonly written: Written[];
  #stopped: boolean;

  /** `perMember` writers on each of `on`, each with one write at a time. */
  constructor(members: Members, on: readonly number[], perMember: number) {
    generations += 1;
    this.#generation = generations;
    this.#members = members;
    this.written = [];
    this.#stopped = false;
    this.#loops = on.flatMap((member) =>
      Array.from({ length: perMember }, (_, at) => this.#loop(member, at)),
    );
  }

  successesOn(members: readonly number[], sinceMs: number): number {
    return this.written.filter(
      (w) => w.code === GrpcCode.Ok && w.startedMs >= sinceMs && members.includes(w.member),
    ).length;
  }

  /** The longest time without a success of anybody. */
  longestGapMs(): number {
    const ends = this.written
      .filter(({ code }) => code === GrpcCode.Ok)
      .map(({ endedMs }) => endedMs)
      .sort((a, b) => a - b);
    const gaps = ends.slice(1).map((endedMs, at) => endedMs - ends[at]!);
    return Math.max(0, ...gaps);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #loop(member: number, writer: number): Promise<void> {
    for (let count = 0; !this.#stopped; count += 1) {
      const key = `w/${this.#generation}-${member}-${writer}-${count}`;
      const startedMs = performance.now();
      const { code, text } = await this.#members.put(member, key, key);
      this.written.push({ member, key, startedMs, endedMs: performance.now(), code, text });
      if (code !== GrpcCode.Ok) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }
}

/** Refusals that promise the write was never committed (DESIGN.md 22). */
export const notCommitted: readonly string[] = [
  "etcdserver: no leader",
  "etcdserver: leader changed",
  "etcdserver: too many requests",
];
