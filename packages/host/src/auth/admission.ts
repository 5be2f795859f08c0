// Lets callers in, or not: from what they bring to who they are. This member's table may be behind. So
// nobody is refused, and nothing that only an administrator may do begins, before a read barrier has
// shown that it knows what was answered to anybody before (A2): a token that another member has just given
// out is good here, and a right that is gone is gone here.
import { Identity, KvError, nobody } from "@quorate/kv";
import type { KvApi } from "@quorate/kv";
import { FailureCode } from "../host-api.ts";
import type { AdmissionSink, ReplySink } from "../host-api.ts";
import { kvFailure } from "../proposals.ts";
import { CredentialKind, Need } from "./credential.ts";
import type { Credential } from "./credential.ts";
import type { TokenDuty } from "./token-duty.ts";

export class Admission {
  readonly #kv: Pick<KvApi, "auth">;
  readonly #tokens: TokenDuty;
  readonly #barrier: (sink: ReplySink) => void;

  constructor(kv: Pick<KvApi, "auth">, tokens: TokenDuty, barrier: (sink: ReplySink) => void) {
    this.#kv = kv;
    this.#tokens = tokens;
    this.#barrier = barrier;
  }

  admit(credential: Credential | null, need: Need, sink: AdmissionSink): void {
    const first = this.#judge(credential, need, false);
    if (need === Need.User && first instanceof Identity) return sink.admitted(first);
    this.#barrier({
      reply: () => answer(this.#judge(credential, need, true), sink),
      fail: (why) => {
        const mayStand = need === Need.AdminHere && why.code === FailureCode.NoLeader;
        if (mayStand) answer(first, sink);
        else sink.refused(why);
      },
    });
  }

  /** `confirmed`: nothing that was answered before this call is missing in the table. */
  #judge(credential: Credential | null, need: Need, confirmed: boolean): Identity | KvError {
    const { auth } = this.#kv;
    const identity = this.#identityOf(credential);
    if (identity === null) {
      // While authentication is off, what somebody brings from before does not matter.
      return confirmed && !auth.enabled ? nobody : KvError.InvalidAuthToken;
    }
    const error = need === Need.User ? auth.mayCall(identity) : auth.mayAdminister(identity);
    if (error !== KvError.None) return error;
    if (credential?.kind === CredentialKind.Token) this.#tokens.used(credential.hash);
    return identity;
  }

  /** Null: a token that this member does not know. */
  #identityOf(credential: Credential | null): Identity | null {
    if (credential === null) return nobody;
    switch (credential.kind) {
      case CredentialKind.Token:
        return this.#kv.auth.identityOfToken(credential.hash);
      case CredentialKind.Signed:
        return credential.identity;
      case CredentialKind.Name:
        return this.#kv.auth.identityOf(credential.user);
    }
  }
}

function answer(verdict: Identity | KvError, sink: AdmissionSink): void {
  if (verdict instanceof Identity) sink.admitted(verdict);
  else sink.refused(kvFailure(verdict));
}
