// Says in the log which connections were refused and why, without letting whoever connects again and
// again fill it: the same reason from the same address once in ten seconds, with how often meanwhile.
import type { Logger } from "pino";
import type { TlsUse } from "./options.ts";

const againMs = 10_000;
const keptMax = 1000;
const resetsMax = 5;

interface Said {
  /** Below 0: not yet. */
  readonly atMs: number;
  /** Unsaid since. */
  readonly more: number;
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

  /** It was reset: by one that does not speak TLS, if it goes on; else by a process that was ending. */
  reset(address: string, error: string): void {
    this.#say(address, error, "the dialled side is not accepted", resetsMax);
  }

  /** `patience`: so often nothing is said. */
  #say(remote: string, error: string, text: string, patience: number = 0): void {
    this.count += 1;
    const key = `${remote} ${error}`;
    const nowMs = performance.now();
    const before = this.#said.get(key);
    const times = before === undefined ? 0 : before.more;
    const isQuiet = before === undefined || before.atMs < 0;
    const isSaid = isQuiet ? times >= patience : nowMs - before.atMs >= againMs;
    this.#said.delete(key);
    if (this.#said.size >= keptMax) this.#said.delete(this.#said.keys().next().value!);
    if (!isSaid) {
      this.#said.set(key, { atMs: before?.atMs ?? -1, more: times + 1 });
      return;
    }
    this.#said.set(key, { atMs: nowMs, more: 0 });
    const more = times === 0 ? {} : { more: times };
    this.#logger.warn({ use: this.#use, remote, error, ...more }, text);
  }
}
