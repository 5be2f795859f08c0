// `quorate join` on the command line; what it does is in join.ts, loaded when called.
import type { Command } from "commander";
import { addTls } from "../client/client-tls.ts";
import { seconds } from "../client/shared-options.ts";
import type { JoinOptions } from "./join.ts";

export function addJoin(program: Command): void {
  const command = program
    .command("join")
    .summary("run a new member of a running cluster")
    .description(
      "Adds this machine to a running cluster and runs its member in this process. Started " +
        "again, the member goes on with its data.",
    )
    .usage("<endpoints> --data-dir <directory> [options] [-- flags]")
    .argument("<endpoints>", "host:port,… where members of the cluster serve clients")
    .allowExcessArguments()
    .requiredOption("--data-dir <directory>", "where the member keeps its data")
    .option("--name <name>", "the member's name (else the machine's)", "")
    .option("--peer-url <url>", "where members reach it (else this machine's :2380)", "")
    .option("--client-url <url>", "where clients reach it (else this machine's :2379)", "")
    .option("--learner", "it is to follow without voting", false)
    .option("--timeout <seconds>", "how long to wait for an answer", seconds, 5)
    .addHelpText("after", joinHelp)
    .action(async (endpoints: string, options: JoinOptions, { args }: Command) => {
      const { join } = await import("./join.ts");
      await join(endpoints, args.slice(1), options);
    });
  addTls(command);
}

const joinHelp = `
This machine's address is the one from which it reaches the first endpoint. It
votes as soon as it has caught up, unless --learner is given. A member that
was added before (quorate members add) is known by its peer URL. What comes
after -- goes to the member as to quorate serve.`;
