// Membership arithmetic: a configuration and a change give the next configuration, or a refusal.
// Pure functions on values, run at apply on every member alike, so that the outcome may depend on
// nothing but the two. Whether a change is wise (who is alive, who has caught up) is judged before
// it is proposed, not here.
//
// Two neighbours in any sequence share a member in every pair of quorums: a simple step changes one
// voter at most (thesis §4.1), everything else passes through a joint configuration (§4.3).
import { assertNever } from "@quorate/base";
import { ConfChangeType, ConfTransition } from "../conf-change.ts";
import type { ConfChange, ConfChangeSingle } from "../conf-change.ts";
import { ConfState } from "../types.ts";
import type { NodeId } from "../types.ts";
import { checkConfState, isJoint, isNodeId } from "./conf-state.ts";

export { isJoint, isMember, isVoter } from "./conf-state.ts";

export class ConfChangeError {
  readonly ok: false = false;
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export function isConfChangeError(value: ConfState | ConfChangeError): value is ConfChangeError {
  return value instanceof ConfChangeError;
}

/** The configuration that holds once `change` is applied; `conf` itself is never touched. */
export function applyChange(conf: ConfState, change: ConfChange): ConfState | ConfChangeError {
  checkConfState(conf);
  const next = transition(conf, change);
  if (!isConfChangeError(next)) checkConfState(next);
  return next;
}

function transition(conf: ConfState, change: ConfChange): ConfState | ConfChangeError {
  switch (change.transition) {
    case ConfTransition.Leave:
    case ConfTransition.Rollback:
      if (change.changes.length > 0) return new ConfChangeError("this transition takes no changes");
      if (!isJoint(conf)) return new ConfChangeError("not in a joint configuration");
      return change.transition === ConfTransition.Leave ? leave(conf) : rollback(conf);
    case ConfTransition.Auto:
    case ConfTransition.JointAutoLeave:
    case ConfTransition.JointExplicit:
      return enter(conf, change.transition, change.changes);
    default:
      return assertNever(change.transition, "transition");
  }
}

function enter(
  conf: ConfState,
  transitionAsked: ConfTransition,
  changes: readonly ConfChangeSingle[],
): ConfState | ConfChangeError {
  if (isJoint(conf)) return new ConfChangeError("already in a joint configuration");
  // Only genesis and snapshots make a first configuration: members must not make up their own.
  if (conf.voters.length === 0) return new ConfChangeError("there is no configuration yet");
  const defect = changesDefect(changes);
  if (defect !== null) return new ConfChangeError(defect);

  const voters = new Set(conf.voters);
  const learners = new Set(conf.learners);
  for (const change of changes) applySingle(change, voters, learners);
  if (voters.size === 0) return new ConfChangeError("no voter would be left");

  const simple = transitionAsked === ConfTransition.Auto && votersChanged(conf.voters, voters) <= 1;
  if (simple) return new ConfState(sorted(voters), [], sorted(learners), [], false);
  return joint(conf, voters, learners, transitionAsked !== ConfTransition.JointExplicit);
}

function changesDefect(changes: readonly ConfChangeSingle[]): string | null {
  if (changes.length === 0) return "there are no changes";
  const named = new Set<NodeId>();
  for (const change of changes) {
    if (!isNodeId(change.node)) return "not a raft id";
    // Twice the same id would make the outcome depend on the order of the changes.
    if (named.has(change.node)) return "a change names one member twice";
    named.add(change.node);
  }
  return null;
}

/** Adding who is there and removing who is not changes nothing, as in etcd. */
function applySingle(change: ConfChangeSingle, voters: Set<NodeId>, learners: Set<NodeId>): void {
  switch (change.type) {
    case ConfChangeType.AddVoter:
      learners.delete(change.node);
      voters.add(change.node);
      break;
    case ConfChangeType.AddLearner:
      voters.delete(change.node);
      learners.add(change.node);
      break;
    case ConfChangeType.Remove:
      voters.delete(change.node);
      learners.delete(change.node);
      break;
    case ConfChangeType.Update:
      break;
    default:
      assertNever(change.type, "change");
  }
}

/**
 * `voters` and `learners` are what holds after the leave. A voter that becomes a learner votes in
 * the outgoing half until then, and so waits in `learnersNext`: a learner never votes (lesson 32).
 */
function joint(
  conf: ConfState,
  voters: ReadonlySet<NodeId>,
  learners: ReadonlySet<NodeId>,
  autoLeave: boolean,
): ConfState {
  const outgoing = new Set(conf.voters);
  const stays = (id: NodeId): boolean => voters.has(id) || learners.has(id);
  return new ConfState(
    sorted(voters),
    conf.voters,
    sorted([...learners].filter((id) => !outgoing.has(id))),
    sorted([...learners].filter((id) => outgoing.has(id))),
    autoLeave,
    conf.learners.filter(stays),
  );
}

function leave(conf: ConfState): ConfState {
  const learners = sorted([...conf.learners, ...conf.learnersNext]);
  return new ConfState(conf.voters, [], learners, [], false);
}

/**
 * The outgoing half again. Who came in with the joint phase, as voter or as learner, goes; who was
 * promoted in it is a learner again. A learner removed by entering it stays removed: it may have
 * been told and be gone.
 */
function rollback(conf: ConfState): ConfState {
  return new ConfState(conf.votersOutgoing, [], conf.learnersOutgoing, [], false);
}

function votersChanged(before: readonly NodeId[], after: ReadonlySet<NodeId>): number {
  const kept = before.filter((id) => after.has(id)).length;
  return before.length - kept + (after.size - kept);
}

function sorted(ids: Iterable<NodeId>): readonly NodeId[] {
  return [...ids].toSorted((a, b) => a - b);
}
