// The lease of a place in a queue: the caller's, or one for a minute where it names none, as in etcd.
import { must } from "@quorate/base";
import { decodeLeaseResponse, leaseIdHigh, leaseIdLow, noLease } from "@quorate/kv";
import { CallFailed } from "./key-calls.ts";
import type { KeyCalls } from "./key-calls.ts";

const ttlSeconds = 60;

/** As the messages carry it: a signed number of 64 bits. */
export function leaseFor({ host, identity }: KeyCalls, named: bigint): Promise<bigint> {
  if (named !== 0n) return Promise.resolve(named);
  return new Promise((resolve, reject) => {
    host.leases.grant(
      { ttlSeconds, id: noLease },
      {
        reply: (bytes) => {
          const { id } = must(decodeLeaseResponse(bytes), "an answer to a grant");
          resolve((BigInt(leaseIdHigh(id)) << 32n) | BigInt(leaseIdLow(id)));
        },
        fail: (failure) => reject(new CallFailed(failure)),
      },
      identity,
    );
  });
}
