// --cacert, --cert, --key: with what a command speaks TLS, as etcdctl takes them.
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { machineTls } from "@quorate/grpc";
import type { GrpcTls } from "@quorate/grpc";
import { UsageError } from "../exit.ts";

export interface TlsFlags {
  readonly cacert: string;
  readonly cert: string;
  readonly key: string;
  readonly insecureSkipTlsVerify: boolean;
}

export function addTls(command: Command): Command {
  const { env } = process;
  const skips = /^(?:1|t|true)$/i.test(env["ETCDCTL_INSECURE_SKIP_TLS_VERIFY"] ?? "");
  return command
    .option(
      "--cacert <file>",
      "who may sign the members' certificates (env: ETCDCTL_CACERT)",
      env["ETCDCTL_CACERT"] ?? "",
    )
    .option("--cert <file>", "certificate to show (env: ETCDCTL_CERT)", env["ETCDCTL_CERT"] ?? "")
    .option("--key <file>", "its key (env: ETCDCTL_KEY)", env["ETCDCTL_KEY"] ?? "")
    .option("--insecure-skip-tls-verify", "take whoever answers for the cluster", skips);
}

/** One of them is set: endpoints without a scheme are https then. */
export function saysTls({ cacert, cert, key, insecureSkipTlsVerify }: TlsFlags): boolean {
  return cacert !== "" || cert !== "" || key !== "" || insecureSkipTlsVerify;
}

export function tlsOf(flags: TlsFlags): GrpcTls {
  if (!saysTls(flags)) return machineTls;
  const { cacert, cert, key, insecureSkipTlsVerify } = flags;
  if ((cert === "") !== (key === "")) {
    throw new UsageError(
      `--cert and --key go together: --${key === "" ? "key" : "cert"} is missing`,
    );
  }
  return {
    authorities: read("cacert", cacert),
    certificate: read("cert", cert),
    key: read("key", key),
    verify: !insecureSkipTlsVerify,
  };
}

function read(flag: string, path: string): Uint8Array | null {
  if (path === "") return null;
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(`--${flag} ${path} cannot be read: ${code}`);
  }
}
