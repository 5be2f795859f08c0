// Listens to what members send each other: what is promised there must be on the sender's disk, and
// entries of one name are one.
import {
  type Entry,
  entryBytes,
  type Message,
  MessageType,
  type NodeId,
  Role,
  type Term,
} from "@quorate/raft";
import type { SimCluster } from "../cluster.ts";
import { raftMessagesIn } from "../peer-frames.ts";
import type { SimMember } from "../sim-member.ts";
import { messageName, parkedTypes } from "./core-watch.ts";
import type { DurableDisks } from "./durable-disks.ts";
import type { StampWatch } from "./stamp-watch.ts";
import type { StateCheckers } from "./state-checkers.ts";
import type { WatchedProcesses } from "./watched-process.ts";

const watchedTypes: ReadonlySet<MessageType> = new Set([MessageType.AppendEntries, ...parkedTypes]);

export class WireWatch {
  readonly #cluster: SimCluster;
  readonly #checkers: StateCheckers;
  readonly #disks: DurableDisks;
  readonly #processes: WatchedProcesses;
  readonly #stamps: StampWatch;
  /** Process → member. */
  readonly #members: Map<string, SimMember>;

  constructor(
    cluster: SimCluster,
    checkers: StateCheckers,
    disks: DurableDisks,
    processes: WatchedProcesses,
    stamps: StampWatch,
  ) {
    this.#cluster = cluster;
    this.#members = new Map();
    this.#checkers = checkers;
    this.#disks = disks;
    this.#processes = processes;
    this.#stamps = stamps;
  }

  sent(incarnation: string, bytes: Uint8Array): void {
    for (const message of raftMessagesIn(bytes, watchedTypes)) {
      this.#onMessage(this.#memberOf(incarnation), message);
    }
  }

  #memberOf(incarnation: string): SimMember {
    let member = this.#members.get(incarnation);
    if (member === undefined) {
      member = this.#cluster.member(incarnation.split("#")[0]!);
      this.#members.set(incarnation, member);
    }
    return member;
  }

  #onMessage(member: SimMember, message: Message): void {
    const { durable, votes } = this.#checkers;
    if (parkedTypes.has(message.type)) {
      this.#processes.of(member)?.contract?.sent(messageName(message));
    }
    const { from, term, index } = message;
    switch (message.type) {
      case MessageType.AppendEntries:
        this.#seeEntries(member, message);
        return;
      case MessageType.Vote: {
        const end = { lastIndex: index, lastTerm: message.logTerm };
        votes.asked(from, term, end);
        durable.voteRequested({ from, term, ...end }, this.#disks.log(member));
        return;
      }
      case MessageType.VoteResponse:
        if (!message.reject) this.#seeGrant(member, message);
        return;
      case MessageType.AppendResponse:
        if (!message.reject) this.#seeAcknowledgement(member, message);
        return;
      default:
        return;
    }
  }

  #seeGrant(member: SimMember, { from, to, term }: Message): void {
    const { durable, votes, voteQuorum } = this.#checkers;
    const log = this.#disks.log(member);
    durable.voteGranted(from, to, term, log);
    const { lastIndex } = log;
    votes.granted(from, to, term, { lastIndex, lastTerm: log.termAt(lastIndex) ?? 0 });
    voteQuorum.granted(from, to, term);
  }

  #seeAcknowledgement(member: SimMember, { from, to, term, index }: Message): void {
    const leader = this.#processes.leader(term, to);
    const entryTerm = leader === null ? null : leader.inside.raft.termAt(index);
    const log = this.#disks.log(member);
    this.#checkers.durable.appendAcknowledged(from, term, index, entryTerm, log);
  }

  #seeEntries(member: SimMember, { to, term, logTerm, entries }: Message): void {
    this.#checkers.logs.entriesSeen(logTerm, entries);
    this.#stamps.sent(entries);
    if (entries.length > 0) this.#seeWork(member, to, term, entries);
  }

  #seeWork(member: SimMember, to: NodeId, term: Term, entries: readonly Entry[]): void {
    const watched = this.#processes.of(member);
    if (watched === null || watched.core.term !== term) return;
    const { state, log, config } = watched.core;
    const progress = state.role === Role.Leader ? state.tracker.get(to) : null;
    if (progress === null) return;
    const { match, session } = progress;
    const { name } = watched.incarnation;
    this.#checkers.wastedWork.sent(name, to, {
      bytes: bytesOf(entries),
      match,
      session,
      term,
      nowMs: this.#cluster.world.nowMs,
      breakerBytes: config.futileBytesMax,
      lackBytes: (from) => log.tail.bytesAbove(from),
    });
  }
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
}
