// `quorate alarms …` on the command line; what they do is in commands.ts, loaded when called.
import type { Command } from "commander";
import { addShared, clientOf } from "../client/shared-options.ts";
import type { Shared } from "../client/shared-options.ts";

export function addAlarms(program: Command): void {
  const alarms = program
    .command("alarms")
    .summary("list alarms and take them back")
    .description(
      "Lists what is wrong with a cluster and stays wrong, and takes alarms back. etcdctl alarm " +
        "knows NOSPACE and CORRUPT only.",
    );
  addShared(
    alarms
      .command("list")
      .summary("every active alarm")
      .description("Lists every active alarm: about whom, since when, and what to do.")
      .action(async (options: Shared) => {
        const { list } = await import("./commands.ts");
        await list(clientOf(options));
      }),
  );
  addShared(
    alarms
      .command("disarm [type]")
      .summary("take alarms back")
      .description(
        "Takes back every alarm, or those of one TYPE. One whose cause lasts is raised again.",
      )
      .action(async (type: string | undefined, options: Shared) => {
        const { disarm } = await import("./commands.ts");
        await disarm(clientOf(options), type ?? "");
      }),
  );
}
