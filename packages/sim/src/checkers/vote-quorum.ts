// A leader was elected by a quorum of the voters of the configuration that it stands on: grants of
// learners, of another term or candidate, and pre-votes are none (Raft §5.2, S10).
import { isQuorum, type Voters } from "./quorum.ts";
import { demand } from "./violation.ts";

export class VoteQuorum {
  /** Term and candidate → who has sent it a grant. */
  readonly #grants: Map<string, Set<number>>;

  constructor() {
    this.#grants = new Map();
  }

  granted(voter: number, candidate: number, term: number): void {
    const key = `${term} ${candidate}`;
    const voters = this.#grants.get(key);
    if (voters === undefined) this.#grants.set(key, new Set([voter]));
    else voters.add(voter);
  }

  elected(leader: number, term: number, conf: Voters): void {
    const grants = this.#grants.get(`${term} ${leader}`);
    const has = (id: number): boolean => id === leader || grants?.has(id) === true;
    demand(
      isQuorum(conf, has),
      "S10 quorum of voters",
      () =>
        `${leader} leads in term ${term} with the votes of [${[...(grants ?? [])].join(", ")}] of ` +
        `[${conf.voters.join(", ")}] and [${conf.votersOutgoing.join(", ")}]`,
    );
  }
}
