// Who has heard a raft id, and how long ago: before a leader gives its place to another disk it asks the
// other voters (P3). An answer counts for the round that it answers and no other (P4).
import type { NodeId } from "@quorate/raft";
import type { Clock } from "@quorate/storage";
import type { Outbound } from "./outbound.ts";
import type { PeerLink } from "./peer-link.ts";
import type { Heard, SilenceApi } from "./peers-api.ts";
import type { Remote } from "./remote.ts";
import type { SilenceAnswer, SilenceAsk } from "./silence-codec.ts";

interface Round {
  readonly number: number;
  readonly answers: Map<NodeId, Heard>;
}

export class Silence implements SilenceApi {
  readonly #clock: Clock;
  readonly #outbound: Outbound;
  /** Those of its process that stand, in either direction. */
  readonly #linksOf: (remote: Remote) => readonly PeerLink[];
  readonly #startedMs: number;
  /** By the raft id that is asked about. */
  readonly #rounds: Map<NodeId, Round>;
  #last: number;

  constructor(clock: Clock, outbound: Outbound, linksOf: (remote: Remote) => readonly PeerLink[]) {
    this.#clock = clock;
    this.#outbound = outbound;
    this.#linksOf = linksOf;
    this.#startedMs = clock.monotonicMs();
    this.#rounds = new Map();
    this.#last = 0;
  }

  of(raftId: NodeId): Heard {
    const remote = this.#outbound.remotes.get(raftId);
    const links = remote === undefined ? [] : this.#linksOf(remote);
    const ended = Math.max(this.#startedMs, remote?.heardMs ?? 0);
    const heardMs = Math.max(ended, ...links.map((link) => link.heardMs));
    const silentMs = Math.max(0, this.#clock.monotonicMs() - heardMs);
    return { silentMs, address: links[0]?.remote ?? "" };
  }

  ask(raftId: NodeId, of: readonly NodeId[]): void {
    this.#last++;
    this.#rounds.set(raftId, { number: this.#last, answers: new Map() });
    this.#outbound.askSilence(of, { round: this.#last, raftId });
  }

  answers(raftId: NodeId): ReadonlyMap<NodeId, Heard> {
    return this.#rounds.get(raftId)?.answers ?? noAnswers;
  }

  forget(raftId: NodeId): void {
    this.#rounds.delete(raftId);
  }

  /** A session of a peer asks. */
  asked(by: Remote, { round, raftId }: SilenceAsk): void {
    const heard = this.of(raftId);
    this.#outbound.answerSilence(by.raftId, { toSession: by.session, round, raftId, ...heard });
  }

  answered(from: NodeId, { raftId, round, silentMs, address }: SilenceAnswer): void {
    const present = this.#rounds.get(raftId);
    if (present?.number === round) present.answers.set(from, { silentMs, address });
  }
}

const noAnswers: ReadonlyMap<NodeId, Heard> = new Map();
