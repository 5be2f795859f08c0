// `grpc-timeout`: a call ends when its time is up, whatever it waits for, and lets go of what it held.
import { deepEqual, equal, match } from "node:assert/strict";
import { etcd, lock } from "@quorate/proto";
import type { Case } from "../suite/case.ts";
import { bytes } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";
import { answerTimeoutMs } from "../wire/wire-client.ts";
import type { CallEnd } from "../wire/wire-call.ts";

const timeout = "grpc-timeout";

/** By gRPC, whose error has a code, or by whoever waited for the context's end, whose error has none. */
function isExpired(trial: Trial, { code, text }: CallEnd): void {
  const codes = trial.differs("X-deadline", { etcd: [4, 2], quorate: [4] });
  equal(codes.includes(code), true, `status ${code}: ${text}`);
  match(text, /^context deadline exceeded$/);
}

export const deadlineCases: readonly Case[] = [
  {
    rule: "E-RPC",
    name: "a deadline ends a watch, and a lock that waits, whose place is free again",
    run: async (trial) => {
      const watch = trial.wire.stream(etcd.Watch.method.watch, { [timeout]: "200m" });
      watch.send({ requestUnion: { case: "createRequest", value: { key: trial.key("w") } } });
      equal((await watch.next()).created, true);
      isExpired(trial, (await watch.rest()).end);

      const name = trial.key("lock");
      const held = await trial.ok(lock.Lock.method.lock, { name });
      const metadata = { [timeout]: "200m" };
      isExpired(trial, (await trial.wire.unary(lock.Lock.method.lock, { name }, metadata)).end);
      await trial.ok(lock.Lock.method.unlock, { key: held.key });
      await trial.ok(lock.Lock.method.lock, { name });
    },
  },
  {
    rule: "E-RPC",
    name: "without any time left nothing is answered; with time, every unit is taken",
    run: async (trial) => {
      const { put } = etcd.KV.method;
      for (const none of ["0S", "-1S", "1n"]) {
        const request = { key: trial.key("late"), value: bytes(none) };
        isExpired(trial, (await trial.wire.unary(put, request, { [timeout]: none })).end);
      }
      for (const some of ["1H", "60M", "60S", "60000m", "60000000u", "99999999n", "99999999H"]) {
        const metadata = { [timeout]: some };
        await trial.ok(put, { key: trial.key("in time"), value: bytes(some) }, { metadata });
      }
    },
  },
  {
    rule: "E-BAD",
    name: "a timeout that is none resets the stream",
    run: async (trial) => {
      const before = await trial.revision();
      for (const bad of ["S", "10", "123456789S", "1.5S", "1 S", "5s", "xS"]) {
        const call = trial.wire.raw("/etcdserverpb.KV/Put", { [timeout]: bad });
        call.halfClose();
        const { code, httpStatus } = await call.ended(answerTimeoutMs);
        deepEqual([bad, code, httpStatus], [bad, -1, 0]);
      }
      await trial.unchanged(before);
    },
  },
];
