// Looks for entries about leases: when each was applied first, and who appends revokes of leases whose time
// is up. Costs nothing while there are no leases.
import { decodeLeaseRevoke, OperationKind, RevokeCause } from "@quorate/kv";
import { MessageType } from "@quorate/raft";
import type { Entry } from "@quorate/raft";
import type { CommittedLog } from "../checkers/committed-log.ts";
import { LeaseRevokes } from "../checkers/lease-revokes.ts";
import { readEnvelope } from "../model/envelope-model.ts";
import { isLeaseKind } from "../model/lease-model.ts";
import { numberOfLease } from "../model/lease-number.ts";
import { raftMessagesIn } from "../peer-frames.ts";
import type { World } from "../world.ts";
import type { WatchedProcess } from "./watched-process.ts";

const answers: ReadonlySet<MessageType> = new Set([
  MessageType.HeartbeatResponse,
  MessageType.AppendResponse,
]);
const entriesBytesMax = 1 << 20;
/** Readings of a leader's clock: so far apart, and so many. */
const sampleMs = 5;
const samplesMax = 4_000;

/** What is known of a process while it leads. */
interface Leading {
  /** Of its log, at the last look. */
  lastIndex: number;
  /** Its clock and the world's, ascending: it may drift, and stand still while its machine sleeps. */
  samples: { readonly ownMs: number; readonly worldUs: number }[];
}

export class LeaseWatch {
  readonly revokes: LeaseRevokes;
  readonly #world: World;
  readonly #committed: CommittedLog;
  /** Index of an entry about leases → when the first member applied it. */
  readonly #appliedUs: Map<number, number>;
  #seenIndex: number;
  /** By process. */
  readonly #leading: Map<string, Leading>;

  constructor(world: World, committed: CommittedLog) {
    this.revokes = new LeaseRevokes();
    this.#world = world;
    this.#committed = committed;
    this.#appliedUs = new Map();
    this.#seenIndex = 0;
    this.#leading = new Map();
  }

  appliedUs(index: number): number {
    return this.#appliedUs.get(index) ?? Infinity;
  }

  /** Inside a process. */
  sent(bytes: Uint8Array): void {
    if (this.#appliedUs.size === 0) return;
    for (const { from, to, term } of raftMessagesIn(bytes, answers)) {
      this.revokes.followed(from, to, term, this.#world.nowUs);
    }
  }

  look(watched: WatchedProcess): void {
    for (; this.#seenIndex < this.#committed.lastIndex; this.#seenIndex++) {
      const { index, kind } = this.#committed.at(this.#seenIndex + 1);
      if (isLeaseKind(kind)) this.#appliedUs.set(index, this.#world.nowUs);
    }
    if (this.#appliedUs.size > 0) this.#lookAtLog(watched);
  }

  #lookAtLog(watched: WatchedProcess): void {
    const { name } = watched.incarnation;
    const { raft } = watched.inside;
    if (!watched.alive || !raft.isLeader()) {
      this.#leading.delete(name);
      return;
    }
    const last = raft.lastIndex();
    const leading = this.#leading.get(name) ?? { lastIndex: last, samples: [] };
    this.#leading.set(name, leading);
    this.#sample(leading, watched.member.clock.monotonicMs());
    const before = leading.lastIndex;
    leading.lastIndex = last;
    if (last <= before) return;
    for (const entry of raft.entries(before + 1, last, entriesBytesMax)) {
      if (entry.kind === OperationKind.LeaseRevoke) this.#lookAtRevoke(watched, leading, entry);
    }
  }

  #sample({ samples }: Leading, ownMs: number): void {
    const newest = samples.at(-1);
    if (newest !== undefined && ownMs - newest.ownMs < sampleMs) return;
    samples.push({ ownMs, worldUs: this.#world.nowUs });
    if (samples.length > samplesMax) samples.splice(0, samplesMax / 2);
  }

  #lookAtRevoke(watched: WatchedProcess, { samples }: Leading, { term, payload }: Entry): void {
    const command = decodeLeaseRevoke(payload, readEnvelope(payload).at);
    if (command === null || command.cause !== RevokeCause.Expired) return;
    const { member, inside, core, raftId } = watched;
    const expiryMs = inside.leases.lessor.expiryMs(command.id);
    const nowMs = member.clock.monotonicMs();
    // The last reading before its end; of what ended before the first one nobody can tell.
    const before = samples.findLast(({ ownMs }) => ownMs <= (expiryMs ?? 0));
    this.revokes.appended({
      leader: watched.incarnation.name,
      raftId,
      term,
      recordTerm: command.term,
      lease: numberOfLease(command.id),
      conf: core.conf,
      overdueMs: expiryMs === null ? null : nowMs - expiryMs,
      dueUs: before?.worldUs ?? 0,
    });
  }
}
