// Says in the log which connections were refused and why, without letting whoever connects again and
// again fill it: the same reason from the same address once in ten seconds, with how often meanwhile.
import type { Logger } from "pino";
import type { TlsUse } from "./options.ts";

const againMs = 10_000;
const keptMax = 1000;

interface Said {
  readonly atMs: number;
  more: number;
}

export class RefusalLog {
  readonly #use: TlsUse;
  readonly #logger: Logger;
  readonly #said: Map<string, Said>;
  /** Refused connections, for metrics. */
  count: number;

  constructor(use: TlsUse, logger: Logger) {
    this.#use = use;
    this.#logger = logger;
    this.#said = new Map();
    this.count = 0;
  }

  /** A connection that came from `address`. */
  incoming(address: string, error: string): void {
    this.#say(address, error, "rejected connection");
  }

  /** A connection to `address`. */
  dialled(address: string, error: string): void {
    this.#say(address, error, "the dialled side is not accepted");
  }

  #say(remote: string, error: string, text: string): void {
    this.count += 1;
    const key = `${remote} ${error}`;
    const nowMs = performance.now();
    const before = this.#said.get(key);
    if (before !== undefined && nowMs - before.atMs < againMs) {
      before.more += 1;
      return;
    }
    this.#said.delete(key);
    if (this.#said.size >= keptMax) this.#said.delete(this.#said.keys().next().value!);
    this.#said.set(key, { atMs: nowMs, more: 0 });
    const more = before === undefined || before.more === 0 ? {} : { more: before.more };
    this.#logger.warn({ use: this.#use, remote, error, ...more }, text);
  }
}
