// The round that the first by name drives (P1): who has answered with which raft id, what is offered,
// who has confirmed. Memory of one process only; what must survive Genesis writes.
import type { NodeId } from "@quorate/raft";
import type { GenesisRecord } from "../peers/peers-api.ts";
import type { Listed } from "./member-list.ts";

export class Founding {
  readonly #self: string;
  readonly #others: readonly Listed[];
  /** Raft ids that the present processes of the others answered with. */
  readonly #answers: Map<string, NodeId>;
  /** Durable here; null while answers are missing. */
  #offer: GenesisRecord | null;
  readonly #confirmed: Set<string>;

  constructor(self: string, others: readonly Listed[]) {
    this.#self = self;
    this.#others = others;
    this.#answers = new Map();
    this.#offer = null;
    this.#confirmed = new Set();
  }

  get offer(): GenesisRecord | null {
    return this.#offer;
  }

  /** Those whose word the round waits for. */
  get missing(): readonly Listed[] {
    return this.#others.filter(({ memberId }) =>
      this.#offer === null ? !this.#answers.has(memberId) : !this.#confirmed.has(memberId),
    );
  }

  get allAnswered(): boolean {
    return this.#offer === null && this.missing.length === 0;
  }

  get allConfirmed(): boolean {
    return this.#offer !== null && this.missing.length === 0;
  }

  /** A member says its raft id. One that the offer names otherwise starts the round anew. */
  answered(memberId: string, raftId: NodeId): void {
    if (this.#offer !== null && this.raftIdOf(memberId) !== raftId) this.anew();
    if (this.#offer === null) this.#answers.set(memberId, raftId);
  }

  /** The raft id on which the round counts; 0: none yet. */
  raftIdOf(memberId: string): NodeId {
    return this.#answers.get(memberId) ?? 0;
  }

  confirmed(memberId: string, genesisId: number): void {
    if (this.#offer?.genesisId === genesisId) this.#confirmed.add(memberId);
  }

  /** The first configuration, sorted by name as the list is. */
  makeRecord(genesisId: number, raftId: NodeId, listed: readonly Listed[]): GenesisRecord {
    const members = listed.map(({ memberId, name, peerUrls }) => ({
      memberId,
      raftId: memberId === this.#self ? raftId : this.raftIdOf(memberId),
      name,
      peerUrls,
    }));
    return { genesisId, members };
  }

  /** What was held is offered, unless an answer changed meanwhile. */
  offerHeld(record: GenesisRecord): void {
    const same = record.members.every(
      ({ memberId, raftId }) => memberId === this.#self || this.raftIdOf(memberId) === raftId,
    );
    if (same) this.#offer = record;
  }

  anew(): void {
    this.#answers.clear();
    this.#offer = null;
    this.#confirmed.clear();
  }
}
