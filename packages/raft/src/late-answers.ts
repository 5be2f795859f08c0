// Late answers: a voter that would refuse a pre-vote only because it heard a leader less than T ago
// keeps the request, and answers when it knows better: with a refusal when the leader speaks again,
// with a fresh look when its lease has ended. Without it a candidate that asks a little too early
// waits for a whole new timeout (etcd #10483).
//
// A late grant is the answer that the same question would get at that moment, no promise (thesis
// §9.6), and it holds only as long as its reason: the asker's round stays open for as long as a
// lease can run, so a voter that hears the leader again takes back what it granted. So still a
// majority must miss the leader at one time before anybody raises its term.
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";
import { refuseVote, stepRequest } from "./vote.ts";

/** A leader is there, maybe this member itself. */
export function refuseKept(raft: Raft): void {
  const { kept } = raft;
  if (kept.isEmpty || raft.quiet.active) return;
  for (const request of kept.takeWaiting()) {
    if (isOfPresent(raft, request)) refuseVote(raft, request);
  }
  for (const request of kept.takeGranted()) {
    // Of an older term, its round is over.
    if (request.term > raft.term && isOfPresent(raft, request)) refuseVote(raft, request);
  }
}

/**
 * To be called whenever a lease may have ended. Of several who wait for it one is chosen, by every
 * voter the same: else all of them would be candidates at once, and split the votes.
 */
export function answerLate(raft: Raft): void {
  if (!raft.kept.isWaiting || raft.quiet.active || raft.inLease()) return;
  const requests = raft.kept.takeWaiting().filter((request) => isOfPresent(raft, request));
  requests.sort((a, b) => b.logTerm - a.logTerm || b.index - a.index || a.from - b.from);
  const chosen = requests.find((request) => request.term > raft.term);
  for (const request of requests) {
    if (request === chosen) stepRequest(raft, request);
    else refuseVote(raft, request);
  }
}

/** P5: promises may be made from now on; what asked for some meanwhile is answered. */
export function endQuiet(raft: Raft): void {
  if (!raft.quiet.active) return;
  raft.quiet.end();
  for (const request of raft.kept.takeWaiting()) {
    if (isOfPresent(raft, request)) stepRequest(raft, request);
  }
}

/** The process that asked is still there to hear the answer (P4). */
function isOfPresent(raft: Raft, request: Message): boolean {
  const peer = raft.peers.get(request.from);
  return peer !== null && !peer.regressed && peer.session === request.session;
}
