// A connection from a machine outside the cluster to a member's peer port: says any bytes, and
// understands just enough of the answers to know whether it was let in or refused.
import { FrameParser, frameBodyBytesMax, FrameType, decodeRefusal } from "@quorate/host/internal";
import type { Link, LinkEvents } from "@quorate/storage";
import type { StrangerHeard } from "../checkers/strangers.ts";
import type { SimCluster } from "../cluster.ts";
import type { SimUser } from "../sim-user.ts";

export const foreignMachine = "outside";

const foreigner: SimUser = { name: foreignMachine, alive: true, run: (task) => task() };

export interface ForeignOutcome extends StrangerHeard {
  letIn: boolean;
  refusal: number;
  ended: boolean;
}

/** Where strangers live; made once per cluster. */
export function openForeignMachine(cluster: SimCluster): void {
  if (cluster.network.hasMachine(foreignMachine)) return;
  cluster.network.addMachine(foreignMachine, [`${foreignMachine}:1`]).foreign = true;
}

/** Dials; `onOpen` speaks. What came back stands in `outcome`, from the first answer on. */
export class ForeignLink {
  readonly outcome: ForeignOutcome;
  readonly #link: Link;
  readonly #parser: FrameParser;

  constructor(
    cluster: SimCluster,
    address: string,
    onOpen: (link: ForeignLink) => void,
    onOutcome: (link: ForeignLink) => void,
  ) {
    this.outcome = { letIn: false, refusal: 0, ended: false };
    this.#parser = new FrameParser(frameBodyBytesMax);
    const events: LinkEvents = {
      onOpen: () => onOpen(this),
      onBytes: (bytes) => {
        this.#heard(bytes);
        onOutcome(this);
      },
      onDrain: () => {},
      onEnd: () => {
        this.outcome.ended = true;
        onOutcome(this);
      },
    };
    this.#link = cluster.network.attach(foreigner, foreignMachine).dial(address, events);
  }

  /** Does nothing once the link has ended. */
  say(bytes: Uint8Array): void {
    this.#link.send(bytes);
  }

  close(): void {
    this.#link.close();
  }

  #heard(bytes: Uint8Array): void {
    this.#parser.feed(bytes);
    for (let frame = this.#parser.next(); frame !== null; frame = this.#parser.next()) {
      if (frame.type === FrameType.Hello) this.outcome.letIn = true;
      if (frame.type !== FrameType.Refusal) continue;
      this.outcome.refusal = decodeRefusal(frame.body)?.code ?? 0;
    }
  }
}
