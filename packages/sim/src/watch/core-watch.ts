// Listens to what goes into and comes out of the core of one process, between it and its host: the
// persist contract, what a leader has its disk write, and the answers that keep it in office.
import {
  type ConfState,
  type Message,
  MessageType,
  type NodeId,
  type RaftNode,
  type Ready,
} from "@quorate/raft";
import { CheckQuorum, type Moment } from "../checkers/check-quorum.ts";
import { holdsEntry } from "../checkers/durable-before-ack.ts";
import {
  type DiskState,
  PersistContract,
  type SeenBatch,
  type SeenReady,
} from "../checkers/persist-contract.ts";
import { QuietStart } from "../checkers/quiet-start.ts";
import type { DurableLog } from "../durable/durable-log.ts";
import type { DurableDisks } from "./durable-disks.ts";
import type { StateCheckers } from "./state-checkers.ts";
import type { WatchedProcess } from "./watched-process.ts";

/** Runs a check inside a process: what it throws ends the run, not the process. */
export type Guard = (check: () => void) => void;

/** What may wait for the disk, as it is told apart on the wire. */
export const parkedTypes: ReadonlySet<MessageType> = new Set([
  MessageType.AppendResponse,
  MessageType.PreVote,
  MessageType.PreVoteResponse,
  MessageType.Vote,
  MessageType.VoteResponse,
]);

/** What only a leader sends. */
const leaderTypes: ReadonlySet<MessageType> = new Set([
  MessageType.AppendEntries,
  MessageType.Heartbeat,
  MessageType.InstallSnapshot,
]);

/** Unless it refuses. */
const promiseTypes: ReadonlySet<MessageType> = new Set([
  MessageType.PreVote,
  MessageType.PreVoteResponse,
  MessageType.Vote,
  MessageType.VoteResponse,
]);

export function messageName(message: Message): string {
  const { type, to, term, number, index, reject } = message;
  return `message ${type} to ${to} of term ${term}: ${number} ${index} ${reject ? "no" : "yes"}`;
}

/** Before the first hello. */
const sessionUnknown = 0;

/** One process. */
export class CoreWatch {
  readonly contract: PersistContract;
  readonly #quorum: CheckQuorum;
  readonly #quiet: QuietStart;
  readonly #watched: WatchedProcess;
  readonly #checkers: StateCheckers;
  readonly #disks: DurableDisks;
  readonly #guard: Guard;
  /** Sizes of what was lent with the last Ready. */
  #lent: readonly number[];
  #wokenUs: number;

