// Members are added, removed and promoted while everything else goes wrong: requests at any member, in
// any order, and nobody waits for an answer. Spare machines join with an empty directory; whoever was
// told that it is removed is set up anew and is a spare again. Which of the machines are members in
// the end, the log alone decides.
import { MemberAim, type MemberRequest, MemberRequestKind } from "@quorate/host";
import { ExitCode } from "@quorate/storage";
import type { SimCluster } from "../cluster.ts";
import { joiningConfig, whereAllAre } from "../cluster-options.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { Moving } from "./moving.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface MembershipOptions extends Pace {
  /** How long connections must have stood before a change is taken (etcd: 5 s). */
  readonly healthMs: number;
}

export function drawMembership(random: SimRandom): MembershipOptions {
  return { ...drawPace(random), healthMs: random.pick([0, 100, 1_000]) };
}

const kinds = ["remove", "promote", "move"] as const;

export class Membership implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #repeater: Repeater;
  readonly #moving: Moving;
  #added: number;

  constructor(cluster: SimCluster, options: MembershipOptions) {
    this.name = "membership";
    this.#cluster = cluster;
    this.#added = 0;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
    this.#moving = new Moving(cluster, () => this.#repeater.active);
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    this.#moving.settle();
  }

  #act(random: SimRandom): void {
    const { members, absent, changing } = this.#cluster;
    // Not while the cluster is being founded.
    if (!changing) return;
    for (const member of members) this.#setUpAnew(member);
    const running = members.filter(({ running, host }) => running && host !== null);
    if (running.length === 0) return;
    const asked = random.pick(running);
    const subject = random.pick(members);
    const spare = absent.has(subject.name);
    const kind = spare || random.chance(0.2) ? "add" : random.pick(kinds);
    if (spare) {
      absent.delete(subject.name);
      this.#cluster.operator?.takeBack(subject);
      this.#cluster.operator?.startLater(subject);
    }
    if (kind === "move") return this.#moving.ask(asked, subject);
    const request = this.#requestOf(kind, subject, random);
    this.#cluster.world.faults.count(`membership.${kind}`);
    this.#cluster.world.note(asked.name, "members", { kind, subject: subject.name });
    asked.incarnation!.run(() => {
      asked.host!.changeMembers(request, { reply: () => {}, fail: () => {} });
    });
  }

  /** It has ended because it was removed: its directory is of no use any more. */
  #setUpAnew(member: SimMember): void {
    const { name, incarnation, running } = member;
    if (running || incarnation?.exitCode !== ExitCode.Removed) return;
    if (this.#cluster.absent.has(name)) return;
    this.#cluster.wipe(name);
    const { options, network } = this.#cluster;
    const config = joiningConfig(options, member.config, this.#newId());
    member.config = whereAllAre(config, network);
    this.#cluster.absent.add(name);
  }

  #newId(): string {
    return `${(++this.#added).toString(16).padStart(14, "0")}ad`;
  }

  /** An id is given once: the time is in it. Whoever is removed or promoted has the one on record. */
  #requestOf(
    kind: "add" | "remove" | "promote",
    subject: SimMember,
    random: SimRandom,
  ): MemberRequest {
    switch (kind) {
      case "add": {
        const aim = random.chance(0.7) ? MemberAim.Voter : MemberAim.Learner;
        const { peerUrls } = this.#cluster.listed(subject);
        const memberId = this.#newId();
        return { kind: MemberRequestKind.Add, memberId, name: "", peerUrls, aim };
      }
      case "remove":
        return { kind: MemberRequestKind.Remove, memberId: this.#cluster.idOnRecord(subject) };
      case "promote":
        return { kind: MemberRequestKind.Promote, memberId: this.#cluster.idOnRecord(subject) };
    }
  }
}
