// Leads what happens in a cluster to the checkers: after every event it looks at the members that
// ran in it, and it listens on the wire, on apply and on replies. It changes nothing, draws only
// from its own stream, and turns the first violation into the end of the run.
import { crc32c } from "@quorate/base";
import type { HostInside } from "@quorate/host";
import { type AppliedOperation, CompactionRequest, type KvApi } from "@quorate/kv";
import { type Entry, type Message, MessageType } from "@quorate/raft";
import { type CommittedEntry, CommittedLog, otherKind } from "./checkers/committed-log.ts";
import { DigestEquality } from "./checkers/digest-equality.ts";
import { DurableBeforeAck, type DurableView } from "./checkers/durable-before-ack.ts";
import { ElectionSafety } from "./checkers/election-safety.ts";
import { FrontierOrder } from "./checkers/frontiers.ts";
import { LeaderCompleteness } from "./checkers/leader-completeness.ts";
import { LogMatching } from "./checkers/log-matching.ts";
import { OneGenesis } from "./checkers/one-genesis.ts";
import { demand } from "./checkers/violation.ts";
import type { ClientOperation } from "./client/history.ts";
import type { SimCluster } from "./cluster.ts";
import { UnsyncedFate } from "./disk/sim-file.ts";
import { durableImage } from "./durable-image.ts";
import { replyText } from "./model/reply-text.ts";
import { raftMessagesIn } from "./peer-frames.ts";
import { EndKind, type SimProcess } from "./sim-env.ts";
import type { SimMember } from "./sim-member.ts";
import type { SimRandom } from "./sim-random.ts";

export interface WatchOptions {
  /** Append answers and client replies whose durability is checked: one in so many. */
  readonly durableSample: number;
}

/** What is remembered of one process between two looks. */
class Seen {
  readonly incarnation: SimProcess;
  readonly inside: HostInside;
  /** Applied in this event, to be judged at its end. */
  readonly applies: CommittedEntry[];
  leaderTerm: number;
  applied: number;

  constructor(incarnation: SimProcess, inside: HostInside) {
    this.incarnation = incarnation;
    this.inside = inside;
    this.applies = [];
    this.leaderTerm = 0;
    this.applied = -1;
  }
}

interface CachedView {
  readonly version: string;
  readonly view: DurableView;
}

const watchedTypes: ReadonlySet<MessageType> = new Set([
  MessageType.AppendEntries,
  MessageType.AppendResponse,
  MessageType.Vote,
  MessageType.VoteResponse,
]);

export class Watch {
  readonly cluster: SimCluster;
  readonly committed: CommittedLog;
  readonly elections: ElectionSafety;
  readonly logs: LogMatching;
  readonly completeness: LeaderCompleteness;
  readonly frontiers: FrontierOrder;
  readonly digests: DigestEquality;
  readonly genesis: OneGenesis;
  readonly durable: DurableBeforeAck;
  /** Members whose end with an exit code is expected now; others' is a violation. */
  readonly mayExit: Set<string>;
  readonly #options: WatchOptions;
  readonly #random: SimRandom;
  readonly #seen: Map<string, Seen>;
  readonly #views: Map<string, CachedView>;
  /** Revision → index and term of the entry that made it. */
  readonly #revisions: Map<number, { readonly index: number; readonly term: number }>;
  #violation: Error | null;
  #deaths: number;

