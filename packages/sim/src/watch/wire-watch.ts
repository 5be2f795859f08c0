// Listens to what members send each other: what is promised there must be on the sender's disk, and
// entries of one name are one.
import { crc32c } from "@quorate/base";
import { type Entry, type Message, MessageType } from "@quorate/raft";
import type { SimCluster } from "../cluster.ts";
import { raftMessagesIn } from "../peer-frames.ts";
import type { SimMember } from "../sim-member.ts";
import type { DurableDisks } from "./durable-disks.ts";
import type { StampWatch } from "./stamp-watch.ts";
import type { StateCheckers } from "./state-checkers.ts";
import type { WatchedProcesses } from "./watched-process.ts";

const watchedTypes: ReadonlySet<MessageType> = new Set([
  MessageType.AppendEntries,
  MessageType.AppendResponse,
  MessageType.Vote,
  MessageType.VoteResponse,
]);

export class WireWatch {
  readonly #cluster: SimCluster;
  readonly #checkers: StateCheckers;
  readonly #disks: DurableDisks;
  readonly #processes: WatchedProcesses;
  /** Process → member. */
  readonly #members: Map<string, SimMember>;

  readonly #stamps: StampWatch;

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
    const { durable } = this.#checkers;
    const { from, term, index } = message;
    switch (message.type) {
      case MessageType.AppendEntries:
        this.#seeEntries(message);
        return;
      case MessageType.Vote:
        durable.voteRequested(
          { from, term, lastIndex: index, lastTerm: message.logTerm },
          this.#disks.log(member),
        );
        return;
      case MessageType.VoteResponse:
        if (message.reject) return;
        durable.voteGranted(from, message.to, term, this.#disks.log(member));
        return;
      default:
        if (!message.reject) this.#seeAcknowledgement(member, message);
    }
  }

  #seeAcknowledgement(member: SimMember, { from, to, term, index }: Message): void {
    const leader = this.#processes.leader(term, to);
    const entryTerm = leader === null ? null : leader.inside.raft.termAt(index);
    const log = this.#disks.log(member);
    this.#checkers.durable.appendAcknowledged(from, term, index, entryTerm, log);
  }

  #seeEntries(message: Message): void {
    let previousTerm = message.logTerm;
    for (const entry of message.entries) {
      const { index, term } = entry;
      this.#checkers.logs.entrySeen({ index, term, previousTerm, crc: crcOf(entry) });
      previousTerm = term;
    }
    this.#stamps.sent(message.entries);
  }
}

function crcOf(entry: Entry): number {
  const seed = entry.kind * 31 + entry.level * 7 + (entry.wallMs % 1_000_003);
  return crc32c(entry.payload, 0, entry.payload.length, seed >>> 0);
}
