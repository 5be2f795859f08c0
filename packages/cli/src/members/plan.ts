// What is to change, from what is there and what is wanted: growing before shrinking, each in one
// request. Pure; what cannot be meant is refused with the next step.
import { CommandError } from "../exit.ts";
import type { Change, Member } from "./member-list.ts";
import { nameOf } from "./member-list.ts";
import { phasesOf } from "./quorums.ts";
import type { Phase, Voter } from "./quorums.ts";

export interface Addition {
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
}

export interface Plan {
  readonly additions: readonly Addition[];
  readonly updates: readonly Change[];
  /** There already, to vote before anybody leaves. */
  readonly comings: readonly Member[];
  readonly removals: readonly Member[];
}

export const noPlan: Plan = { additions: [], updates: [], comings: [], removals: [] };

/** Name → peer URLs, as --initial-cluster says it. */
export function planOf(
  members: readonly Member[],
  wanted: ReadonlyMap<string, readonly string[]>,
): Plan {
  const kept = new Set<string>();
  const additions: Addition[] = [];
  const updates: Change[] = [];
  const comings: Member[] = [];
  for (const [name, peerUrls] of wanted) {
    const member =
      members.find((m) => m.name === name) ??
      members.find((m) => m.name === "" && sameUrls(m.peerUrls, peerUrls));
    if (member === undefined) {
      additions.push({ name, peerUrls, learner: false });
      continue;
    }
    kept.add(member.id);
    if (!sameUrls(member.peerUrls, peerUrls)) {
      updates.push({ kind: "update", id: member.id, peerUrls });
    }
    if (member.role !== "voter") comings.push(member);
  }
  for (const addition of additions) checkAddition(members, addition);
  return { additions, updates, comings, removals: members.filter((m) => !kept.has(m.id)) };
}

/** Of duplicates; the cluster checks them again. */
export function checkAddition(members: readonly Member[], { name, peerUrls }: Addition): void {
  const named = members.find((m) => m.name === name);
  if (named !== undefined) {
    throw new CommandError(
      `the name ${name} is taken by the member at ${named.peerUrls.join(", ")}: take another ` +
        "name, or move that member with quorate members update",
    );
  }
  const placed = members.find((m) => m.peerUrls.some((url) => peerUrls.includes(url)));
  if (placed !== undefined) {
    throw new CommandError(
      `the peer URL ${peerUrls.join(", ")} is taken by the member ${nameOf(placed)}: take ` +
        `another URL, or first: quorate members remove ${nameOf(placed)}`,
    );
  }
}

/** Whoever was added before must start before more are added on top. */
export function checkPile(members: readonly Member[], { additions }: Plan): void {
  const added = additions.filter((addition) => !addition.learner).length;
  const unborn = members.filter((m) => m.role === "unborn");
  if (added === 0 || unborn.length === 0) return;
  const voters = members.filter((m) => m.role === "voter").length;
  if (voters >= Math.floor((voters + unborn.length + added) / 2) + 1) return;
  throw new CommandError(
    `${unborn.map(nameOf).join(", ")} were added and have never been started: start them ` +
      "(quorate join), or remove them, before more are added",
  );
}

/** Today's voters first, then whatever the plan leads through. */
export function phasesOfPlan(members: readonly Member[], plan: Plan): Phase[] {
  const voters = members.filter((m) => m.role === "voter").map(voterOf);
  const coming = [
    ...plan.comings.map(({ name, id }) => ({ name: nameOf({ name, id }), reachable: true })),
    ...plan.additions
      .filter((addition) => !addition.learner)
      .map(({ name }) => ({ name, reachable: true })),
  ];
  const gone = plan.removals.map(nameOf);
  const today: Phase = { label: "before", halves: [voters] };
  const grown: Phase = { label: "grown", halves: [[...voters, ...coming]] };
  const left = grown.halves[0]!.filter(({ name }) => !gone.includes(name));
  const shrinks = left.length < grown.halves[0]!.length;
  const growing = phasesOf(today, grown.halves[0]!, {
    during: shrinks ? "growing" : "during",
    after: shrinks ? "grown" : "after",
  });
  const shrinking = phasesOf(grown, left, {
    during: coming.length > 0 ? "shrinking" : "during",
    after: "after",
  });
  return [today, ...growing, ...shrinking];
}

function voterOf(member: Member): Voter {
  return { name: nameOf(member), reachable: member.reachable };
}

function sameUrls(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((url) => b.includes(url));
}
