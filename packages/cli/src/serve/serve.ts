// `quorate serve`: one member in this process, until it is told to stop.
import { Member } from "@quorate/server";
import { flags, FlagState } from "./flags.ts";
import { resolveMember } from "./resolve.ts";
import { gatherSettings } from "./settings.ts";

export async function serve(argv: readonly string[]): Promise<void> {
  if (argv.some((word) => word === "--help" || word === "-help" || word === "-h")) {
    process.stdout.write(serveHelp());
    return;
  }
  const settings = gatherSettings(argv, process.env);
  const options = resolveMember(settings, process.stderr.isTTY === true);
  for (const name of settings.ignored) {
    options.logger.warn({ flag: `--${name}` }, "accepted, without effect in this version");
  }
  if (process.env["QUORATE_EXIT_ON_STDIN_END"] === "1") {
    // `quorate dev` holds the other end: when it dies, even by kill -9, its members go as well.
    process.stdin.on("end", () => process.kill(process.pid, "SIGTERM"));
    process.stdin.resume();
  }
  const member = new Member(options);
  await member.start();
}

function serveHelp(): string {
  const lines = [
    "Usage: quorate serve [flags]",
    "",
    "Runs one member. Flags and environment variables are etcd's; flag over environment over",
    "--config-file. Flags of etcd that have no effect here are accepted and logged.",
    "",
  ];
  for (const flag of flags) {
    if (flag.state === FlagState.Used) {
      lines.push(`  --${flag.name}`, `      ${flag.help}`);
    }
  }
  lines.push("", "Example: quorate serve --name m1 --data-dir /var/lib/quorate", "");
  return lines.join("\n");
}
