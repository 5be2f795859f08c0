// `quorate auth …` on the command line; what it does is in reset.ts, loaded when called.
import type { Command } from "commander";
import type { ResetOptions } from "./reset.ts";

export function addAuth(program: Command): void {
  const auth = program
    .command("auth")
    .summary("come in again without root's password")
    .description("For operators who are locked out; users and roles are etcdctl's business.");
  auth
    .command("reset")
    .summary("give root a new password, on a member's machine")
    .description(
      "Gives a user a new password and the role root, by a word in the data directory of any one " +
        "member. The member takes it within a second while it runs and knows a leader, else when it " +
        "is started again. The password comes from standard input.",
    )
    .requiredOption("--data-dir <directory>", "of a member of the cluster")
    .option("--user <name>", "who gets in; added when there is no such user", "root")
    .addHelpText("after", resetHelp)
    .action(async (options: ResetOptions) => {
      const { reset } = await import("./reset.ts");
      await reset(options);
    });
}

const resetHelp = `
Nothing of it goes over a network: whoever may write the data directory may do
it. The member's log says what became of it. The user's tokens end.`;
