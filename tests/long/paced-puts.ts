// Puts at a steady rate, whether those before have been answered or not, and how long they took: what a
// test leaves running while it does something else to a member.
import { encodePutRequest, PutRequest } from "@quorate/kv";
import { H2Client } from "@quorate/grpc/internal";
import { utf8Encode } from "@quorate/base";

const path = "/etcdserverpb.KV/Put";
const tickMs = 10;
/** With more than that on their way the member is overrun: the rate is what it can do then. */
const inFlightMax = 2000;
const keys = 10_000;

/** Of the puts that were answered since it was asked last. */
export class PutTimes {
  readonly count: number;
  readonly failed: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;

  constructor(took: number[], failed: number, seconds: number) {
    took.sort((a, b) => a - b);
    const at = (share: number): number => took[Math.floor(share * (took.length - 1))] ?? 0;
    this.count = took.length;
    this.failed = failed;
    this.perSecond = took.length / seconds;
    this.p50Ms = at(0.5);
    this.p99Ms = at(0.99);
    this.maxMs = at(1);
  }

  toString(): string {
    const [p50, p99, max] = [this.p50Ms, this.p99Ms, this.maxMs].map((ms) => ms.toFixed(1));
    return (
      `${this.count} (${this.perSecond.toFixed(0)}/s, ${this.failed} failed), ` +
      `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`
    );
  }
}

export class PacedPuts {
  readonly #client: H2Client;
  readonly #timer: NodeJS.Timeout;
  readonly #value: Uint8Array;
  #took: number[];
  #failed: number;
  #sinceMs: number;
  #next: number;
  #inFlight: number;
  #idle: (() => void) | null;

  private constructor(client: H2Client, perSecond: number) {
    this.#client = client;
    this.#value = new Uint8Array(256).fill(7);
    this.#took = [];
    this.#failed = 0;
    this.#sinceMs = performance.now();
    this.#next = 0;
    this.#inFlight = 0;
    this.#idle = null;
    const startedMs = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - startedMs) / 1000) * perSecond;
      while (this.#next < due) this.#put();
    }, tickMs);
  }

  static async start(address: string, perSecond: number): Promise<PacedPuts> {
    return new PacedPuts(await H2Client.connect(address), perSecond);
  }

  take(): PutTimes {
    const nowMs = performance.now();
    const times = new PutTimes(this.#took, this.#failed, (nowMs - this.#sinceMs) / 1000);
    this.#took = [];
    this.#failed = 0;
    this.#sinceMs = nowMs;
    return times;
  }

  /** Ends when every put has been answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      if (this.#inFlight === 0) resolve();
    });
    this.#client.close();
  }

  #put(): void {
    const n = this.#next;
    this.#next += 1;
    if (this.#inFlight >= inFlightMax) return;
    this.#inFlight += 1;
    const key = utf8Encode(`paced/${n % keys}`);
    const startedMs = performance.now();
    this.#client.call(path, encodePutRequest(new PutRequest({ key, value: this.#value })), (ok) => {
      if (ok) this.#took.push(performance.now() - startedMs);
      else this.#failed += 1;
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle?.();
    });
  }
}
