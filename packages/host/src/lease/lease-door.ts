// The face of a host for whoever asks about leases, in every phase of its life.
import type { Identity, LeaseGrantRequest, LeaseId, LeaseTimeToLiveRequest } from "@quorate/kv";
import type { LeaseApi, ReplySink } from "../host-api.ts";

export class LeaseDoor implements LeaseApi {
  /** Null: refused, and the sink has been told. */
  readonly #open: (sink: ReplySink) => LeaseApi | null;

  constructor(open: (sink: ReplySink) => LeaseApi | null) {
    this.#open = open;
  }

  grant(request: LeaseGrantRequest, sink: ReplySink, identity?: Identity): void {
    this.#open(sink)?.grant(request, sink, identity);
  }

  revoke(id: LeaseId, sink: ReplySink, identity?: Identity): void {
    this.#open(sink)?.revoke(id, sink, identity);
  }

  keepAlive(id: LeaseId, sink: ReplySink, identity?: Identity): void {
    this.#open(sink)?.keepAlive(id, sink, identity);
  }

  timeToLive(request: LeaseTimeToLiveRequest, sink: ReplySink, identity?: Identity): void {
    this.#open(sink)?.timeToLive(request, sink, identity);
  }

  list(sink: ReplySink, identity?: Identity): void {
    this.#open(sink)?.list(sink, identity);
  }
}
