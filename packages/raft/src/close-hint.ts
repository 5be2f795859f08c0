// The close hint (P6): evidence that the leader's process is dead lets followers elect at once
// instead of after an election timeout. Keeps the evidence, when the own candidacy is due, and the
// memory of false alarms that bounds what a blinking proxy can do. Gathering evidence is the host's
// part; what it allows is asked by the roles.
//
// When a candidacy is due is a matter of liveness alone, as with election timers. All followers may
// have the evidence within less than a message needs between them, so they take turns: by rank if
// the leader told ranks (succession.ts), else by chance; and give way to each other (vote.ts).
import type { RaftConfig } from "./config.ts";
import type { Peer } from "./peers.ts";
import { nobody, sessionUnknown } from "./types.ts";
import type { NodeId, Session } from "./types.ts";

/** A first round in vain is repeated after U(a third of it, all of it). */
const retryWindowMs = 150;
const doublingsMax = 16;
const distrustFirstMs = 60_000;
const distrustMaxMs = 3_600_000;

export class CloseHint {
  readonly #config: RaftConfig;
  /** The leader that is held for dead, and its process; nobody: no evidence. */
  leader: NodeId;
  session: Session;
  /** Own candidacy is due at this tick. */
  campaignTick: number;
  /**
   * The newest evidence, kept when it has ended otherwise: if that very process speaks again it was
   * a false alarm, also when a new leader has been elected on it.
   */
  #lastLeader: NodeId;
  #lastSession: Session;
  /** Own rounds on this evidence that were refused or split. */
  #roundsLost: number;

  constructor(config: RaftConfig) {
    this.#config = config;
    this.leader = nobody;
    this.session = sessionUnknown;
    this.campaignTick = 0;
    this.#lastLeader = nobody;
    this.#lastSession = sessionUnknown;
    this.#roundsLost = 0;
  }

  get active(): boolean {
    return this.leader !== nobody;
  }

  /** A closed connection of a peer that has blinked is no evidence for a while. */
  isTrusted(peer: Peer, now: number): boolean {
    return now >= peer.distrustUntilTick;
  }

  /** `rank`: the own place in the order of succession to that leader; 0: none. */
  begin(leader: NodeId, session: Session, rank: number, now: number): void {
    this.leader = leader;
    this.session = session;
    this.#lastLeader = leader;
    this.#lastSession = session;
    this.#roundsLost = 0;
    const { closeHintBaseTicks, closeHintSpreadTicks } = this.#config;
    const { electionRankJitterTicks, random } = this.#config;
    const spread = rank > 0 ? electionRankJitterTicks : closeHintSpreadTicks;
    const turn = rank > 0 ? (rank - 1) * this.#turnTicks : 0;
    this.campaignTick = now + closeHintBaseTicks + turn + random.below(spread + 1);
  }

  /** A new leader is known: the evidence has served. */
  end(): void {
    this.leader = nobody;
    this.session = sessionUnknown;
  }

  /** An own round was refused or split: try later. */
  roundLost(now: number): void {
    this.campaignTick = now + this.#retryTicks();
    this.#roundsLost++;
  }

  /** Another candidate is given its chance. */
  giveWay(now: number): void {
    if (!this.active) return;
    const turn = this.#turnTicks;
    const wait = turn > 0 ? turn + this.#config.random.below(turn + 1) : this.#retryTicks();
    this.postpone(now + wait);
  }

  /** The own candidacy is due at `tick`, unless it is due later anyway. */
  postpone(tick: number): void {
    this.campaignTick = Math.max(this.campaignTick, tick);
  }

  /**
   * Between the turns of ranked successors. A slot covers a round trip. The evidence (an end, a dial,
   * its refusal) is here up to three ways later than there, and the request comes a fourth way after.
   */
  get #turnTicks(): number {
    return 2 * this.#config.electionRankSlotTicks;
  }

  /** The window doubles, up to that of election timers: at first it may be less than a round trip. */
  #retryTicks(): number {
    const { electionTimeoutRandomizationTicks, random } = this.#config;
    const first = Math.max(this.#ticks(retryWindowMs), this.#turnTicks);
    const most = Math.max(first, electionTimeoutRandomizationTicks);
    const window = Math.min(first * 2 ** Math.min(this.#roundsLost, doublingsMax), most);
    const least = Math.floor(window / 3);
    return least + random.below(window - least + 1);
  }

  /** A message of `session`: if it was held for dead, it was a false alarm. */
  heard(peer: Peer, session: Session, now: number): void {
    if (peer.id !== this.#lastLeader || session !== this.#lastSession) return;
    this.end();
    this.#lastLeader = nobody;
    this.#lastSession = sessionUnknown;
    const longest = this.#ticks(distrustMaxMs);
    const next = peer.distrustTicks === 0 ? this.#ticks(distrustFirstMs) : 2 * peer.distrustTicks;
    peer.distrustTicks = Math.min(next, longest);
    peer.distrustUntilTick = now + peer.distrustTicks;
  }

  /** A new process of this peer: what its predecessor's connections did says nothing about it. */
  forgive(peer: Peer): void {
    peer.distrustTicks = 0;
    peer.distrustUntilTick = 0;
  }

  #ticks(ms: number): number {
    return Math.ceil(ms / this.#config.tickMs);
  }
}
