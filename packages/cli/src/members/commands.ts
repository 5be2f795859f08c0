// `quorate members …`: what each of them means as a plan.
import { readFileSync } from "node:fs";
import type { ClusterClient } from "../client/cluster-client.ts";
import { print } from "../client/print.ts";
import { CommandError, UsageError } from "../exit.ts";
import { parseInitialCluster, parseUrlList } from "../serve/cluster-list.ts";
import { carryOut } from "./carry-out.ts";
import type { ChangeOptions, WaitOptions } from "./carry-out.ts";
import { changeMembers, findMember, listMembers, membersTable, nameOf } from "./member-list.ts";
import { noPlan, phasesOfPlan, planOf } from "./plan.ts";
import { preview, reasonAgainst } from "./quorums.ts";

export interface AddOptions extends ChangeOptions {
  readonly learner: boolean;
}

export async function list(client: ClusterClient): Promise<void> {
  print(membersTable(await listMembers(client)));
}

export async function add(
  client: ClusterClient,
  name: string,
  urls: readonly string[],
  options: AddOptions,
): Promise<void> {
  const peerUrls = parseUrlList(urls.join(","), "the peer URL");
  const addition = { name: checkedName(name), peerUrls, learner: options.learner };
  await carryOut(client, await listMembers(client), { ...noPlan, additions: [addition] }, options);
}

export async function remove(
  client: ClusterClient,
  who: string,
  options: ChangeOptions,
): Promise<void> {
  const members = await listMembers(client);
  await carryOut(client, members, { ...noPlan, removals: [findMember(members, who)] }, options);
}

export async function update(
  client: ClusterClient,
  who: string,
  urls: readonly string[],
  options: ChangeOptions,
): Promise<void> {
  const members = await listMembers(client);
  const { id } = findMember(members, who);
  const peerUrls = parseUrlList(urls.join(","), "the peer URL");
  const updates = [{ kind: "update", id, peerUrls } as const];
  await carryOut(client, members, { ...noPlan, updates }, options);
}

export async function promote(
  client: ClusterClient,
  who: string,
  options: ChangeOptions,
): Promise<void> {
  const members = await listMembers(client);
  const member = findMember(members, who);
  if (member.role !== "learner") {
    throw new CommandError(
      member.role === "voter"
        ? `${nameOf(member)} votes already`
        : `${nameOf(member)} has never been started: start it first (quorate join)`,
    );
  }
  const phases = phasesOfPlan(members, { ...noPlan, comings: [member] });
  print(preview(phases));
  const reason = reasonAgainst(phases, options.force);
  if (reason !== null) throw new CommandError(reason);
  if (options.dryRun) return print("Nothing was changed (--dry-run).\n");
  await changeMembers(client, [{ kind: "promote", id: member.id }], options.force);
  print(membersTable(await listMembers(client)));
}

export async function replace(
  client: ClusterClient,
  places: { readonly who: string; readonly name: string; readonly url: string },
  options: WaitOptions,
): Promise<void> {
  const { who, name, url } = places;
  const members = await listMembers(client);
  const old = findMember(members, who);
  const peerUrls = parseUrlList(url, "the peer URL");
  // Broken off before, it is there already.
  const there = members.find((m) => m.name === name && m.peerUrls.join() === peerUrls.join());
  const isNew = there === undefined;
  await carryOut(
    client,
    members,
    {
      updates: [],
      additions: isNew ? [{ name: checkedName(name), peerUrls, learner: false }] : [],
      comings: isNew || there.role === "voter" ? [] : [there],
      removals: [old],
    },
    options,
  );
}

export async function apply(
  client: ClusterClient,
  wanted: string,
  options: WaitOptions,
): Promise<void> {
  const members = await listMembers(client);
  const plan = planOf(members, wantedMembers(wanted));
  const count =
    plan.additions.length + plan.updates.length + plan.comings.length + plan.removals.length;
  if (count === 0) return print(`${membersTable(members)}Nothing is to change.\n`);
  await carryOut(client, members, plan, options);
}

/** `NAME=URL,…`, or a file with one `NAME=URL` a line; # begins a comment. */
export function wantedMembers(text: string): Map<string, string[]> {
  if (text.includes("=")) return parseInitialCluster(text, "the wanted list");
  let lines: string[];
  try {
    lines = readFileSync(text, "utf8").split("\n");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`"${text}" is neither NAME=URL,… nor a file that can be read (${code})`);
  }
  const parts = lines.map((line) => line.replace(/#.*/, "").trim()).filter((line) => line !== "");
  if (parts.length === 0) throw new UsageError(`"${text}" names no member`);
  return parseInitialCluster(parts.join(","), text);
}

function checkedName(name: string): string {
  if (name === "" || /[\s=,]/.test(name)) {
    throw new UsageError(`"${name}" is no name of a member: no spaces, commas or equal signs`);
  }
  return name;
}
