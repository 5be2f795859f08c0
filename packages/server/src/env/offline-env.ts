// The Env of a tool that works on data directories while no member runs: files and clocks as in a
// member, nobody to talk to.
import type { Logger } from "pino";
import type { Env } from "@quorate/storage";
import { NodeDisk } from "./node-disk.ts";
import { type Fatal, makeEnv } from "./node-env.ts";
import { NodeTransport } from "./node-transport.ts";

export function offlineEnv(logger: Logger, fatal: Fatal): Env {
  return makeEnv(new NodeDisk(), new NodeTransport(), logger, fatal);
}
