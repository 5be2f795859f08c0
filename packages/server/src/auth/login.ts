// Authenticate: a password for a token. The password is compared off the main thread with a hash of this
// member's table, which a read barrier has brought up to date; if the user's password has changed when
// the token is to be issued, all of it is done again. An unknown user takes as long as a known one.
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { HostApi, ReplySink } from "@quorate/host";
import { AuthAction, KvError, nobody } from "@quorate/kv";
import { FailureCode } from "@quorate/host";
import { hashOfToken } from "./credentials.ts";
import type { JsonWebTokens } from "./jwt.ts";
import { passwordBytesMax } from "./passwords.ts";
import type { Passwords } from "./passwords.ts";
import { Tries } from "./tries.ts";

/** Each time the user's password was changed meanwhile. */
const triesMax = 4;

export interface LoginSink extends Pick<ReplySink, "fail"> {
  token(token: string): void;
  refused(error: KvError): void;
  /** Somebody tries too often, or too many at once. */
  busy(): void;
  /** Tokens can be checked here, but not signed. */
  cannotSign(): void;
}

export interface LoginParts {
  readonly host: Pick<HostApi, "auth" | "readBarrier">;
  readonly passwords: Passwords;
  /** Null: simple tokens. */
  readonly signed: JsonWebTokens | null;
  readonly tokenTtlMs: number;
  readonly logger: Logger;
}

interface Attempt {
  readonly user: string;
  readonly password: string;
  readonly address: string;
  readonly sink: LoginSink;
  left: number;
}

export class Login {
  readonly #parts: LoginParts;
  readonly #tries: Tries;

  constructor(parts: LoginParts) {
    this.#parts = parts;
    this.#tries = new Tries();
  }

  authenticate(user: string, password: string, address: string, sink: LoginSink): void {
    if (!this.#tries.take(user, address, performance.now())) {
      this.#parts.logger.warn({ user, address }, "authentication refused: too many tries");
      return sink.busy();
    }
    this.#begin({ user, password, address, sink, left: triesMax });
  }

  #begin(attempt: Attempt): void {
    this.#parts.host.readBarrier({
      reply: () => this.#compare(attempt),
      fail: (failure) => attempt.sink.fail(failure),
    });
  }

  #compare(attempt: Attempt): void {
    const view = this.#parts.host.auth.view();
    if (view === null || !view.enabled) return attempt.sink.refused(KvError.AuthNotEnabled);
    const checkedRevision = view.revision;
    const user = view.user(attempt.user);
    const isUsable =
      user !== null && !user.noPassword && Buffer.byteLength(attempt.password) <= passwordBytesMax;
    const hash = isUsable ? user.passwordHash : null;
    this.#parts.passwords.matches(attempt.password, hash, (matches) => {
      if (matches === null) attempt.sink.busy();
      else if (matches) this.#issue(attempt, checkedRevision);
      else this.#failed(attempt);
    });
  }

  #issue(attempt: Attempt, checkedRevision: number): void {
    const { signed } = this.#parts;
    if (signed !== null) return this.#sign(signed, attempt, checkedRevision);
    const { user, sink } = attempt;
    const token = randomBytes(16).toString("hex");
    const command = {
      action: AuthAction.IssueToken,
      user,
      token: hashOfToken(token),
      ttlMs: this.#parts.tokenTtlMs,
      checkedRevision,
    } as const;
    this.#parts.host.auth.change(command, nobody, {
      reply: () => this.#done(attempt, token),
      fail: (failure) => {
        const error = failure.code === FailureCode.Kv ? failure.kvError : KvError.None;
        if (error === KvError.AuthOldRevision) this.#again(attempt);
        else if (error === KvError.AuthFailed) this.#failed(attempt);
        else sink.fail(failure);
      },
    });
  }

  #sign(signed: JsonWebTokens, attempt: Attempt, checkedRevision: number): void {
    const view = this.#parts.host.auth.view();
    if (view === null || !view.enabled) return attempt.sink.refused(KvError.AuthNotEnabled);
    const user = view.user(attempt.user);
    if (user === null || user.noPassword) return this.#failed(attempt);
    if (user.since > checkedRevision) return this.#again(attempt);
    if (!signed.canIssue) return attempt.sink.cannotSign();
    this.#done(attempt, signed.issue(view.identityOf(user.name), Date.now() / 1000));
  }

  #again(attempt: Attempt): void {
    attempt.left -= 1;
    if (attempt.left > 0) this.#begin(attempt);
    else attempt.sink.refused(KvError.AuthOldRevision);
  }

  #done({ user, address, sink }: Attempt, token: string): void {
    this.#tries.succeeded(user, address, performance.now());
    sink.token(token);
  }

  #failed({ user, address, sink }: Attempt): void {
    this.#tries.failed(user, address, performance.now());
    this.#parts.logger.warn({ user, address }, "authentication failed");
    sink.refused(KvError.AuthFailed);
  }
}
