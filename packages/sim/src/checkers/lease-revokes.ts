// T3: whoever ends a lease because its time is up has let it pass by its own clock, and a quorum has
// followed it in its term after that moment. What it appends is void in any other term (etcd #12528,
// #15247: revokes of a leader that stalled were carried out by the next one).
import type { ConfState, NodeId } from "@quorate/raft";
import { isQuorum } from "./quorum.ts";
import { demand } from "./violation.ts";

const property = "T3 only a confirmed leader ends leases";

/** A revoke as it was seen to be appended to its leader's own log. */
export interface SeenRevoke {
  readonly leader: string;
  readonly raftId: NodeId;
  readonly term: number;
  /** In the record. */
  readonly recordTerm: number;
  readonly lease: number;
  readonly conf: ConfState;
  /** By the leader's clock, ms since the lease's time was up; null: it is not in office. */
  readonly overdueMs: number | null;
  /** A time of the world's clock at which it was not up yet. */
  readonly dueUs: number;
}

export class LeaseRevokes {
  /** From whom to whom in what term → when somebody last said that he follows somebody, µs. */
  readonly #words: Map<string, number>;
  checked: number;

  constructor() {
    this.#words = new Map();
    this.checked = 0;
  }

  /** A follower answers a leader of that term. */
  followed(from: NodeId, to: NodeId, term: number, sentUs: number): void {
    this.#words.set(`${from} ${to} ${term}`, sentUs);
  }

  appended(seen: SeenRevoke): void {
    const { leader, raftId, term, lease, overdueMs, dueUs, conf } = seen;
    const name = (): string => `${leader}, which leads in ${term}, ends lease ${lease}`;
    this.checked++;
    demand(seen.recordTerm === term, property, () => `${name()} by a record of ${seen.recordTerm}`);
    demand(overdueMs !== null && overdueMs >= 0, property, () => `${name()} before its time`);
    // What it said stays true: its words of a newer term may not have come yet.
    const follows = (id: NodeId): boolean =>
      id === raftId || (this.#words.get(`${id} ${raftId} ${term}`) ?? -1) >= dueUs;
    demand(
      isQuorum(conf, follows),
      property,
      () => `${name()}, and no quorum has followed it since`,
    );
  }
}
