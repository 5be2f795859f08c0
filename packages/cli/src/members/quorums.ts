// The quorums that a change of the members leads through, and why it is better not made (P2). Pure.
import { table } from "@quorate/base";
import { quorumOf } from "@quorate/host";

export interface Voter {
  readonly name: string;
  /** Those that are to come are counted on: they vote only once they have caught up. */
  readonly reachable: boolean;
}

export interface Phase {
  readonly label: string;
  /** One, or both halves of a joint configuration: a majority of each decides. */
  readonly halves: readonly (readonly Voter[])[];
}

/** From one set of voters to the next; with more than one difference by way of both. */
export function phasesOf(
  from: Phase,
  to: readonly Voter[],
  labels: { readonly during: string; readonly after: string },
): Phase[] {
  const before = from.halves[0]!;
  const after: Phase = { label: labels.after, halves: [to] };
  const differences =
    before.filter((voter) => !names(to).includes(voter.name)).length +
    to.filter((voter) => !names(before).includes(voter.name)).length;
  if (differences === 0) return [];
  if (differences === 1) return [after];
  return [{ label: labels.during, halves: [before, to] }, after];
}

/** Null: nothing against it. `forced` overrules what is merely weaker. */
export function reasonAgainst(phases: readonly Phase[], forced: boolean): string | null {
  const [today, ...coming] = phases;
  if (today === undefined) return null;
  if (!survives(today, 0)) {
    return (
      `no quorum answers today (${describe(today)}), so that nothing can be changed: start ` +
      "members that are stopped; where too many are lost for good: quorate recover"
    );
  }
  for (const phase of coming) {
    if (!survives(phase, 0)) {
      return (
        `${phase.label}, no quorum would answer (${describe(phase)}): start members that are ` +
        "stopped, or add new ones, first"
      );
    }
    if (!forced && survives(today, 1) && !survives(phase, 1)) {
      return (
        `${phase.label}, the loss of one more voter would stop all writes ` +
        `(${describe(phase)}), which it would not today: add or start a member first, ` +
        "or say --force"
      );
    }
  }
  return null;
}

/** At most 80 columns: as many names as fit. */
export function preview(phases: readonly Phase[]): string {
  const rows = phases.flatMap(({ label, halves }) =>
    halves.map((half, at) => [
      at === 0 ? label : "  and",
      `${quorumOf(half.length)} of ${half.length} needed,`,
      `${half.filter((voter) => voter.reachable).length} answer:`,
      listed(half),
    ]),
  );
  return `${table([["QUORUM"], ...rows])}\n`;
}

const listedCharsMax = 36;

function listed(half: readonly Voter[]): string {
  const words = half.map((voter) => (voter.reachable ? voter.name : `(${voter.name})`));
  const all = words.join(" ");
  return all.length <= listedCharsMax ? all : `${all.slice(0, listedCharsMax - 1)}…`;
}

function describe({ halves }: Phase): string {
  return halves
    .map((half) => {
      const answer = half.filter((voter) => voter.reachable).length;
      return `${answer} of ${half.length} voters answer, ${quorumOf(half.length)} are needed`;
    })
    .join("; of the others ");
}

function survives({ halves }: Phase, losses: number): boolean {
  return halves.every((half) => {
    return half.filter((voter) => voter.reachable).length - losses >= quorumOf(half.length);
  });
}

function names(voters: readonly Voter[]): string[] {
  return voters.map((voter) => voter.name);
}
