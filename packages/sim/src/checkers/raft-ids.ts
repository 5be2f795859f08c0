// S11: a raft id belongs to one disk, and one process at a time speaks under it. Once the disk is wiped,
// or its directory set aside, nobody speaks under it any more, whatever comes back (DESIGN.md 4); a copy
// that is put back brings its raft id along.
import { demand } from "./violation.ts";

const property = "S11 raft ids";

export interface Speaker {
  readonly name: string;
  readonly alive: boolean;
}

export class RaftIds {
  /** Raft id → the member whose disk it was drawn for. */
  readonly #owners: Map<number, string>;
  readonly #speakers: Map<number, Speaker>;
  /** Of wiped disks, and of directories that were set aside. */
  readonly #retired: Set<number>;

  constructor() {
    this.#owners = new Map();
    this.#speakers = new Map();
    this.#retired = new Set();
  }

  /** Raft runs in a process of the member. */
  speaks(raftId: number, member: string, speaker: Speaker): void {
    const owner = this.#owners.get(raftId) ?? member;
    this.#owners.set(raftId, owner);
    demand(
      owner === member,
      property,
      () => `${speaker.name} speaks under raft id ${raftId}, which ${owner} has drawn`,
    );
    demand(
      !this.#retired.has(raftId),
      property,
      () => `${speaker.name} speaks under raft id ${raftId}, whose disk was wiped or set aside`,
    );
    const other = this.#speakers.get(raftId);
    demand(
      other === undefined || other === speaker || !other.alive,
      property,
      () => `${speaker.name} and ${other!.name} speak under raft id ${raftId} at the same time`,
    );
    this.#speakers.set(raftId, speaker);
  }

  wiped(raftId: number): void {
    this.#retired.add(raftId);
  }

  /** A copy of an earlier directory is put in place: what it says it is, it was. */
  putBack(member: string): void {
    for (const [raftId, owner] of this.#owners) if (owner === member) this.#retired.delete(raftId);
  }
}
