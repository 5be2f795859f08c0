// What a member offers about users and rights: the table as it has applied it, changes of it, and the way
// in for callers.
import { nobody } from "@quorate/kv";
import type { AuthCommand, AuthView, Identity } from "@quorate/kv";
import type { AdmissionSink, AuthApi, ReplySink } from "../host-api.ts";
import type { Running } from "../running.ts";
import { Need } from "./credential.ts";
import type { Credential } from "./credential.ts";

export class HostAuth implements AuthApi {
  readonly #running: () => Running | null;
  readonly #serving: (sink: ReplySink) => Running | null;
  readonly #nowTick: () => number;

  /** `serving`: null: the member does not serve, and the sink hears why. */
  constructor(
    running: () => Running | null,
    serving: (sink: ReplySink) => Running | null,
    nowTick: () => number,
  ) {
    this.#running = running;
    this.#serving = serving;
    this.#nowTick = nowTick;
  }

  view(): AuthView | null {
    return this.#running()?.kv.auth ?? null;
  }

  change(command: AuthCommand, identity: Identity, sink: ReplySink): void {
    this.#serving(sink)?.requests.auth(command, identity, sink, this.#nowTick());
  }

  barrier(sink: ReplySink): void {
    this.#serving(sink)?.requests.barrier(sink, this.#nowTick());
  }

  admit(credential: Credential | null, need: Need, sink: AdmissionSink): void {
    const running = this.#running();
    if (running !== null) return running.admission.admit(credential, need, sink);
    // Nobody knows yet who is who: what needs a state is refused behind this door.
    if (need === Need.User) return sink.admitted(nobody);
    this.#serving({ reply: () => undefined, fail: (why) => sink.refused(why) });
  }
}
