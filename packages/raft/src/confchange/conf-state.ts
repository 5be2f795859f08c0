// Questions about one configuration, and its text form. Changing one is in change.ts, counting
// majorities of one in quorum/.
import { assert } from "@quorate/base";
import type { ConfState, NodeId } from "../types.ts";

/** Raft ids are random below this (DESIGN.md 4). */
export const nodeIdMax: NodeId = 2 ** 52;

export function isNodeId(id: number): boolean {
  return Number.isSafeInteger(id) && id >= 1 && id <= nodeIdMax;
}

export function isJoint(conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0;
}

/** In either half. */
export function isVoter(conf: ConfState, id: NodeId): boolean {
  return conf.voters.includes(id) || conf.votersOutgoing.includes(id);
}

/** Votes or receives. Who leaves this set is removed for good: only a new addition brings it back. */
export function isMember(conf: ConfState, id: NodeId): boolean {
  return isVoter(conf, id) || conf.learners.includes(id);
}

/** Everybody who votes or receives, ascending, each once. */
export function memberIds(conf: ConfState): NodeId[] {
  const ids = new Set([...conf.voters, ...conf.votersOutgoing, ...conf.learners]);
  return [...ids].toSorted((a, b) => a - b);
}

/** Asserts what every configuration that change.ts makes and codec.ts reads holds. */
export function checkConfState(conf: ConfState): void {
  const defect = confStateDefect(conf);
  assert(defect === null, () => `configuration ${describeConfState(conf)}: ${defect}`);
}

/** What is wrong with it; null: nothing. An empty configuration (a member yet to join) is sound. */
export function confStateDefect(conf: ConfState): string | null {
  const sets = [
    conf.voters,
    conf.votersOutgoing,
    conf.learners,
    conf.learnersNext,
    conf.learnersOutgoing,
  ];
  if (!sets.every(isAscending)) return "ids must be valid and ascend";
  if (conf.voters.length === 0) {
    return sets.every((set) => set.length === 0) ? null : "there are no voters";
  }
  if (conf.learners.some((id) => isVoter(conf, id))) return "a learner votes";
  if (!conf.learnersNext.every((id) => conf.votersOutgoing.includes(id))) {
    return "a coming learner is not an outgoing voter";
  }
  if (conf.learnersNext.some((id) => conf.voters.includes(id))) {
    return "a coming learner stays a voter";
  }
  if (conf.learnersOutgoing.some((id) => conf.votersOutgoing.includes(id))) {
    return "an outgoing learner is an outgoing voter";
  }
  if (!conf.learnersOutgoing.every((id) => isMember(conf, id))) {
    return "an outgoing learner is no member";
  }
  if (isJoint(conf)) return null;
  if (conf.learnersOutgoing.length > 0) return "outgoing learners outside a joint phase";
  return conf.autoLeave ? "automatic leave outside a joint phase" : null;
}

/** As etcd-raft writes it: `voters=(1 2 3)&&(1 2) learners=(4) learnersNext=(2) autoLeave`. */
export function describeConfState(conf: ConfState): string {
  let text = `voters=${idSet(conf.voters)}`;
  if (isJoint(conf)) text += `&&${idSet(conf.votersOutgoing)}`;
  if (conf.learners.length > 0) text += ` learners=${idSet(conf.learners)}`;
  if (conf.learnersNext.length > 0) text += ` learnersNext=${idSet(conf.learnersNext)}`;
  if (conf.learnersOutgoing.length > 0) text += ` learnersOutgoing=${idSet(conf.learnersOutgoing)}`;
  return conf.autoLeave ? `${text} autoLeave` : text;
}

function idSet(ids: readonly NodeId[]): string {
  return `(${ids.join(" ")})`;
}

function isAscending(ids: readonly NodeId[]): boolean {
  return ids.every((id, i) => isNodeId(id) && (i === 0 || ids[i - 1]! < id));
}
