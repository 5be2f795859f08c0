// Listens to what clients hear: a change that is called done must be on a quorum's disks.
import { demand } from "../checkers/violation.ts";
import type { ClientOperation } from "../client/history.ts";
import { replyHead } from "../model/reply-text.ts";
import type { SimMember } from "../sim-member.ts";
import type { ApplyWatch } from "./apply-watch.ts";
import type { Configurations } from "./configurations.ts";
import type { DurableDisks } from "./durable-disks.ts";
import type { StateCheckers } from "./state-checkers.ts";

export class ReplyWatch {
  readonly #checkers: StateCheckers;
  readonly #disks: DurableDisks;
  readonly #applies: ApplyWatch;
  readonly #configurations: Configurations;

  constructor(
    checkers: StateCheckers,
    disks: DurableDisks,
    applies: ApplyWatch,
    configurations: Configurations,
  ) {
    this.#checkers = checkers;
    this.#disks = disks;
    this.#applies = applies;
    this.#configurations = configurations;
  }

  replied(member: SimMember, operation: ClientOperation, bytes: Uint8Array): void {
    const reply = replyHead(operation.kind, bytes);
    if (!reply.changed) return;
    const entry = this.#applies.maker(reply.revision);
    demand(
      entry !== undefined,
      "S7 durable before ack",
      () => `${member.name} says OK at revision ${reply.revision}, which nobody has applied`,
    );
    const { index, term } = entry;
    const confs = this.#configurations.since(index);
    this.#checkers.durable.writeAcknowledged(index, term, confs, (conf) =>
      this.#disks.holders(conf, index, term),
    );
  }
}
