// grpc.health.v1: the whole server is "".
import { equal } from "node:assert/strict";
import { health } from "@quorate/proto";
import type { Case } from "../suite/case.ts";

const { check, watch } = health.Health.method;
const { SERVING, SERVICE_UNKNOWN } = health.HealthCheckResponse_ServingStatus;

export const healthCases: readonly Case[] = [
  {
    rule: "E-RPC",
    name: "Health/Check: the server serves, an unknown service is not found",
    run: async (trial) => {
      equal((await trial.ok(check, {})).status, SERVING);
      const { end } = await trial.wire.unary(check, { service: "no.such.Service" });
      equal(end.code, 5);
    },
  },
  {
    rule: "E-RPC",
    name: "Health/Watch: the present state comes first, and the stream stays open",
    run: async (trial) => {
      const stream = trial.wire.stream(watch);
      trial.after(() => stream.call.cancel());
      stream.send({});
      stream.call.halfClose();
      equal((await stream.next()).status, SERVING);
      equal((await trial.ok(check, {})).status, SERVING);
      equal(stream.call.open, true);
    },
  },
  {
    rule: "E-RPC",
    name: "Health/Watch of a service that there is not says so, and the stream stays open",
    run: async (trial) => {
      const stream = trial.wire.stream(watch);
      trial.after(() => stream.call.cancel());
      stream.send({ service: "no.such.Service" });
      stream.call.halfClose();
      equal((await stream.next()).status, SERVICE_UNKNOWN);
      equal((await trial.ok(check, {})).status, SERVING);
      equal(stream.call.open, true);
    },
  },
];