  constructor(watched: WatchedProcess, checkers: StateCheckers, disks: DurableDisks, guard: Guard) {
    const { core, incarnation, inside, member } = watched;
    const { electionTimeoutMs, heartbeatIntervalMs, tickMs } = member.config;
    this.contract = new PersistContract(incarnation.name, inside.pump.applied);
    this.#quorum = new CheckQuorum(incarnation.name, core.id, {
      timeoutTicks: core.config.electionTimeoutTicks,
      silenceMsMax: electionTimeoutMs + 2 * heartbeatIntervalMs + tickMs,
    });
    const others = othersOf(core.conf, core.id);
    this.#quiet = new QuietStart(incarnation.name, {
      mustBeQuiet: others.length > 0 && disks.log(member).term > 0,
      timeoutTicks: core.config.electionTimeoutTicks,
    });
    for (const id of others) if (core.peers.sessionOf(id) !== sessionUnknown) this.#quiet.met(id);
    this.#watched = watched;
    this.#checkers = checkers;
    this.#disks = disks;
    this.#guard = guard;
    this.#lent = [];
    this.#wokenUs = 0;
    checkers.appendOnly.writes(incarnation.name, 0, 1, core.log.lastIndex);
    this.#listen(inside.raft);
  }

  #listen(raft: RaftNode): void {
    const takeReady = raft.takeReady.bind(raft);
    raft.takeReady = (into) => {
      this.#guard(() =>
        this.contract.lent(this.#lent, this.#lent.length === 0 ? [] : sizesOf(into)),
      );
      const taken = takeReady(into);
      this.#lent = sizesOf(into);
      if (taken) this.#guard(() => this.#taken(into));
      return taken;
    };
    const persisted = raft.persisted.bind(raft);
    raft.persisted = (seq) => {
      this.#guard(() => this.contract.persisted(seq, this.#disk()));
      persisted(seq);
    };
    const applied = raft.applied.bind(raft);
    raft.applied = (index) => {
      this.#guard(() => this.contract.applied(index));
      applied(index);
    };
    const snapshotCreated = raft.snapshotCreated.bind(raft);
    raft.snapshotCreated = (snapshot) => {
      this.#guard(() => this.contract.checkpointed(snapshot.index, this.#disk()));
      snapshotCreated(snapshot);
    };
    const step = raft.step.bind(raft);
    raft.step = (message) => {
      // A pre-vote speaks of a term to come.
      const { from, term } = message;
      if (term === raft.term()) this.#quorum.heard(from, term, this.#now());
      this.#hearLeader(message);
      return step(message);
    };
    const peerSession = raft.peerSession.bind(raft);
    raft.peerSession = (id, session, term, lastIndex) => {
      this.#quiet.met(id);
      return peerSession(id, session, term, lastIndex);
    };
    const tick = raft.tick.bind(raft);
    raft.tick = () => {
      tick();
      if (raft.isLeader()) this.#guard(() => this.#leadsOn());
    };
  }

  #hearLeader({ type, term, toSession }: Message): void {
    if (!leaderTypes.has(type)) return;
    const { core, session } = this.#watched;
    this.#quiet.ledBy(toSession === session, term, core.term);
  }

  #promises(messages: readonly Message[]): void {
    const { core } = this.#watched;
    for (const message of messages) {
      if (message.reject || !promiseTypes.has(message.type)) continue;
      this.#quiet.promises(messageName(message), core.now, othersOf(core.conf, core.id));
    }
  }

  #taken(ready: Ready): void {
    this.#promises(ready.messages);
    this.#promises(ready.messagesAfterPersist);
    const batch = batchOf(ready);
    this.contract.taken(seenOf(ready, batch));
    const { incarnation, core, inside } = this.#watched;
    const { appendOnly } = this.#checkers;
    if (batch.snapshotIndex > 0) appendOnly.writes(incarnation.name, 0, 1, batch.snapshotIndex);
    if (batch.firstIndex === 0) return;
    const leaderTerm = inside.raft.isLeader() ? core.term : 0;
    appendOnly.writes(incarnation.name, leaderTerm, batch.firstIndex, batch.lastIndex);
  }

  #leadsOn(): void {
    const { core, incarnation } = this.#watched;
    const now = this.#now();
    if (incarnation.wokenUs !== this.#wokenUs) {
      this.#wokenUs = incarnation.wokenUs;
      this.#quorum.disturbed(now.ms);
    }
    this.#quorum.leadsOn(core.term, core.conf, now);
  }

  #now(): Moment {
    const { core, member } = this.#watched;
    return { tick: core.now, ms: member.clock.monotonicMs() };
  }

  #disk(): DiskState {
    return diskStateOf(this.#disks.log(this.#watched.member));
  }
}

/** All other voters, of both halves. */
function othersOf({ voters, votersOutgoing }: ConfState, own: NodeId): readonly NodeId[] {
  return [...voters, ...votersOutgoing].filter((id) => id !== own);
}

function diskStateOf(log: DurableLog): DiskState {
  return {
    term: log.term,
    vote: log.vote,
    holds: (index, term) => holdsEntry(log, index, term === 0 ? null : term),
  };
}

function batchOf({ persist }: Ready): SeenBatch {
  const { seq, mustSync, hardState, snapshot, firstIndex, entries } = persist;
  const last = entries.at(-1);
  return {
    seq,
    mustSync,
    term: hardState?.term ?? 0,
    vote: hardState?.vote ?? 0,
    snapshotIndex: snapshot?.index ?? 0,
    firstIndex,
    lastIndex: last?.index ?? 0,
    lastTerm: last?.term ?? 0,
  };
}

function seenOf(ready: Ready, batch: SeenBatch): SeenReady {
  return {
    batch,
    parked: ready.messagesAfterPersist.map(messageName),
    afterPersist: ready.afterPersist,
    firstCommitted: ready.committed[0]?.index ?? 0,
    lastCommitted: ready.committed.at(-1)?.index ?? 0,
  };
}

function sizesOf(ready: Ready): readonly number[] {
  const { messages, persist, messagesAfterPersist, committed, reads, readsDropped, dropped } =
    ready;
  return [
    messages.length,
    persist.entries.length,
    messagesAfterPersist.length,
    committed.length,
    reads.length,
    readsDropped.length,
    dropped.length,
  ];
}
