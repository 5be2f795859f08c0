// The Env of a tool that works on data directories while no member runs: files and clocks as in a
// member; it dials, and nobody dials it. It never sets a directory aside, so it never begins anew.
import type { Logger } from "pino";
import { ExitCode } from "@quorate/storage";
import type { Env } from "@quorate/storage";
import { NodeDisk } from "./node-disk.ts";
import { type Fatal, makeEnv } from "./node-env.ts";
import { TlsFileError } from "../tls/files.ts";
import type { TlsOptions } from "../tls/options.ts";
import { TlsSide } from "../tls/tls-side.ts";
import { NodeTransport } from "./node-transport.ts";

/** `disk`: for whoever lets go of its locks before its process ends; `tls`: for peers it dials. */
export function offlineEnv(
  logger: Logger,
  fatal: Fatal,
  disk: NodeDisk = new NodeDisk(),
  tls: TlsOptions | null = null,
): Env {
  const restart = (reason: string): never => fatal(ExitCode.Assertion, reason);
  const side = tls === null ? null : new TlsSide(tls, logger);
  try {
    side?.credentials.load();
  } catch (error) {
    if (!(error instanceof TlsFileError)) throw error;
    fatal(ExitCode.Usage, error.message);
  }
  return makeEnv(disk, new NodeTransport(side), logger, fatal, restart);
}
