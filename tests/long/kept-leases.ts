// Many leases for the long tests: each is kept alive on one of a number of streams, which are spread
// over the members and go on at another one when they end. Of every lease is known until when it was
// promised to last: its time to live from when its last answered keep-alive was sent.
import { decodeLeaseResponse, encodeLeaseIdRequest } from "@quorate/kv";
import type { LeaseId } from "@quorate/kv";
import { framed } from "../conformance/wire/wire-call.ts";
import type { WireCall } from "../conformance/wire/wire-call.ts";
import { WireClient } from "../conformance/wire/wire-client.ts";
import type { TestCluster } from "../processes/cluster.ts";

const path = "/etcdserverpb.Lease/LeaseKeepAlive";
const tickMs = 100;
const retryMs = 100;
const silenceMsMax = 30_000;

export class KeptLease {
  readonly id: LeaseId;
  promisedUntilMs: number;
  kept: boolean;
  /** Of the keep-alive that is on its way; 0: none is. */
  sentMs: number;

  constructor(id: LeaseId, promisedUntilMs: number) {
    this.id = id;
    this.promisedUntilMs = promisedUntilMs;
    this.kept = true;
    this.sentMs = 0;
  }
}

export class KeptLeases {
  readonly leases: Map<LeaseId, KeptLease>;
  /** From a keep-alive to its answer, since they were taken last. */
  delaysMs: number[];
  /** Answers that said that a kept lease is gone. */
  readonly lost: KeptLease[];
  restarts: number;
  readonly #cluster: TestCluster;
  readonly #ttlSeconds: number;
  readonly #ticks: number;
  readonly #turns: readonly KeptLease[][];
  #closed: boolean;

  /** Each lease is kept alive once per `everyMs`. */
  constructor(cluster: TestCluster, streams: number, ttlSeconds: number, everyMs: number) {
    this.leases = new Map();
    this.delaysMs = [];
    this.lost = [];
    this.restarts = 0;
    this.#cluster = cluster;
    this.#ttlSeconds = ttlSeconds;
    this.#ticks = everyMs / tickMs;
    this.#turns = Array.from({ length: streams }, () => []);
    this.#closed = false;
    for (let at = 0; at < streams; at += 1) void this.#run(at, at);
  }

  /** It has been granted; the request was sent at `sentMs`. */
  add(id: LeaseId, sentMs: number): void {
    const lease = new KeptLease(id, sentMs + this.#ttlSeconds * 1000);
    this.#turns[this.leases.size % this.#turns.length]!.push(lease);
    this.leases.set(id, lease);
  }

  close(): void {
    this.#closed = true;
  }

  async #run(at: number, first: number): Promise<void> {
    for (let turn = first; !this.#closed; turn += 1) {
      const { running } = this.#cluster;
      const client = new WireClient(running[turn % running.length]!.address);
      const call = client.raw(path);
      const timer = this.#ask(call, this.#turns[at]!);
      try {
        await this.#hear(call);
      } finally {
        clearInterval(timer);
        client.close();
      }
      for (const lease of this.#turns[at]!) lease.sentMs = 0;
      if (this.#closed) return;
      this.restarts += 1;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  /** A share of the leases at every tick, in turn. */
  #ask(call: WireCall, leases: readonly KeptLease[]): NodeJS.Timeout {
    let next = 0;
    return setInterval(() => {
      if (this.#closed) call.halfClose();
      const frames: Buffer[] = [];
      for (let left = Math.ceil(leases.length / this.#ticks); left > 0; left -= 1) {
        const lease = leases[next % leases.length]!;
        next += 1;
        if (!lease.kept || lease.sentMs !== 0) continue;
        lease.sentMs = performance.now();
        frames.push(framed(encodeLeaseIdRequest(lease.id)));
      }
      if (frames.length > 0 && !this.#closed) call.write(Buffer.concat(frames));
    }, tickMs);
  }

  async #hear(call: WireCall): Promise<void> {
    for (;;) {
      const bytes = await call.next(silenceMsMax);
      if (bytes === null) return;
      const { id, ttlSeconds } = decodeLeaseResponse(bytes)!;
      const lease = this.leases.get(id)!;
      this.delaysMs.push(performance.now() - lease.sentMs);
      if (ttlSeconds === 0) this.lost.push(lease);
      else lease.promisedUntilMs = lease.sentMs + this.#ttlSeconds * 1000;
      lease.sentMs = 0;
    }
  }
}
