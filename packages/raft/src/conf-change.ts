// A proposed change of the configuration, as it stands in a ConfChange entry's payload.
// The arithmetic on it is in confchange/, the bytes in confchange/codec.ts.
import type { NodeId } from "./types.ts";

export const ConfChangeType = {
  AddVoter: 1,
  AddLearner: 2,
  Remove: 3,
  /** Only the host's record about the member changes (name, URLs); the configuration stays. */
  Update: 4,
} as const;
export type ConfChangeType = (typeof ConfChangeType)[keyof typeof ConfChangeType];

export const ConfTransition = {
  /** Simple when at most one voter changes, else joint with automatic leave. */
  Auto: 0,
  /** Joint; the leader proposes the leave itself. */
  JointAutoLeave: 1,
  /** Joint until a leave (a change without changes) is proposed. */
  JointExplicit: 2,
  /** Leaves the joint configuration; `changes` is empty. */
  Leave: 3,
  /** Goes back to the configuration before the joint phase (itself the outgoing half); `changes` is empty. */
  Rollback: 4,
} as const;
export type ConfTransition = (typeof ConfTransition)[keyof typeof ConfTransition];

export class ConfChangeSingle {
  readonly type: ConfChangeType;
  readonly node: NodeId;

  constructor(type: ConfChangeType, node: NodeId) {
    this.type = type;
    this.node = node;
  }
}

export class ConfChange {
  readonly transition: ConfTransition;
  readonly changes: readonly ConfChangeSingle[];
  /** The host's record (names, URLs, API ids); opaque here. */
  readonly context: Uint8Array;

  constructor(
    transition: ConfTransition,
    changes: readonly ConfChangeSingle[],
    context: Uint8Array,
  ) {
    this.transition = transition;
    this.changes = changes;
    this.context = context;
  }
}
