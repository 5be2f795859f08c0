// `quorate recover explain`: what has happened, what is certain, what may be lost, and what to do next, in
// sentences: of a plan, half applied or not, or of a data directory. Changes nothing.
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { isSurvivor, recoveriesOf } from "@quorate/host";
import { NodeDisk } from "@quorate/server";
import { ownerNow } from "@quorate/storage";
import { keptName, Place, placeOf } from "./exchange.ts";
import { nameOf, type PlanFile, type PlannedMember, readPlanFile } from "./plan-file.ts";
import { parseDirectory, readDirectory } from "./read-directories.ts";

export function explain(path: string): void {
  const isDirectory = existsSync(path) && statSync(path).isDirectory();
  const lines = isDirectory ? ofDirectory(path) : ofPlan(path, readPlanFile(path));
  process.stdout.write(`${lines.join("\n")}\n`);
}

const sentences: Record<Place, string> = {
  [Place.Before]: "stands as it did before the plan",
  [Place.Staged]:
    "stands as before; what apply wrote beside it is not complete, or not yet in place",
  [Place.Between]: "is between the two: apply was cut off while it exchanged old and new",
  [Place.Applied]: "is the new one; no member has been started on it",
  [Place.Started]: "is the new one, and its member has been started",
  [Place.Missing]: "is not there",
};

function ofPlan(path: string, file: PlanFile): string[] {
  const { survivors, lost, voters, oldClusterId, clusterId, planId } = file;
  const quorum = Math.floor(voters / 2) + 1;
  const places = file.directories.map((given) => placeOf(given, file));
  const lines = [
    `Plan ${planId}: cluster ${oldClusterId} had ${voters} voters, and needs ${quorum} of them to write`,
    `or to read. ${namesOf(lost)} ${lost.length === 1 ? "is" : "are"} given up; ${namesOf(survivors)} ` +
      `${survivors.length === 1 ? "goes" : "go"} on as cluster ${clusterId}.`,
    "",
    ...file.statements,
    file.confirm === ""
      ? "Nothing has to be confirmed."
      : `That something may be lost has to be confirmed by the word ${file.confirm}.`,
    "",
  ];
  file.directories.forEach(({ directory }, at) => {
    const kept = existsSync(keptName(directory, file));
    const old = kept ? `; the old one is kept as ${basename(keptName(directory, file))}` : "";
    lines.push(`${nameOf(survivors[at]!)}: ${directory} ${sentences[places[at]!]}${old}.`);
  });
  return [...lines, "", ...nextOf(path, file, places)];
}

function nextOf(path: string, file: PlanFile, places: readonly Place[]): string[] {
  const { confirm, abandoned, planId } = file;
  const word = confirm === "" ? "" : ` --confirm ${confirm}`;
  const has = (place: Place): boolean => places.includes(place);
  const all = (...of: readonly Place[]): boolean => places.every((place) => of.includes(place));
  if (abandoned && all(Place.Before)) {
    return [
      "The plan was abandoned, and everything stands as before. Next: start the members if a quorum",
      "of them can be started after all, or make a new plan.",
    ];
  }
  if (abandoned) {
    return [
      "The plan was being abandoned and that was cut off. Next:",
      `  quorate recover abandon ${path}`,
    ];
  }
  if (has(Place.Missing)) {
    return [
      "A directory is neither there nor kept beside its place. Next: bring it back, or, if nothing",
      "has been applied yet, make a new plan without it.",
    ];
  }
  if (has(Place.Started)) {
    const rest = places.length - places.filter((place) => place === Place.Started).length;
    return [
      ...(rest === 0
        ? ["The recovery is done, and can not be taken back any more."]
        : [
            `${rest} of the members have not been started on what the plan made for them: start them.`,
          ]),
      "Next: see that they are one cluster, and that no old member answers:",
      `  quorate recover verify ${path} ENDPOINT...`,
      "fence the disks of dead members that can be reached, and add new members:",
      `  quorate recover fence ${path} DIR...`,
      `When all is well, what is kept as …before-${planId} may go.`,
    ];
  }
  if (all(Place.Applied)) {
    return [
      "Next: start the members with their old flags and --initial-cluster-state existing. Until the",
      "first of them is started, all of it can be taken back:",
      `  quorate recover abandon ${path}`,
    ];
  }
  const isHalf = has(Place.Between) || has(Place.Applied);
  return [
    ...(isHalf
      ? ["The plan is half applied. Start no member now. Next, either go on:"]
      : ["Nothing has been applied. Next:"]),
    `  quorate recover apply ${path}${word}`,
    ...(isHalf
      ? ["or take it back:", `  quorate recover abandon ${path}`]
      : ["Or start the members after all, if a quorum of them can be: then the plan is void."]),
  ];
}

function ofDirectory(path: string): string[] {
  const given = parseDirectory(path);
  const { directory } = given;
  const owner = ownerNow({ disk: new NodeDisk() }, directory);
  const beside = besides(directory);
  if (owner === null) {
    return [`${directory} is no data directory that can be read.`, ...beside];
  }
  const lines = [
    `${directory} belongs to member ${owner.memberId} of cluster ${owner.clusterId}; it was started ` +
      `${owner.bootCount - (owner.recovered ? 1 : 0)} times.`,
  ];
  if (owner.supersededBy !== "") {
    return [
      ...lines,
      `It is fenced: ${owner.supersededBy}. A member that is started on it ends with 74.`,
      "Next: nothing. Start this member with an empty directory to join the cluster that goes on.",
      ...beside,
    ];
  }
  const read = readDirectory(given);
  if (!isSurvivor(read)) {
    return [...lines, `It cannot serve for a recovery: ${read.reason}.`, ...beside];
  }
  const { voters } = read.membership.confState;
  const others = read.membership.members.filter(({ raftId }) => raftId !== read.raftId);
  lines.push(
    `Its log ends with entry ${read.lastIndex} of term ${read.lastTerm}; up to ${read.commit} it is known ` +
      `to be committed. It knows ${voters.length} voters; the others are ${namesOf(others) || "none"}.`,
  );
  for (const { clusterId, planId, atMs } of recoveriesOf(read)) {
    lines.push(
      `Its cluster is what the recovery by plan ${planId} has left of cluster ${clusterId}` +
        `${atMs === 0 ? "" : `, at ${new Date(atMs).toISOString()}`}.`,
    );
  }
  const enough = Math.floor(voters.length / 2) + 1;
  lines.push(
    `Next: if ${enough} of the ${voters.length} voters can be started, start them. If not, collect all that ` +
      "is left: quorate recover collect DIR...",
  );
  return [...lines, ...beside];
}

/** What a recovery leaves beside a directory. */
function besides(directory: string): string[] {
  const prefix = basename(directory);
  const names = existsSync(dirname(directory)) ? readdirSync(dirname(directory)) : [];
  return names
    .filter((name) => name.startsWith(`${prefix}.`))
    .flatMap((name) => {
      const [, what, planId] = /\.(before|recovered)-([0-9a-f]{12})$/.exec(name) ?? [];
      if (what === undefined) return [];
      const is = what === "before" ? "what was there before" : "what apply has written for";
      return [`Beside it stands ${name}: ${is} plan ${planId}.`];
    });
}

function namesOf(members: readonly Pick<PlannedMember, "name" | "memberId">[]): string {
  return members.map(nameOf).join(", ");
}
