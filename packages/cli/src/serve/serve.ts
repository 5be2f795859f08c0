// `quorate serve`: one member in this process, until it is told to stop.
import { countBuffersWithTheHeap, Member } from "@quorate/server";
import { UsageError } from "../exit.ts";
import { suggestion } from "../suggestion.ts";
import { environmentName, flags } from "./flags.ts";
import { resolveMember } from "./resolve.ts";
import { exitOnStdinEndVariable, gatherSettings } from "./settings.ts";

export async function serve(argv: readonly string[]): Promise<void> {
  const settings = gatherSettings(argv, process.env);
  const options = resolveMember(settings, process.stderr.isTTY);
  for (const name of settings.ignored) {
    options.logger.warn({ flag: `--${name}` }, "accepted, without effect in this version");
  }
  for (const name of settings.unknownVariables) {
    const hint = suggestion(name, flags.map(environmentName));
    options.logger.warn({ name }, `unrecognized environment variable${hint}`);
  }
  if (process.env[exitOnStdinEndVariable] === "1") {
    exitOnStdinEnd();
  }
  if (settings.values.get("force-new-cluster") === "true") {
    const { forceNewCluster } = await import("./force-new-cluster.ts");
    await forceNewCluster(options);
  }
  countBuffersWithTheHeap();
  const member = new Member(options);
  await member.start();
}

/** `quorate dev` holds the other end: when it dies, even by kill -9, its members go as well. */
function exitOnStdinEnd(): void {
  if (process.stdin.isTTY) {
    throw new UsageError(`${exitOnStdinEndVariable}=1 needs a pipe on standard input`);
  }
  process.stdin.on("end", () => process.kill(process.pid, "SIGTERM"));
  process.stdin.on("error", () => process.kill(process.pid, "SIGTERM"));
  process.stdin.resume();
}
