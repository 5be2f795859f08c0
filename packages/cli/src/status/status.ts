// `quorate status`: each member's view in one table. Ends with 1 when something is wrong.
import type { GrpcTls } from "@quorate/grpc";
import { exitCodes } from "../exit.ts";
import { print } from "../client/print.ts";
import { collect } from "./collect.ts";
import { statusJson, statusTable } from "./print-status.ts";
import { problemsOf } from "./problems.ts";

export interface StatusOptions {
  readonly json: boolean;
}

export async function status(
  endpoints: readonly string[],
  timeoutMs: number,
  options: StatusOptions & { readonly tls: GrpcTls },
): Promise<void> {
  const members = await collect(endpoints, timeoutMs, options.tls);
  const problems = problemsOf(members);
  print((options.json ? statusJson : statusTable)(members, problems));
  if (problems.length > 0) {
    process.exitCode = exitCodes.failed;
  }
}
