// What a member offers about users and rights: the table as it has applied it, changes of it, and the way
// in for callers.
import { nobody } from "@quorate/kv";
import type { AuthCommand, AuthView, Identity } from "@quorate/kv";
import type { AdmissionSink, AuthApi, ReplySink } from "../host-api.ts";
import type { Running } from "../running.ts";
import { Need } from "./credential.ts";
import type { Credential } from "./credential.ts";

export interface HostAuthParts {
  running(): Running | null;
  /** Null: it does not serve, and the sink hears why. */
  serving(sink: ReplySink): Running | null;
  nowTick(): number;
}

export class HostAuth implements AuthApi {
  readonly #parts: HostAuthParts;

  constructor(parts: HostAuthParts) {
    this.#parts = parts;
  }

  view(): AuthView | null {
    return this.#parts.running()?.kv.auth ?? null;
  }

  change(command: AuthCommand, identity: Identity, sink: ReplySink): void {
    const running = this.#parts.serving(sink);
    running?.requests.auth(command, identity, sink, this.#parts.nowTick());
  }

  admit(credential: Credential | null, need: Need, sink: AdmissionSink): void {
    const running = this.#parts.running();
    if (running !== null) return running.admission.admit(credential, need, sink);
    // Nobody knows yet who is who: what needs a state is refused behind this door.
    if (need === Need.User) return sink.admitted(nobody);
    this.#parts.serving({ reply: () => undefined, fail: (why) => sink.refused(why) });
  }
}