  constructor(cluster: SimCluster, options: WatchOptions) {
    this.cluster = cluster;
    this.committed = new CommittedLog();
    this.elections = new ElectionSafety();
    this.logs = new LogMatching();
    this.completeness = new LeaderCompleteness(this.committed);
    this.frontiers = new FrontierOrder();
    this.digests = new DigestEquality();
    this.genesis = new OneGenesis();
    this.durable = new DurableBeforeAck();
    this.mayExit = new Set();
    this.#options = options;
    this.#random = cluster.world.random("watch");
    this.#seen = new Map();
    this.#views = new Map();
    this.#revisions = new Map();
    this.#violation = null;
    this.#deaths = 0;
    cluster.network.onSend = (from, _to, bytes) =>
      this.#guard(() => this.#onSend(from.name, bytes));
    cluster.onReply = (member, operation, bytes) =>
      this.#guard(() => this.#onReply(member, operation, bytes));
    cluster.world.afterEvent.push(() => this.#look());
  }

  // Inside a process nothing may be thrown: it would look like the process's own failure.
  #guard(check: () => void): void {
    if (this.#violation !== null) return;
    try {
      check();
    } catch (error) {
      this.#violation = error as Error;
    }
  }

  #look(): void {
    for (const member of this.cluster.members) {
      const { incarnation } = member;
      if (incarnation === null || !incarnation.ran) continue;
      incarnation.ran = false;
      if (this.#violation === null) this.#lookAt(member, incarnation);
    }
    if (this.#violation !== null) throw this.#violation;
  }

  #lookAt(member: SimMember, incarnation: SimProcess): void {
    if (incarnation.failure !== null) throw incarnation.failure;
    this.#checkExit(member, incarnation);
    let seen = this.#seen.get(member.name);
    if (seen === undefined || seen.incarnation !== incarnation) {
      const inside = incarnation.alive ? (member.host?.inside() ?? null) : null;
      if (inside === null) return;
      seen = new Seen(incarnation, inside);
      this.#seen.set(member.name, seen);
      this.#listen(seen);
      this.#seeGenesis(member);
    }
    for (const entry of seen.applies) {
      this.committed.applied(incarnation.name, seen.inside.raft.term(), entry);
    }
    seen.applies.length = 0;
    if (incarnation.alive) this.#lookInside(seen);
  }

  // Raft runs: the genesis it stands on must have become durable before.
  #seeGenesis(member: SimMember): void {
    const { genesis } = this.#image(member, UnsyncedFate.Drop);
    demand(
      genesis !== null,
      "P1 one genesis",
      () => `${member.name} runs Raft, and its disk knows of no started genesis`,
    );
    this.genesis.started(member.name, genesis);
  }

