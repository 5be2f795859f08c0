// `quorate import` on the command line; what it does is in import.ts, loaded when called.
import type { Command } from "commander";
import type { ImportOptions } from "./import.ts";

export function addImport(program: Command): void {
  program
    .command("import")
    .summary("make a cluster of a snapshot of etcd")
    .description(
      "Reads a snapshot of etcd, or of Quorate, and writes the data directories of a new cluster " +
        "with its keys, their revisions, its compaction, leases, users and roles. The snapshot is " +
        "checked before anything is written.",
    )
    .argument("<snapshot>", "what etcdctl snapshot save wrote, or a copy of member/snap/db")
    .requiredOption("--data-dir <directory>", "of the member; of several: DIRECTORY/NAME each")
    .option("--wal-dir <directory>", "for the log, if not in the data directory", "")
    .option(
      "--initial-cluster <members>",
      "NAME=PEER-URL,… of all members",
      "default=http://localhost:2380",
    )
    .option("--skip-auth", "without users and roles: everybody may do everything", false)
    .addHelpText("after", importHelp)
    .action(async (snapshot: string, options: ImportOptions) => {
      const { importSnapshot } = await import("./import.ts");
      await importSnapshot(snapshot, options);
    });
}

const importHelp = `
The directories must not exist, or be empty. Move each to its member's machine
and start all members with their usual flags; the cluster has a new id. Ends
with 0 when all is written, 64 when a directory or an option cannot be used,
72 when the snapshot is damaged, 1 when it holds more than a cluster keeps.`;
