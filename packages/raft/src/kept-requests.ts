// Vote and pre-vote requests that are not answered for good yet, one per asker, the newest: those
// that wait for the end of quiet start (P5) or of this voter's lease, and pre-votes granted to an
// asker that may not have won yet. Keeps; what becomes of them is late-answers.ts.
import type { Message } from "./message.ts";
import type { NodeId } from "./types.ts";

/** Askers kept of each kind. Members only, in practice; beyond it answers are given at once. */
const requestsMax = 64;

export class KeptRequests {
  readonly #waiting: Map<NodeId, Message>;
  readonly #granted: Map<NodeId, Message>;

  constructor() {
    this.#waiting = new Map();
    this.#granted = new Map();
  }

  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#granted.size === 0;
  }

  /** The asker has asked anew since: `request` was late. */
  isOvertaken(request: Message): boolean {
    const newest = this.#waiting.get(request.from) ?? this.#granted.get(request.from);
    const isSame = newest !== undefined && newest.session === request.session;
    return isSame && newest.number > request.number;
  }

  /** False: no room. */
  keep(request: Message): boolean {
    this.forget(request.from);
    return put(this.#waiting, request);
  }

  granted(request: Message): void {
    this.forget(request.from);
    put(this.#granted, request);
  }

  /** The asker's earlier request is none any more. */
  forget(asker: NodeId): void {
    this.#waiting.delete(asker);
    this.#granted.delete(asker);
  }

  /** In order of arrival; they are not kept any more. */
  takeWaiting(): Message[] {
    return take(this.#waiting);
  }

  takeGranted(): Message[] {
    return take(this.#granted);
  }
}

function put(requests: Map<NodeId, Message>, request: Message): boolean {
  if (requests.size >= requestsMax) return false;
  requests.set(request.from, request);
  return true;
}

function take(requests: Map<NodeId, Message>): Message[] {
  const taken = [...requests.values()];
  requests.clear();
  return taken;
}
