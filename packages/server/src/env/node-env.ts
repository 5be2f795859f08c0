// The production Env: process clocks, crypto-seeded randomness, files, sockets, setImmediate, pino.
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { Prng } from "@quorate/base";
import type { Env, ExitCode, Random, Trace, TraceFields } from "@quorate/storage";
import type { NodeDisk } from "./node-disk.ts";
import type { NodeTransport } from "./node-transport.ts";

/** How a process ends: told the code and the reason; must not return. */
export type Fatal = (exitCode: ExitCode, reason: string) => never;
/** How it begins anew: told the reason; must not return. */
export type Restart = (reason: string) => never;

export function makeEnv(
  disk: NodeDisk,
  transport: NodeTransport,
  logger: Logger,
  fatal: Fatal,
  restart: Restart,
): Env {
  return {
    clock: {
      monotonicMs: () => performance.now(),
      wallMs: () => Date.now(),
    },
    random: cryptoSeeded(),
    disk,
    transport,
    trace: traceTo(logger),
    schedule: (turn) => {
      setImmediate(turn);
    },
    fatal,
    restart,
  };
}

function cryptoSeeded(): Random {
  return new Prng(randomBytes(32).toString("hex"));
}

function traceTo(logger: Logger): Trace {
  return {
    debug: (event: string, fields?: TraceFields) => logger.debug(fields ?? {}, event),
    info: (event: string, fields?: TraceFields) => logger.info(fields ?? {}, event),
    warn: (event: string, fields?: TraceFields) => logger.warn(fields ?? {}, event),
    error: (event: string, fields?: TraceFields) => logger.error(fields ?? {}, event),
    mark: () => undefined,
  };
}
