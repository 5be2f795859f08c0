// The public face of the consensus core.
export {
  applicationKindMin,
  Entry,
  EntryKind,
  entryBytes,
  entryOverheadBytes,
  Proposal,
} from "./entry.ts";
export { isAnswer, Message, MessageType } from "./message.ts";
export { DroppedProposal, PersistBatch, ReadState, Ready } from "./ready.ts";
export { checkConfig, raftDefaults } from "./config.ts";
export type { InitialState, RaftConfig, RaftRandom } from "./config.ts";
export { ConfChange, ConfChangeSingle, ConfChangeType, ConfTransition } from "./conf-change.ts";
export { ProgressKind, StallCause } from "./status.ts";
export type { ProgressStatus, RaftStatus, StallStatus } from "./status.ts";
export { ProposeOutcome, ReadOutcome, StepOutcome, TransferOutcome } from "./raft-api.ts";
export type { RaftApi } from "./raft-api.ts";
export { RaftNode } from "./raft-node.ts";
export { ConfState, HardState, nobody, Role, sessionUnknown, SnapshotMeta } from "./types.ts";
export type { Index, LogPoint, NodeId, PersistSeq, Session, Term } from "./types.ts";
export { applyChange, ConfChangeError, isConfChangeError } from "./confchange/change.ts";
export {
  decodeConfChange,
  decodeConfState,
  encodeConfChange,
  encodeConfState,
  readConfState,
  writeConfState,
} from "./confchange/codec.ts";
export {
  checkConfState,
  describeConfState,
  isJoint,
  isMember,
  isVoter,
  memberIds,
} from "./confchange/conf-state.ts";
export { decodeEntry, encodedEntryBytes, encodeEntry } from "./entry-codec.ts";
export { decodeMessage, encodeEntries, encodeMessage, encodeMessageHead } from "./message-codec.ts";
export {
  jointAcked,
  jointCommittedIndex,
  jointQuorumNewest,
  jointVoteResult,
} from "./quorum/joint.ts";
export { quorumOf, VoteResult } from "./quorum/majority.ts";
