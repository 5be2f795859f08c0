// Carries a plan out: the preview, what is against it, growing, waiting until the new members vote,
// shrinking. Broken off at any point, the same command goes on where it was.
import { setTimeout as sleep } from "node:timers/promises";
import { LostAnswer, type ClusterClient } from "../client/cluster-client.ts";
import { print } from "../client/print.ts";
import { CommandError } from "../exit.ts";
import { changeMembers, listMembers, membersTable, nameOf } from "./member-list.ts";
import type { Change, Member } from "./member-list.ts";
import { checkAddition, checkPile, phasesOfPlan } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { preview, reasonAgainst } from "./quorums.ts";

export interface ChangeOptions {
  readonly dryRun: boolean;
  readonly force: boolean;
}

export interface WaitOptions extends ChangeOptions {
  /** Seconds for new members to be started, to catch up and to vote. */
  readonly wait: number;
}

const askAgainMs = 200;
const leaveMsMax = 60_000;
/** Twice etcd's HealthInterval, and a little for a connection that came late. */
const countedOnMsMax = 12_000;

export async function carryOut(
  client: ClusterClient,
  members: readonly Member[],
  plan: Plan,
  options: ChangeOptions & Partial<WaitOptions>,
): Promise<void> {
  for (const addition of plan.additions) checkAddition(members, addition);
  checkPile(members, plan);
  const phases = phasesOfPlan(members, plan);
  print(preview(phases));
  const reason = reasonAgainst(phases, options.force);
  if (reason !== null) throw new CommandError(reason);
  if (options.dryRun) {
    print("Nothing was changed (--dry-run).\n");
    return;
  }
  await grow(client, plan, options.force);
  const removals = plan.removals.map(({ id }): Change => ({ kind: "remove", id }));
  if (removals.length > 0) {
    if (plan.additions.length + plan.comings.length > 0) {
      await untilTheyVote(client, plan, options.wait ?? 0);
    }
    await remove(client, removals, options.force);
    await untilTheyAreGone(client, plan);
  } else if (options.wait !== undefined) {
    await untilTheyVote(client, plan, options.wait);
  }
  print(membersTable(await listMembers(client)));
}

async function grow(client: ClusterClient, plan: Plan, force: boolean): Promise<void> {
  const additions = plan.additions.map((addition): Change => ({ kind: "add", ...addition }));
  const changes = [...plan.updates, ...additions];
  if (changes.length === 0) return;
  await changeMembers(client, changes, force);
  for (const { name, peerUrls } of plan.additions) {
    print(
      `Added ${name}. On its machine:\n  quorate join ENDPOINT --data-dir DIR --name ${name} ` +
        `--peer-url ${peerUrls.join(",")}\n`,
    );
  }
}

/** New ones are promoted by the leader; who was added as a learner needs to be asked for. */
async function untilTheyVote(client: ClusterClient, plan: Plan, seconds: number): Promise<void> {
  const names = new Set([...plan.additions, ...plan.comings].map(({ name }) => name));
  const ids = new Set(plan.comings.map(({ id }) => id));
  const deadline = performance.now() + seconds * 1000;
  for (let told = ""; ;) {
    const members = await listMembers(client);
    const missing = members.filter(
      (m) => m.role !== "voter" && (ids.has(m.id) || (m.name !== "" && names.has(m.name))),
    );
    if (missing.length === 0) return;
    const waiting = missing.map((m) => `${nameOf(m)} (${m.role})`).join(", ");
    if (performance.now() > deadline) {
      throw new CommandError(
        `these do not vote yet: ${waiting}; nobody was removed. Start them, and give the same ` +
          "command again",
      );
    }
    if (waiting !== told) print(`Waiting until they vote: ${waiting}\n`);
    told = waiting;
    await promote(
      client,
      missing.filter((m) => m.role === "learner" && ids.has(m.id)),
    );
    await sleep(askAgainMs);
  }
}

/**
 * The leader counts on a member once its connection has stood for some seconds: where that is all there is
 * against it, it is asked again. Who was asked may be the one that goes, and its answer with it: the list
 * says what became of it.
 */
async function remove(
  client: ClusterClient,
  removals: readonly Change[],
  force: boolean,
): Promise<void> {
  const deadline = performance.now() + countedOnMsMax;
  for (let told = false; ; told = true) {
    try {
      return await changeMembers(client, removals, force);
    } catch (error) {
      if (error instanceof LostAnswer) return;
      if (!(error instanceof CommandError) || !/would not survive/.test(error.message)) throw error;
      if (performance.now() > deadline) throw error;
      if (!told) print("Waiting until the leader counts on the new members\n");
    }
    await sleep(askAgainMs);
  }
}

/** Several leave when the joint phase has ended, which is just behind the answer. */
async function untilTheyAreGone(client: ClusterClient, plan: Plan): Promise<void> {
  const ids = new Set(plan.removals.map(({ id }) => id));
  const deadline = performance.now() + leaveMsMax;
  while ((await listMembers(client)).some(({ id }) => ids.has(id))) {
    if (performance.now() > deadline) {
      throw new CommandError("the removal is under way, and not done yet: quorate members list");
    }
    await sleep(askAgainMs);
  }
}

/** Not caught up yet, or promoted meanwhile: both show in the next list. */
async function promote(client: ClusterClient, learners: readonly Member[]): Promise<void> {
  if (learners.length === 0) return;
  const promotions = learners.map(({ id }): Change => ({ kind: "promote", id }));
  try {
    await changeMembers(client, promotions, false);
  } catch (error) {
    if (!(error instanceof CommandError) || !/can only promote/.test(error.message)) throw error;
  }
}
