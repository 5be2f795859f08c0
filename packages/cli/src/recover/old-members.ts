// What answers at the addresses of the members that a plan has given up. One of the old cluster is told
// that it is superseded, and ends; then its address must be silent.
import { Announced, Announcement } from "@quorate/host";
import type { Env } from "@quorate/storage";
import { nameOf, type PlanFile, type PlannedMember } from "./plan-file.ts";

export interface Verdict {
  readonly good: boolean;
  readonly words: string;
}

const stepMs = 200;

export async function oldMembers(env: Env, file: PlanFile, timeoutMs: number): Promise<Verdict[]> {
  const all = file.lost.flatMap((member) =>
    member.addresses.map((address) => verdictOf(env, file, member, address, timeoutMs)),
  );
  return Promise.all(all);
}

async function verdictOf(
  env: Env,
  file: PlanFile,
  member: PlannedMember,
  address: string,
  timeoutMs: number,
): Promise<Verdict> {
  const who = `${nameOf(member)} at ${address}`;
  const endMs = performance.now() + timeoutMs;
  let since = "";
  for (;;) {
    const { what, words } = await announce(env, file, address, timeoutMs);
    switch (what) {
      case Announced.Silent:
        return { good: true, words: `${who} is silent${since}` };
      case Announced.Successor:
        return { good: true, words: `${who}: ${words}, which goes on` };
      case Announced.Told:
        since = ", since it was told";
        break;
      case Announced.HungUp:
        // Its answer may have been lost with it.
        if (since === "") since = ", since it hung up on being told";
        break;
      case Announced.Other:
        // Perhaps it is about to start, or to end.
        if (performance.now() > endMs) {
          return { good: false, words: `${who}: something answers: ${words}` };
        }
        break;
    }
    if (performance.now() > endMs) {
      return { good: false, words: `${who} was told that it is superseded, and goes on` };
    }
    await new Promise((resolve) => setTimeout(resolve, stepMs));
  }
}

function announce(
  env: Env,
  { oldClusterId, oldGenesisId, clusterId, planId }: PlanFile,
  address: string,
  timeoutMs: number,
): Promise<{ readonly what: Announced; readonly words: string }> {
  const notice = {
    clusterId: oldClusterId,
    genesisId: oldGenesisId,
    newClusterId: clusterId,
    planId,
  };
  return new Promise((resolve) => {
    const timer = setTimeout(() => announcement.giveUp(), timeoutMs);
    const announcement = new Announcement(env, address, notice, (what, words) => {
      clearTimeout(timer);
      resolve({ what, words });
    });
  });
}
