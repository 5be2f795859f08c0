// Lets an operator back in who has lost the last password: what the file in the data directory says
// (reset-file.ts) goes through the log like any change of users, in the name of a user that may do it.
// Every step looks at the state first, so that nothing is done twice and a failure is tried again.
import type { Logger } from "pino";
import type { HostApi } from "@quorate/host";
import { Phase } from "@quorate/host";
import { AuthAction, rootName } from "@quorate/kv";
import type { AuthCommand, AuthView } from "@quorate/kv";
import { errorOf } from "../etcd/errors.ts";
import { isResetThere, takeReset } from "./reset-file.ts";
import type { ResetWord } from "./reset-file.ts";

const pollMs = 1000;
/** Of failures, one a poll: longer than any election. */
const failuresMax = 60;

export interface AuthResetParts {
  readonly host: Pick<HostApi, "auth" | "readBarrier" | "status">;
  /** The data directory. */
  readonly directory: string;
  readonly logger: Logger;
}

export class AuthReset {
  readonly #parts: AuthResetParts;
  /** Taken, and not carried out yet. */
  #word: ResetWord | null;
  #busy: boolean;
  #failures: number;
  /** Said once. */
  #problem: string;

  constructor(parts: AuthResetParts) {
    this.#parts = parts;
    this.#word = null;
    this.#busy = false;
    this.#failures = 0;
    this.#problem = "";
  }

  watch(): void {
    setInterval(() => void this.#poll(), pollMs).unref();
  }

  async #poll(): Promise<void> {
    const { directory, host } = this.#parts;
    if (this.#word === null && !(await isResetThere(directory))) return;
    const { phase, leaderMemberId } = host.status();
    if (this.#busy || phase !== Phase.Running || leaderMemberId === "") return;
    this.#word ??= this.#take();
    if (this.#word !== null) this.#goOn(this.#word);
  }

  #take(): ResetWord | null {
    const taken = takeReset(this.#parts.directory);
    if (typeof taken !== "string") {
      this.#failures = 0;
      return taken;
    }
    if (taken !== this.#problem) this.#parts.logger.error({}, taken);
    this.#problem = taken;
    return null;
  }

  #goOn(word: ResetWord): void {
    this.#busy = true;
    this.#parts.host.readBarrier({
      reply: () => this.#step(word),
      fail: (failure) => this.#failed(errorOf(failure).text),
    });
  }

  #step(word: ResetWord): void {
    const { host } = this.#parts;
    const view = host.auth.view();
    if (view === null) return this.#failed("there is no state");
    const step = nextStep(view, word);
    if (step === null || typeof step === "string") return this.#end(word, step);
    host.auth.change(step.command, view.identityOf(step.as), {
      reply: () => this.#goOn(word),
      fail: (failure) => this.#failed(errorOf(failure).text),
    });
  }

  #end({ user }: ResetWord, refusal: string | null): void {
    this.#word = null;
    this.#busy = false;
    const { logger } = this.#parts;
    if (refusal === null) {
      logger.warn({ user }, "a user has a new password and the role root, by quorate auth reset");
    } else {
      logger.error({ user }, `quorate auth reset was not carried out: ${refusal}`);
    }
  }

  /** Tried again by the next poll. */
  #failed(why: string): void {
    this.#busy = false;
    this.#failures += 1;
    if (this.#failures < failuresMax || this.#word === null) return;
    this.#end(this.#word, `${why}: run it again`);
  }
}

export interface ResetStep {
  /** A user that may do it. */
  readonly as: string;
  readonly command: AuthCommand;
}

/** What is still to be done; null: nothing; else why it cannot be. */
export function nextStep(
  view: AuthView,
  { user, passwordHash }: ResetWord,
): ResetStep | string | null {
  if (!view.enabled) return "authentication is off, and nobody is locked out";
  const as = view.userNames().find((name) => view.user(name)!.roles.includes(rootName));
  if (as === undefined) return "no user has the role root";
  const present = view.user(user);
  if (present === null) {
    return { as, command: { action: AuthAction.UserAdd, user, passwordHash, noPassword: false } };
  }
  if (present.noPassword) {
    return "that user has no password, but comes by a certificate: choose another with --user";
  }
  if (present.passwordHash !== passwordHash) {
    return { as, command: { action: AuthAction.UserChangePassword, user, passwordHash } };
  }
  if (present.roles.includes(rootName)) return null;
  return { as, command: { action: AuthAction.UserGrantRole, user, role: rootName } };
}
