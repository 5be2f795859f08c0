// What a recovery would do, from what is left of a cluster whose quorum is lost for good: who of the
// survivors leads on, what is certain, what is kept, what may be lost and why (reliability.md §4.3).
// Pure: reads nothing and changes nothing.
import { type NodeId, quorumOf } from "@quorate/raft";
import type { Survivor } from "./survivor.ts";

/** Members beside the survivors. */
export interface LostMember {
  readonly memberId: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

export interface RecoveryPlan {
  readonly ok: true;
  readonly winner: Survivor;
  /** The winner among them. */
  readonly survivors: readonly Survivor[];
  readonly dead: readonly LostMember[];
  readonly voters: number;
  readonly quorum: number;
  /** A write that was acknowledged may be missing. */
  readonly mayLose: boolean;
  /** Term of the entry that ends the recovery; the new members begin above it. */
  readonly term: number;
  readonly statements: readonly string[];
}

export interface PlanRefusal {
  readonly ok: false;
  readonly reason: string;
}

/** `dead`: names or ids of the members that will never come back. */
export function planRecovery(
  survivors: readonly Survivor[],
  dead: readonly string[],
): RecoveryPlan | PlanRefusal {
  const first = survivors[0];
  if (first === undefined) return refusal("no data directory of a member was given");
  const mixed = mixedUp(survivors);
  if (mixed !== null) return refusal(mixed);
  const winner = survivors.toSorted(byNewest)[0]!;
  const { membership } = winner;
  const collected = new Set(survivors.map(({ raftId }) => raftId));
  const halves = halvesOf(winner);
  const isIntact = halves.every((half) => countOf(half, collected) >= quorumOf(half.length));
  const names = survivors.map(({ name, memberId }) => name || memberId).join(", ");
  if (isIntact) {
    return refusal(
      `a quorum is left: ${names} are enough of ${describeHalves(halves)}. Just start them; to wipe ` +
        "or recover anything would only destroy copies",
    );
  }
  const stranger = survivors.find(({ memberId }) => membership.byMemberId(memberId) === null);
  if (stranger !== undefined) {
    const { inspected, memberId } = stranger;
    return refusal(
      `${inspected.directory}: by the newest log, that of ${winner.name || winner.memberId}, member ` +
        `${memberId} is none of the cluster: leave it out`,
    );
  }
  const given = new Set(survivors.map(({ memberId }) => memberId));
  const others = membership.members.filter(({ memberId }) => !given.has(memberId));
  const isDead = (member: LostMember): boolean =>
    dead.includes(member.name) || dead.includes(member.memberId);
  const open = others.find((member) => !isDead(member));
  if (open !== undefined) {
    return refusal(
      `nothing is known of member ${open.name || open.memberId} (${open.peerUrls.join(", ")}): give ` +
        "its data directory, even from a dead machine, or name it with --dead if it will never come back",
    );
  }
  const known = [...others, ...survivors];
  const unknown = dead.find(
    (name) => !known.some((member) => member.name === name || member.memberId === name),
  );
  if (unknown !== undefined) return refusal(`--dead ${unknown}: the cluster has no such member`);
  const living = survivors.find(
    ({ name, memberId }) => dead.includes(name) || dead.includes(memberId),
  );
  if (living !== undefined) {
    return refusal(`--dead ${living.name || living.memberId}: its data directory was given`);
  }
  return planOf(winner, survivors, others, halves);
}

/**
 * All others are given up unseen, a quorum or not (etcd's --force-new-cluster). Null: there are none.
 */
export function planAlone(survivor: Survivor): RecoveryPlan | PlanRefusal | null {
  const { membership, memberId, inspected } = survivor;
  if (membership.byMemberId(memberId) === null) {
    return refusal(`${inspected.directory}: it is no member of its cluster any more`);
  }
  const others = membership.members.filter((member) => member.memberId !== memberId);
  return others.length === 0 ? null : planOf(survivor, [survivor], others, halvesOf(survivor));
}

function halvesOf({ membership }: Survivor): readonly (readonly NodeId[])[] {
  const { voters, votersOutgoing } = membership.confState;
  return [voters, votersOutgoing].filter((half) => half.length > 0);
}

function planOf(
  winner: Survivor,
  survivors: readonly Survivor[],
  dead: readonly LostMember[],
  halves: readonly (readonly NodeId[])[],
): RecoveryPlan {
  const collected = new Set(survivors.map(({ raftId }) => raftId));
  // Each committed entry is on a quorum of each half: on a survivor, unless all of one are dead.
  const mayLose = halves.every(
    (half) => half.length - countOf(half, collected) >= quorumOf(half.length),
  );
  const voters = halves[0]!.length;
  return {
    ok: true,
    winner,
    survivors,
    dead: dead.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    voters,
    quorum: quorumOf(voters),
    mayLose,
    term: Math.max(...survivors.map(({ term }) => term)) + 1,
    statements: statementsOf(winner, survivors, mayLose),
  };
}

function statementsOf(
  winner: Survivor,
  survivors: readonly Survivor[],
  mayLose: boolean,
): readonly string[] {
  const certain = Math.max(...survivors.map(({ commit }) => commit));
  const { lastIndex, lastTerm, rate, changesInTail } = winner;
  const lines = [`Kept for certain: every entry up to ${certain}.`];
  if (lastIndex > certain) {
    lines.push(
      `Kept too, although clients may have seen an error: entries ${certain + 1} to ${lastIndex}.`,
    );
  }
  if (mayLose) {
    // By Leader Completeness and Log Matching; not by index alone: leaders of later terms may have
    // acknowledged other entries at indexes that this log holds too.
    lines.push(
      `May be lost: whatever was acknowledged in term ${lastTerm} after entry ${lastIndex}, or in ` +
        "any later term: all members of a quorum that could have held it are dead.",
      `  In the last minute before it ${rate.toFixed(1)} entries a second were written.`,
    );
  } else {
    lines.push(
      "No acknowledged write can be missing: every quorum has a member among the survivors.",
    );
  }
  for (const other of survivors) {
    const line = other === winner ? null : discarded(winner, other);
    if (line !== null) lines.push(line);
  }
  if (changesInTail > 0) {
    lines.push(
      `Not carried out: ${changesInTail} changes of the members that were not known to be committed.`,
    );
  }
  return lines;
}

/** What of a loser's log is not in the winner's. */
function discarded(
  winner: Survivor,
  { name, memberId, entries, lastIndex }: Survivor,
): string | null {
  const kept = new Map(winner.entries.map((entry) => [entry.index, entry.term]));
  const from = winner.checkpoint?.index ?? 0;
  const lost = entries.filter(({ index, term }) => index > from && (kept.get(index) ?? 0) !== term);
  if (lost.length === 0) return null;
  const who = name || memberId;
  return `Discarded: entries ${lost[0]!.index} to ${lastIndex} of ${who}, which no leader has kept.`;
}

/** Newest log first; voters before learners. */
export function byNewest(a: Survivor, b: Survivor): number {
  return (
    b.lastTerm - a.lastTerm ||
    b.lastIndex - a.lastIndex ||
    Number(b.isVoter) - Number(a.isVoter) ||
    (a.memberId < b.memberId ? -1 : 1)
  );
}

function mixedUp(survivors: readonly Survivor[]): string | null {
  const [first, ...rest] = survivors;
  for (const other of rest) {
    const [one, two] = [first!.inspected.directory, other.inspected.directory];
    if (other.clusterId !== first!.clusterId) {
      return `${one} is of cluster ${first!.clusterId}, ${two} of cluster ${other.clusterId}`;
    }
  }
  const ids = survivors.map(({ memberId }) => memberId);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  return twice === undefined
    ? null
    : `two directories belong to member ${twice}: give the newer one`;
}

function countOf(half: readonly NodeId[], collected: ReadonlySet<NodeId>): number {
  return half.filter((id) => collected.has(id)).length;
}

function describeHalves(halves: readonly (readonly NodeId[])[]): string {
  return halves
    .map((half) => `${half.length} voters (quorum ${quorumOf(half.length)})`)
    .join(" and ");
}

function refusal(reason: string): PlanRefusal {
  return { ok: false, reason };
}
