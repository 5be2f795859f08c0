// What goes to each follower: a probe, a stream of appends within its window, or a snapshot. Runs
// when a Ready is taken, so that everything proposed in a turn goes in one append per follower; the
// slices are shared, so that followers at the same index get the same array and the host encodes it
// once.
import { isMember } from "./confchange/change.ts";
import { entryBytes } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { MessageType } from "./message.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";
import type { LeaderState } from "./roles/role-state.ts";
import { ProgressKind } from "./status.ts";
import type { Progress } from "./tracker/progress.ts";
import type { Index, SnapshotMeta } from "./types.ts";

class Slice {
  readonly first: Index;
  readonly entries: readonly Entry[];
  readonly bytes: number;

  constructor(first: Index, entries: readonly Entry[]) {
    this.first = first;
    this.entries = entries;
    let bytes = 0;
    for (let i = 0; i < entries.length; i++) bytes += entryBytes(entries[i]!);
    this.bytes = bytes;
  }
}

export function sendAppends(raft: Raft, leader: LeaderState): void {
  leader.appendsDue = false;
  const slices: Slice[] = [];
  const all = leader.tracker.all;
  for (let i = 0; i < all.length; i++) {
    const progress = all[i]!;
    if (progress.id !== raft.id && !progress.regressed) sendTo(raft, progress, slices);
  }
}

function sendTo(raft: Raft, progress: Progress, slices: Slice[]): void {
  const { log } = raft;
  const { breaker } = progress;
  while (!progress.isPaused() && breaker.mayAppend(raft.now)) {
    const isProbe = progress.kind === ProgressKind.Probe;
    if (progress.next > log.lastIndex && !isProbe) break;
    const logTerm = log.tail.termAt(progress.next - 1);
    if (logTerm === null) {
      maybeSendSnapshot(raft, progress);
      return;
    }
    const append = startAppend(raft, progress, logTerm);
    let bytes = 0;
    if (progress.next <= log.lastIndex && !progress.probeRepeated) {
      const slice = sliceAt(raft, slices, progress.next);
      append.entries = slice.entries;
      bytes = slice.bytes;
    }
    finishAppend(raft, progress, append, bytes);
  }
  const tellable = Math.min(log.committed, progress.next - 1);
  const isBehind = progress.kind === ProgressKind.Replicate && tellable > progress.sentCommit;
  if (isBehind && breaker.mayAppend(raft.now)) sendEmptyAppend(raft, progress);
}

/**
 * Without entries: tells a commit index, or finds out whether appends were lost (lesson 41). Also
 * when the window is full; takes no place in it. False: the place is compacted, nothing was sent.
 */
export function sendEmptyAppend(raft: Raft, progress: Progress): boolean {
  const logTerm = raft.log.tail.termAt(progress.next - 1);
  if (logTerm === null) return false;
  finishAppend(raft, progress, startAppend(raft, progress, logTerm), 0);
  return true;
}

function startAppend(raft: Raft, progress: Progress, logTerm: number): Message {
  const append = raft.request(MessageType.AppendEntries, progress.id);
  append.index = progress.next - 1;
  append.logTerm = logTerm;
  append.commit = raft.log.committed;
  return append;
}

function finishAppend(raft: Raft, progress: Progress, append: Message, bytes: number): void {
  const last = append.index + append.entries.length;
  progress.sentEntries(last, bytes);
  const { breaker } = progress;
  const isMuch = breaker.sent(bytes, raft.now);
  if (isMuch) breaker.lacks(raft.log.tail.bytesAbove(breaker.floor), raft.now);
  progress.sentCommit = Math.max(progress.sentCommit, Math.min(append.commit, last));
  raft.send(append);
}

function sliceAt(raft: Raft, slices: Slice[], first: Index): Slice {
  for (let i = 0; i < slices.length; i++) {
    if (slices[i]!.first === first) return slices[i]!;
  }
  const slice = new Slice(first, raft.log.tail.slice(first, raft.config.messageBytesMax));
  slices.push(slice);
  return slice;
}

/**
 * The follower needs what is compacted. Without a snapshot that helps, when it has not answered lately,
 * or when others have just failed, it stays a paused probe and is looked at again with its next answer
 * (lessons 42, 45).
 */
function maybeSendSnapshot(raft: Raft, progress: Progress): void {
  const { snapshot } = raft;
  const isActive = raft.now - progress.lastAnswerTick <= raft.config.electionTimeoutTicks;
  const mayTry = isActive && progress.breaker.maySendSnapshot(raft.now);
  if (!mayTry || snapshot === null || !helps(raft, progress, snapshot)) {
    if (progress.kind !== ProgressKind.Probe) progress.becomeProbe();
    progress.probeSent = true;
    return;
  }
  progress.becomeSnapshot(snapshot.index);
  const message = raft.request(MessageType.InstallSnapshot, progress.id);
  raft.transferNumber++;
  message.number = raft.transferNumber;
  message.snapshot = snapshot;
  raft.send(message);
}

/** It reaches to our log, is new to the follower, and names it as a member (lesson 43). */
function helps(raft: Raft, progress: Progress, snapshot: SnapshotMeta): boolean {
  return (
    snapshot.index >= raft.log.tail.baseIndex &&
    snapshot.index > progress.match &&
    isMember(snapshot.confState, progress.id)
  );
}
