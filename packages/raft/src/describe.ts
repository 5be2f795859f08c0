// Text forms of messages, entries, outputs and progress, for transcripts, tests and debugging. Not
// for logs of production: nothing here is meant to be fast or to be parsed.
import { latin1Decode } from "@quorate/base";
import { ConfChangeType, ConfTransition } from "./conf-change.ts";
import type { ConfChange } from "./conf-change.ts";
import { decodeConfChange } from "./confchange/codec.ts";
import { describeConfState } from "./confchange/conf-state.ts";
import { EntryKind } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { levelOf } from "./log-tail.ts";
import { MessageType } from "./message.ts";
import type { Message } from "./message.ts";
import type { PersistBatch, Ready } from "./ready.ts";
import { ProgressKind, StallCause } from "./status.ts";
import type { ProgressStatus } from "./status.ts";
import { Role } from "./types.ts";
import type { SnapshotMeta } from "./types.ts";

const payloadCharsMax = 40;

export function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  for (const [name, number] of Object.entries(names)) {
    if (number === value) return name;
  }
  return `#${value}`;
}

export function describeRole(role: Role): string {
  return nameOf(Role, role);
}

/** `term/index kind payload`. */
export function describeEntry(entry: Entry): string {
  const place = `${entry.term}/${entry.index}`;
  switch (entry.kind) {
    case EntryKind.Empty:
      return `${place} Empty`;
    case EntryKind.ConfChange: {
      const change = decodeConfChange(entry.payload);
      return `${place} ConfChange ${change === null ? "unreadable" : describeConfChange(change)}`;
    }
    case EntryKind.Level:
      return `${place} Level ${levelOf(entry.payload) ?? "unreadable"}`;
    default:
      return `${place} ${describePayload(entry.payload)}`;
  }
}

function describePayload(payload: Uint8Array): string {
  if (payload.length > payloadCharsMax) return `(${payload.length} bytes)`;
  return `"${latin1Decode(payload, 0, payload.length)}"`;
}

export function describeEntries(entries: readonly Entry[]): string {
  return `[${entries.map(describeEntry).join(", ")}]`;
}

const changeNames: Readonly<Record<ConfChangeType, string>> = {
  [ConfChangeType.AddVoter]: "voter",
  [ConfChangeType.AddLearner]: "learner",
  [ConfChangeType.Remove]: "remove",
  [ConfChangeType.Update]: "update",
};

/** `Auto(voter 4, remove 1)`. */
export function describeConfChange(change: ConfChange): string {
  const singles = change.changes.map((single) => `${changeNames[single.type]} ${single.node}`);
  return `${nameOf(ConfTransition, change.transition)}(${singles.join(", ")})`;
}

export function describeSnapshot(snapshot: SnapshotMeta): string {
  return `${snapshot.term}/${snapshot.index} ${describeConfState(snapshot.confState)}`;
}

/** `1->2 AppendEntries term=1 prev=1/10 commit=10 [1/11 "x"]`. Sessions only when asked for. */
export function describeMessage(message: Message, withSessions: boolean = false): string {
  let text = `${message.from}->${message.to} ${nameOf(MessageType, message.type)}`;
  text += ` term=${message.term}${describeFields(message)}`;
  if (withSessions) text += ` session=${message.session} toSession=${message.toSession}`;
  return text;
}

function describeFields(message: Message): string {
  switch (message.type) {
    case MessageType.AppendEntries: {
      const head = ` prev=${message.logTerm}/${message.index} commit=${message.commit}`;
      return `${head} ${describeEntries(message.entries)}`;
    }
    case MessageType.AppendResponse: {
      if (!message.reject) return ` index=${message.index}`;
      const hint = ` hint=${message.hintTerm}/${message.hintIndex}`;
      return ` reject index=${message.index}${hint}`;
    }
    case MessageType.Heartbeat: {
      const rank = message.rank > 0 ? ` rank=${message.rank}` : "";
      return ` commit=${message.commit} round=${message.number}${rank}`;
    }
    case MessageType.HeartbeatResponse:
      return ` round=${message.number}`;
    case MessageType.PreVote:
    case MessageType.Vote:
      return ` last=${message.logTerm}/${message.index}${message.transfer ? " transfer" : ""}`;
    case MessageType.PreVoteResponse:
    case MessageType.VoteResponse:
      return message.reject ? " reject" : " granted";
    case MessageType.InstallSnapshot:
      return message.snapshot === null ? "" : ` snapshot=${describeSnapshot(message.snapshot)}`;
    case MessageType.TimeoutNow:
      return "";
    default:
      return "";
  }
}

export function describeProgress(progress: ProgressStatus): string {
  let text = `${progress.id}: ${nameOf(ProgressKind, progress.kind)}`;
  text += ` match=${progress.match} next=${progress.next}`;
  if (progress.inflightMessages > 0) text += ` inflight=${progress.inflightMessages}`;
  if (progress.silentTicks > 0) text += ` silent=${progress.silentTicks}`;
  const { stall } = progress;
  if (stall !== null) text += ` stalled=${nameOf(StallCause, stall.cause)}`;
  return progress.regressed ? `${text} REGRESSED` : text;
}

function describeBatch(batch: PersistBatch): string[] {
  const lines: string[] = [];
  const { hardState } = batch;
  let head = `persist #${batch.seq}${batch.mustSync ? " sync" : ""}`;
  if (hardState !== null) {
    head += ` term=${hardState.term} vote=${hardState.vote} commit=${hardState.commit}`;
  }
  lines.push(head);
  if (batch.snapshot !== null) lines.push(`  install ${describeSnapshot(batch.snapshot)}`);
  for (const entry of batch.entries) lines.push(`  ${describeEntry(entry)}`);
  return lines;
}

/** One line per output, in the order in which the host handles them. */
export function describeReady(ready: Ready): string[] {
  const lines: string[] = [];
  if (ready.roleChanged) {
    lines.push(`${describeRole(ready.role)} term=${ready.term} leader=${ready.leader}`);
  }
  for (const message of ready.messages) lines.push(`send ${describeMessage(message)}`);
  if (ready.persist.seq > 0) lines.push(...describeBatch(ready.persist));
  for (const message of ready.messagesAfterPersist) {
    lines.push(`after #${ready.afterPersist} send ${describeMessage(message)}`);
  }
  for (const dropped of ready.dropped) lines.push(`dropped ${dropped.term}/${dropped.index}`);
  for (const entry of ready.committed) lines.push(`apply ${describeEntry(entry)}`);
  for (const read of ready.reads) lines.push(`read ${read.context} at ${read.index}`);
  for (const context of ready.readsDropped) lines.push(`read ${context} dropped`);
  return lines;
}
