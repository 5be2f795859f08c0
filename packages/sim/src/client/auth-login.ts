// A login at a member, as its server does it (server/src/auth/login.ts): the hash of the user that a read
// barrier has brought up to date is compared, which takes its time, and a token asked for by the auth
// revision of that comparison; or something signed is given out, which no member keeps.
import { CredentialKind, type Credential, Failure, FailureCode, type Host } from "@quorate/host";
import { AuthAction, KvError, nobody, type TokenHash } from "@quorate/kv";
import type { SimProcess } from "../sim-env.ts";
import type { SimRandom } from "../sim-random.ts";
import type { World } from "../world.ts";
import type { AuthOperation, LoginAttempt } from "./auth-history.ts";

/** When the password was changed meanwhile it begins anew, so often. */
const triesMax = 4;

export interface LoginParts {
  readonly world: World;
  readonly incarnation: SimProcess;
  readonly host: Host;
  readonly random: SimRandom;
  readonly operation: AuthOperation;
  readonly attempt: LoginAttempt;
  /** How long a comparison of passwords takes. */
  readonly compareUs: number;
  /** Null: what is given out is signed. */
  readonly ttlMs: number | null;
  done(credential: Credential, token: TokenHash | null): void;
  fail(failure: Failure): void;
}

/** Inside the process. */
export function login(parts: LoginParts, triesLeft: number = triesMax): void {
  parts.host.auth.barrier({
    reply: () => {
      const { world, incarnation, compareUs } = parts;
      const view = parts.host.auth.view();
      if (view === null || !view.enabled) return refuse(parts, KvError.AuthNotEnabled);
      const checkedRevision = view.revision;
      const user = view.user(parts.attempt.user);
      const matches =
        user !== null && !user.noPassword && user.passwordHash === parts.attempt.passwordHash;
      world.after(compareUs, () =>
        incarnation.run(() => {
          if (matches) issue(parts, checkedRevision, triesLeft);
          else refuse(parts, KvError.AuthFailed);
        }),
      );
    },
    fail: (failure) => parts.fail(failure),
  });
}

function issue(parts: LoginParts, checkedRevision: number, triesLeft: number): void {
  const { host, operation, attempt, ttlMs } = parts;
  const { user } = attempt;
  if (ttlMs === null) return sign(parts, checkedRevision, triesLeft);
  const token = drawHash(parts.random);
  const command = { action: AuthAction.IssueToken, user, token, ttlMs, checkedRevision } as const;
  host.auth.change(command, nobody, {
    reply: () => {
      operation.entrance.answered(host);
      parts.done({ kind: CredentialKind.Token, hash: token }, token);
    },
    fail: (failure) => {
      operation.entrance.answered(host);
      const isOld = failure.kvError === KvError.AuthOldRevision;
      if (isOld && triesLeft > 1) login(parts, triesLeft - 1);
      else parts.fail(failure);
    },
  });
}

function sign(parts: LoginParts, checkedRevision: number, triesLeft: number): void {
  const { host, operation, attempt } = parts;
  const view = host.auth.view();
  if (view === null || !view.enabled) return refuse(parts, KvError.AuthNotEnabled);
  const user = view.user(attempt.user);
  if (user === null || user.noPassword) return refuse(parts, KvError.AuthFailed);
  if (user.since > checkedRevision) {
    if (triesLeft > 1) login(parts, triesLeft - 1);
    else refuse(parts, KvError.AuthOldRevision);
    return;
  }
  operation.entrance.answered(host);
  parts.done({ kind: CredentialKind.Signed, identity: view.identityOf(attempt.user) }, null);
}

function refuse(parts: LoginParts, error: KvError): void {
  parts.operation.entrance.answered(parts.host);
  parts.fail(new Failure(FailureCode.Kv, error, []));
}

/** As long as a SHA-256 is. */
function drawHash(random: SimRandom): TokenHash {
  return Array.from({ length: 32 }, () => String.fromCharCode(random.below(256))).join("");
}
