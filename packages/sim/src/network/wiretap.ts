// What a box on the path has seen and may send again. TCP never repeats bytes of one connection in
// another; boxes that end connections do: a proxy that retries a request on a new upstream
// connection, one that was restored from a snapshot, one whose backlog reaches a service after the
// process it was meant for has died, or somebody who listens in and is hostile. None of them can say
// anything new, so what comes is the beginning of a connection that was once dialled (without its
// hello nothing is heard), then some of what followed, as a new connection.
//
// Not modelled: parts of one connection spliced into another one that lives. Whoever rewrites
// sequence numbers of plain TCP can as well forge frames; against that there is mutual TLS only.
import type { SimMachine } from "./sim-machine.ts";

const recordingsMax = 96;
/** Sends kept of one connection behind the first. */
const sendsMax = 64;

export interface RecordedSend {
  readonly atUs: number;
  readonly bytes: Uint8Array;
}

/** One direction of one connection: what its dialler sent. */
export class Recording {
  readonly from: SimMachine;
  readonly to: SimMachine;
  readonly address: string;
  /** The process that accepted it. */
  readonly receiver: string;
  readonly first: RecordedSend;
  /** The newest ones, oldest first. */
  readonly later: RecordedSend[];

  constructor(
    from: SimMachine,
    to: SimMachine,
    address: string,
    receiver: string,
    first: RecordedSend,
  ) {
    this.from = from;
    this.to = to;
    this.address = address;
    this.receiver = receiver;
    this.first = first;
    this.later = [];
  }

  get newestUs(): number {
    return (this.later.at(-1) ?? this.first).atUs;
  }
}

/** A dialled connection, as far as it matters here. */
export interface TappedEnd {
  readonly machine: SimMachine;
  readonly remoteMachine: SimMachine;
  readonly remote: string;
}

export class Wiretap {
  /** The newest connections, oldest first. */
  readonly #recordings: Map<TappedEnd, Recording>;

  constructor() {
    this.#recordings = new Map();
  }

  sent(dialer: TappedEnd, receiver: string, send: RecordedSend): void {
    const known = this.#recordings.get(dialer);
    if (known !== undefined) {
      known.later.push(send);
      if (known.later.length > sendsMax) known.later.shift();
      return;
    }
    if (this.#recordings.size >= recordingsMax) {
      for (const oldest of this.#recordings.keys()) {
        this.#recordings.delete(oldest);
        break;
      }
    }
    const { machine, remoteMachine, remote } = dialer;
    const recording = new Recording(machine, remoteMachine, remote, receiver, send);
    this.#recordings.set(dialer, recording);
  }

  /** Connections that carried something since then. */
  since(us: number): Recording[] {
    return [...this.#recordings.values()].filter(({ newestUs }) => newestUs >= us);
  }
}
