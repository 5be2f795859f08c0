// A stream of keep-alives whose client sends and does not read: its answers are bounded, and it hears so.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { GrpcSink } from "@quorate/grpc";
import type { HostApi, ReplySink } from "@quorate/host";
import { nobody } from "@quorate/kv";
import type { LeaderRequired } from "./leader-required.ts";
import { LeaseService } from "./lease-service.ts";

test("ten thousand answers that nobody takes end the stream; once they are taken, it counts anew", () => {
  const answered = { count: 0, taken: false };
  const failures: string[] = [];
  const host = {
    leases: { keepAlive: (_id: bigint, told: ReplySink) => told.reply(new Uint8Array(4)) },
  } as unknown as HostApi;
  const required = { add: () => undefined, remove: () => undefined } as unknown as LeaderRequired;
  const sink = {
    metadata: {},
    write: () => {
      answered.count += 1;
      return answered.taken;
    },
    fail: (_code: number, text: string) => void failures.push(text),
    onDrain: null as (() => void) | null,
  };
  const service = new LeaseService(host, required);
  const ask = (count: number): void => {
    // Field 1, a varint: lease 7.
    const message = Uint8Array.of(8, 7);
    for (let n = 0; n < count; n += 1) {
      service.keepAlive(message, sink as unknown as GrpcSink, nobody);
    }
  };
  ask(10_000);
  sink.onDrain!();
  ask(10_000);
  deepEqual(failures, []);
  ask(1);
  deepEqual(failures, ["etcdserver: too many requests"]);
  equal(answered.count, 20_001);
});
