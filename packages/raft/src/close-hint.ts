// The close hint (P6): evidence that the leader's process is dead lets followers elect at once
// instead of after an election timeout. Keeps the evidence, when the own candidacy is due, and the
// memory of false alarms that bounds what a blinking proxy can do. Gathering evidence is the host's
// part; what it allows is asked by the roles.
import type { RaftConfig } from "./config.ts";
import type { Peer } from "./peers.ts";
import { nobody, sessionUnknown } from "./types.ts";
import type { NodeId, Session } from "./types.ts";

const retryBaseMs = 50;
const retrySpreadMs = 100;
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

  constructor(config: RaftConfig) {
    this.#config = config;
    this.leader = nobody;
    this.session = sessionUnknown;
    this.campaignTick = 0;
    this.#lastLeader = nobody;
    this.#lastSession = sessionUnknown;
  }

  get active(): boolean {
    return this.leader !== nobody;
  }

  /** A closed connection of a peer that has blinked is no evidence for a while. */
  isTrusted(peer: Peer, now: number): boolean {
    return now >= peer.distrustUntilTick;
  }

  begin(leader: NodeId, session: Session, now: number): void {
    this.leader = leader;
    this.session = session;
    this.#lastLeader = leader;
    this.#lastSession = session;
    const { closeHintBaseTicks, closeHintSpreadTicks, random } = this.#config;
    this.campaignTick = now + closeHintBaseTicks + random.below(closeHintSpreadTicks + 1);
  }

  /** A new leader is known: the evidence has served. */
  end(): void {
    this.leader = nobody;
    this.session = sessionUnknown;
  }

  /** A round was refused or split, or another candidate was given its chance: try later. */
  defer(now: number): void {
    const base = this.#ticks(retryBaseMs);
    const spread = this.#ticks(retrySpreadMs);
    this.campaignTick = now + base + this.#config.random.below(spread + 1);
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
