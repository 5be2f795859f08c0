// The Env of a tool that works on data directories while no member runs: files and clocks as in a
// member; it dials, and nobody dials it. It never sets a directory aside, so it never begins anew.
import type { Logger } from "pino";
import { ExitCode } from "@quorate/storage";
import type { Env } from "@quorate/storage";
import { NodeDisk } from "./node-disk.ts";
import { type Fatal, makeEnv } from "./node-env.ts";
import { NodeTransport } from "./node-transport.ts";

/** `disk`: for whoever lets go of its locks before its process ends. */
export function offlineEnv(logger: Logger, fatal: Fatal, disk: NodeDisk = new NodeDisk()): Env {
  const restart = (reason: string): never => fatal(ExitCode.Assertion, reason);
  return makeEnv(disk, new NodeTransport(), logger, fatal, restart);
}
