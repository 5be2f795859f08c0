// A machine gets another address, as an operator would have it: its new URL is put on record by any
// member, then its process ends, and starts where it is found now. Whoever was away has the old address
// in its table. The answer may be lost: then it stays, while others may look for it where it never came,
// until in the end it is found there, too.
import { MemberRequestKind } from "@quorate/host";
import type { SimCluster } from "../cluster.ts";
import { whereAllAre } from "../cluster-options.ts";
import type { SimMember } from "../sim-member.ts";

export class Moving {
  readonly #cluster: SimCluster;
  /** Nothing moves any more when it says so. */
  readonly #active: () => boolean;
  #moves: number;
  /** Addresses that were asked for, and nobody knows what came of it. */
  readonly #open: Map<string, SimMember>;

  constructor(cluster: SimCluster, active: () => boolean) {
    this.#cluster = cluster;
    this.#active = active;
    this.#moves = 0;
    this.#open = new Map();
  }

  ask(asked: SimMember, subject: SimMember): void {
    const { world } = this.#cluster;
    const address = `${subject.name}-${++this.#moves}:2380`;
    const memberId = this.#cluster.idOnRecord(subject);
    const peerUrls = [`http://${address}`];
    const told = subject.config;
    this.#open.set(address, subject);
    world.note(asked.name, "members", { kind: "move", subject: subject.name, address });
    asked.incarnation!.run(() => {
      const done = (): void =>
        void world.after(0, () => {
          // Set up anew or moved meanwhile, it is another one, or elsewhere.
          if (this.#active() && subject.config === told) this.#move(subject, address);
        });
      const request = { kind: MemberRequestKind.Update, memberId, peerUrls } as const;
      asked.host!.changeMembers(request, { reply: done, fail: () => {} });
    });
  }

  /** Whoever may be looked for there is there. */
  settle(): void {
    const { network } = this.#cluster;
    for (const [address, { name }] of this.#open) {
      network.move(name, [...network.machine(name).addresses, address]);
    }
    this.#open.clear();
  }

  #move(subject: SimMember, address: string): void {
    const { network, world, members, absent, operator } = this.#cluster;
    if (absent.has(subject.name)) return;
    this.#open.delete(address);
    world.faults.count("membership.move");
    world.note(subject.name, "moves", { address });
    if (subject.running) subject.kill();
    network.move(subject.name, [address]);
    // Who is still to join is told anew where all are; a founder's list is as old as the cluster.
    for (const member of members) {
      const { config, running, host } = member;
      if (member !== subject && !config.join) continue;
      member.config = whereAllAre(config, network);
      if (running && host?.inside() === null) member.kill();
    }
    operator?.startLater(subject);
  }
}