  #checkExit(member: SimMember, incarnation: SimProcess): void {
    if (incarnation.alive || incarnation.end !== EndKind.Exited) return;
    demand(
      incarnation.exitCode === null || this.mayExit.has(member.name),
      "unexpected exit",
      () =>
        `${incarnation.name} ended with exit code ${incarnation.exitCode}: ${incarnation.reason}`,
    );
  }

  #lookInside(seen: Seen): void {
    const { incarnation, inside } = seen;
    const { raft } = inside;
    if (raft.isLeader() && raft.term() !== seen.leaderTerm) {
      seen.leaderTerm = raft.term();
      this.#elected(seen);
    }
    const status = raft.status();
    this.frontiers.seen(incarnation.name, {
      term: status.term,
      snapshotIndex: status.firstIndex - 1,
      applied: inside.pump.applied,
      committed: status.committed,
      lastIndex: status.lastIndex,
      durableIndex: status.durableIndex,
      installing: !inside.pump.scanned,
    });
    if (inside.pump.applied === seen.applied) return;
    // Until the rows are scanned the state machine does not hold what it counts as applied.
    if (!inside.pump.scanned) return;
    seen.applied = inside.pump.applied;
    this.#compareDigests(seen);
  }

  #compareDigests(seen: Seen): void {
    const live = seen.inside.kv.liveDigest();
    const apply = seen.inside.kv.applyDigest();
    this.digests.seen(seen.incarnation.name, seen.applied, {
      liveLow: live.low,
      liveHigh: live.high,
      applyLow: apply.low,
      applyHigh: apply.high,
    });
  }

  #elected(seen: Seen): void {
    const { raft } = seen.inside;
    const status = raft.status();
    this.elections.leaderSeen(status.term, status.id);
    this.completeness.elected(status.id, status.term, {
      firstIndex: status.firstIndex,
      lastIndex: status.lastIndex,
      termAt: (index) => raft.termAt(index),
    });
  }

  // ---- apply ------------------------------------------------------------------------------------

  /** Every entry that this process applies, in order. */
  #listen(seen: Seen): void {
    const kv: KvApi = seen.inside.kv;
    const apply = kv.apply.bind(kv);
    const skip = kv.skip.bind(kv);
    kv.apply = (operation, wantReply, headerTerm) => {
      const before = kv.revision;
      const reply = apply(operation, wantReply, headerTerm);
      seen.applies.push(committedOf(operation));
      if (kv.revision > before) {
        const { index, term } = operation;
        this.#revisions.set(kv.revision, { index, term });
      }
      return reply;
    };
    kv.skip = (index, term) => {
      skip(index, term);
      seen.applies.push({
        index,
        term,
        kind: otherKind,
        level: 0,
        wallMs: 0,
        payload: new Uint8Array(0),
      });
    };
  }

  // ---- wire and replies -------------------------------------------------------------------------

  #onSend(processName: string, bytes: Uint8Array): void {
    for (const message of raftMessagesIn(bytes, watchedTypes)) {
      const member = this.cluster.member(processName.split("#")[0]!);
      this.#onMessage(member, message);
    }
  }

  #onMessage(member: SimMember, message: Message): void {
    switch (message.type) {
      case MessageType.AppendEntries:
        this.#seeEntries(message);
        return;
      case MessageType.Vote:
        this.durable.voteRequested(
          {
            from: message.from,
            term: message.term,
            lastIndex: message.index,
            lastTerm: message.logTerm,
          },
          this.#view(member),
        );
        return;
      case MessageType.VoteResponse:
        if (message.reject) return;
        this.durable.voteGranted(message.from, message.to, message.term, this.#view(member));
        return;
      default:
        this.#seeAnswer(member, message);
    }
  }

  #seeAnswer(member: SimMember, message: Message): void {
    if (message.reject || !this.#random.chance(1 / this.#options.durableSample)) return;
    const { from, term, index } = message;
    const leader = this.#leaderOf(term, message.to);
    const entryTerm = leader === null ? null : leader.termAt(index);
    this.durable.appendAcknowledged(from, term, index, entryTerm, this.#view(member));
  }

  #leaderOf(term: number, id: number): HostInside["raft"] | null {
    for (const seen of this.#seen.values()) {
      const { raft } = seen.inside;
      if (!seen.incarnation.alive || raft.term() !== term || !raft.isLeader()) continue;
      if (raft.status().id === id) return raft;
    }
    return null;
  }

  #seeEntries(message: Message): void {
    let previousTerm = message.logTerm;
    for (const entry of message.entries) {
      const { index, term } = entry;
      this.logs.entrySeen({ index, term, previousTerm, crc: crcOf(entry) });
      previousTerm = term;
    }
  }

  #onReply(member: SimMember, operation: ClientOperation, bytes: Uint8Array): void {
    if (operation.request instanceof CompactionRequest) return;
    const reply = replyText(operation.kind, bytes);
    if (!reply.changed || !this.#random.chance(1 / this.#options.durableSample)) return;
    const entry = this.#revisions.get(reply.revision);
    demand(
      entry !== undefined,
      "S7 durable before ack",
      () => `${member.name} says OK at revision ${reply.revision}, which nobody has applied`,
    );
    const views = this.cluster.members.map((other) => this.#view(other));
    const quorum = Math.floor(views.length / 2) + 1;
    this.durable.writeAcknowledged(entry.index, entry.term, views, quorum);
  }

  // ---- disks ------------------------------------------------------------------------------------

  /** The worst that a power loss now could leave; recovered anew only when the disk has synced. */
  #view(member: SimMember): DurableView {
    const version = `${member.disk.syncs} ${member.boots} ${this.#deaths}`;
    const cached = this.#views.get(member.name);
    if (cached !== undefined && cached.version === version) return cached.view;
    const view = this.#image(member, UnsyncedFate.Drop).view;
    this.#views.set(member.name, { version, view });
    return view;
  }

  #image(member: SimMember, fate: UnsyncedFate): ReturnType<typeof durableImage> {
    const image = durableImage(member.disk, member.config, fate, 1);
    demand(
      image.refusal === null || this.mayExit.has(member.name),
      "honest disks start",
      () => `after a power loss now ${member.name} would refuse to start: ${image.refusal}`,
    );
    return image;
  }

  /** A process has ended: what its disk holds may have changed without a sync. */
  onEnd(incarnation: SimProcess): void {
    this.#deaths++;
    this.frontiers.gone(incarnation.name);
  }
}

function committedOf(operation: AppliedOperation): CommittedEntry {
  return {
    index: operation.index,
    term: operation.term,
    kind: operation.kind,
    level: operation.level,
    wallMs: operation.wallMs,
    payload: operation.payload.slice(),
  };
}

function crcOf(entry: Entry): number {
  const seed = entry.kind * 31 + entry.level * 7 + (entry.wallMs % 1_000_003);
  return crc32c(entry.payload, 0, entry.payload.length, seed >>> 0);
}
