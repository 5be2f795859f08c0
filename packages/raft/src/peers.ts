// What this process knows of the other processes, whatever its own role: sessions, promises that
// they gave it, clocks, false alarms. Lives as long as the process; a leader's view of logs is in
// tracker/.
import { sessionUnknown } from "./types.ts";
import type { Index, NodeId, Session, Term } from "./types.ts";

/** Ids that ever spoke to this process. Members only, in practice; a bound for what else may come. */
const peersMax = 4096;

export class Peer {
  readonly id: NodeId;
  /** Of its process, as its hello (or, without one, its first message) told it. */
  session: Session;
  /** Its disk forgot a promise: nothing it says counts any more under this raft id (P3, P4). */
  regressed: boolean;
  /** Highest term in which it granted or acknowledged anything to this process. */
  promisedTerm: Term;
  /** Its newest clock reading, ms since 1970, and the tick at which it came; 0: none yet (P11). */
  wallMs: number;
  wallTick: number;
  /** Applied by it, and durably known there to be committed (P2). */
  applied: Index;
  /** Ends of its connections are not believed before this tick (P6). */
  distrustUntilTick: number;
  /** Length of the last such period; 0: none since its session began. */
  distrustTicks: number;
  /** As successor, by the host's judgement; the larger goes first, 0 if it has none. */
  preference: number;

  constructor(id: NodeId) {
    this.id = id;
    this.session = sessionUnknown;
    this.regressed = false;
    this.promisedTerm = 0;
    this.wallMs = 0;
    this.wallTick = 0;
    this.applied = 0;
    this.distrustUntilTick = 0;
    this.distrustTicks = 0;
    this.preference = 0;
  }
}

export class Peers {
  readonly #peers: Map<NodeId, Peer>;

  constructor() {
    this.#peers = new Map();
  }

  get(id: NodeId): Peer | null {
    return this.#peers.get(id) ?? null;
  }

  /** Null when there is no room for another stranger. */
  getOrAdd(id: NodeId): Peer | null {
    const known = this.#peers.get(id);
    if (known !== undefined) return known;
    if (this.#peers.size >= peersMax) return null;
    const peer = new Peer(id);
    this.#peers.set(id, peer);
    return peer;
  }

  sessionOf(id: NodeId): Session {
    const peer = this.#peers.get(id);
    return peer === undefined ? sessionUnknown : peer.session;
  }
}
