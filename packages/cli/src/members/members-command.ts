// `quorate members …` on the command line; what they do is in commands.ts, loaded when called.
import type { Command } from "commander";
import { addShared, clientOf, seconds } from "../client/shared-options.ts";
import type { Shared } from "../client/shared-options.ts";
import type { ChangeOptions, WaitOptions } from "./carry-out.ts";
import type { AddOptions } from "./commands.ts";

export function addMembers(program: Command): void {
  const members = program
    .command("members")
    .summary("list, add, remove and replace members")
    .description(
      "Lists and changes the members of a cluster. What changes them shows the quorums before, " +
        "during and after, and refuses what would be less safe than today.",
    )
    .addHelpText("after", membersHelp);
  addShared(
    members
      .command("list")
      .summary("every member and its part")
      .description("Lists every member: voter, learner, or unborn while it was never started.")
      .action(async (options: Shared) => {
        const { list } = await import("./commands.ts");
        await list(clientOf(options));
      }),
  );
  addOne(members);
  addMany(members);
}

function addOne(members: Command): void {
  const add = members
    .command("add <name> <peer_url...>")
    .summary("add a member yet to start")
    .description("Adds a member. It costs no quorum before its process has caught up.")
    .option("--learner", "it is to follow without voting", false);
  addChange(add).action(
    async (name: string, urls: string[], options: AddOptions & Shared): Promise<void> => {
      const { add: run } = await import("./commands.ts");
      await run(clientOf(options), name, urls, options);
    },
  );
  const remove = members
    .command("remove <member>")
    .summary("remove a member")
    .description("Removes a member, by name or id. Its process ends by itself, with 73.");
  addChange(remove).action(async (who: string, options: ChangeOptions & Shared) => {
    const { remove: run } = await import("./commands.ts");
    await run(clientOf(options), who, options);
  });
  const update = members
    .command("update <member> <peer_url...>")
    .summary("change its peer URLs")
    .description("Changes the peer URLs of a member, by name or id.");
  addChange(update).action(
    async (who: string, urls: string[], options: ChangeOptions & Shared): Promise<void> => {
      const { update: run } = await import("./commands.ts");
      await run(clientOf(options), who, urls, options);
    },
  );
  const promote = members
    .command("promote <member>")
    .summary("let a learner vote")
    .description("Makes a voter of a learner that has caught up, by name or id.");
  addChange(promote).action(async (who: string, options: ChangeOptions & Shared) => {
    const { promote: run } = await import("./commands.ts");
    await run(clientOf(options), who, options);
  });
}

function addMany(members: Command): void {
  const replace = members
    .command("replace <member> <new_name> <peer_url>")
    .summary("put a new one in its place")
    .description(
      "Adds the new member, waits until it has been started and votes, then removes the old one.",
    );
  addWait(addChange(replace)).action(
    async (who: string, name: string, url: string, options: WaitOptions & Shared) => {
      const { replace: run } = await import("./commands.ts");
      await run(clientOf(options), { who, name, url }, options);
    },
  );
  const apply = members
    .command("apply <wanted>")
    .summary("make them those of a list")
    .description(
      "Makes the members those of a list: NAME=URL,NAME=URL… or a file with one NAME=URL a " +
        "line. New ones are added together, then waited for until they vote; only then the " +
        "others are removed together. Broken off, the same command goes on.",
    );
  addWait(addChange(apply)).action(async (wanted: string, options: WaitOptions & Shared) => {
    const { apply: run } = await import("./commands.ts");
    await run(clientOf(options), wanted, options);
  });
}

function addChange(command: Command): Command {
  command
    .option("--dry-run", "only show what it would lead through", false)
    .option("--force", "even if one more loss would be too many meanwhile", false);
  return addShared(command);
}

function addWait(command: Command): Command {
  return command.option("--wait <seconds>", "for new members to start and vote", seconds, 600);
}

const membersHelp = `
A voter that does not answer stands in brackets. Several voters change in one
step, with both majorities needed during it. Refused is what would leave no
quorum that answers; without --force also what could not lose one more voter
at some point, although today's members could.`;
