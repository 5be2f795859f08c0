// A fixed number of puts, driven to the last acknowledgement with a bounded number in flight: what the
// long tests fill a cluster with. A put that fails is made again, at the present leader.
import { setTimeout as sleep } from "node:timers/promises";
import { encodePutRequest, PutRequest } from "@quorate/kv";
import { H2Client } from "@quorate/grpc/internal";
import type { TestCluster } from "../processes/cluster.ts";

const path = "/etcdserverpb.KV/Put";
const pauseMs = 20;
/** In a row, with no success in between: then the cluster is stuck and the test has failed. */
const failuresMax = 20_000;

export interface PutsOptions {
  readonly count: number;
  readonly inFlight: number;
  readonly key: (n: number) => Uint8Array;
  readonly value: (n: number) => Uint8Array;
  /** Called after each acknowledgement with how many there are now. */
  readonly onAcknowledged?: (count: number) => void;
}

export interface PutsResult {
  readonly seconds: number;
  readonly failures: number;
}

export async function makePuts(cluster: TestCluster, options: PutsOptions): Promise<PutsResult> {
  const startedMs = performance.now();
  let connection: Promise<H2Client> | null = null;
  const connected = async (): Promise<H2Client> => {
    const present = connection === null ? null : await connection;
    if (present !== null && !present.closed) return present;
    connection = cluster.leader().then((leader) => H2Client.connect(leader.address));
    return connection;
  };
  let next = 0;
  let acknowledged = 0;
  let failures = 0;
  let failuresInRow = 0;
  const write = async (): Promise<void> => {
    while (next < options.count) {
      const n = next;
      next += 1;
      const message = encodePutRequest(
        new PutRequest({ key: options.key(n), value: options.value(n) }),
      );
      for (;;) {
        const client = await connected();
        if (await new Promise<boolean>((resolve) => client.call(path, message, resolve))) break;
        failures += 1;
        failuresInRow += 1;
        if (failuresInRow > failuresMax) {
          throw new Error(`${failuresInRow} puts in a row failed after ${acknowledged}`);
        }
        await sleep(pauseMs);
      }
      failuresInRow = 0;
      acknowledged += 1;
      options.onAcknowledged?.(acknowledged);
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, write));
  if (connection !== null) (await (connection as Promise<H2Client>)).close();
  return { seconds: (performance.now() - startedMs) / 1000, failures };
}
