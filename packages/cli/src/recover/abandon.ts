// `quorate recover abandon`: puts the directories back that a plan has replaced, as long as no member has
// been started on a new one. It can be repeated after a crash; nothing comes of the plan any more.
import { existsSync } from "node:fs";
import { UsageError } from "../exit.ts";
import { partsOf, Place, placeOf, putBack, removeStaged } from "./exchange.ts";
import { readPlanFile, writePlanFile } from "./plan-file.ts";
import { OfflineDisk } from "./stage.ts";

export async function abandon(path: string): Promise<void> {
  const file = readPlanFile(path);
  const disk = new OfflineDisk();
  // Locked before it is looked at: a member that is being started has its directory, or has it not.
  for (const { directory } of file.directories) {
    if (existsSync(directory)) disk.lock(directory);
  }
  const started = file.directories.find((given) => placeOf(given, file) === Place.Started);
  if (started !== undefined) {
    throw new UsageError(
      `${started.directory} has been started as a member of cluster ${file.clusterId}: what was ` +
        "written there since would be lost; go on with it, or bring back the old directories by hand",
    );
  }
  // First: an apply in between would put half of it in place again.
  writePlanFile(path, { ...file, abandoned: true });
  for (const given of file.directories) {
    // The data directory last: until then it can be seen that this is not over.
    for (const part of partsOf(given).toReversed()) await putBack(part, file);
  }
  for (const given of file.directories) {
    for (const part of partsOf(given)) await removeStaged(part, file);
  }
  const names = file.directories.map(({ directory }) => directory);
  process.stdout.write(
    `Abandoned: ${names.join(", ")} stand as they did before plan ${file.planId}.\n` +
      `Directories that were fenced by it are opened by quorate recover fence ${path} DIR... --lift\n`,
  );
}
