// One user: it logs in, or has its name vouched for, and asks for keys that it may and may not touch. What
// it was given it keeps and goes on using, also when it ought to be worth nothing any more.
import { type Credential, type Failure, FailureCode } from "@quorate/host";
import { KvError } from "@quorate/kv";
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { AuthRequests } from "../workloads/auth-requests.ts";
import type { PlannedOperation } from "../workloads/workload.ts";
import { type AuthPeople, named, rightsOf, userNames } from "../workloads/auth-people.ts";
import type { AuthHistory } from "./auth-history.ts";
import { login } from "./auth-login.ts";
import { type History, Outcome } from "./history.ts";

const second = 1_000_000;
/** Clients of keys count from 0, those with leases from 500. */
const clientFirst = 700;
const keptMax = 6;

export interface AuthUserParts {
  readonly cluster: SimCluster;
  readonly history: History;
  readonly auth: AuthHistory;
  readonly people: AuthPeople;
  readonly random: SimRandom;
  readonly number: number;
  readonly paceMaxUs: number;
}

export class AuthUser {
  readonly #parts: AuthUserParts;
  readonly #random: SimRandom;
  /** What it has been given, newest last. */
  readonly #kept: Credential[];
  #user: string;
  #credential: Credential | null;
  #member: string;
  readonly #requests: AuthRequests;
  #stopped: boolean;

  constructor(parts: AuthUserParts) {
    this.#parts = parts;
    this.#random = parts.random;
    this.#kept = [];
    this.#user = this.#random.pick(userNames);
    this.#credential = null;
    this.#member = this.#random.pick(parts.cluster.memberNames);
    this.#requests = new AuthRequests(parts.number);
    this.#stopped = false;
  }

  start(): void {
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
  }

  #next(): void {
    this.#parts.cluster.world.after(this.#random.doublings(2_000, this.#parts.paceMaxUs), () => {
      if (this.#stopped) return;
      this.#act();
      this.#next();
    });
  }

  #act(): void {
    const random = this.#random;
    const { world, memberNames } = this.#parts.cluster;
    if (random.chance(0.05)) this.#user = random.pick(userNames);
    if (random.chance(0.1)) this.#member = random.pick(memberNames);
    if (random.chance(0.08)) this.#credential = null;
    if (!world.actions.admit(world.nowUs, `user ${this.#parts.number}`)) return;
    if (this.#credential === null && random.chance(0.8)) return this.#comeIn();
    const old = this.#kept.length > 0 && random.chance(0.2);
    const view = this.#parts.cluster.member(this.#member).host?.auth.view() ?? null;
    const plan = this.#requests.next(random, rightsOf(view, this.#user));
    this.#ask(plan, old ? random.pick(this.#kept) : this.#credential);
  }

  // ---- Coming in --------------------------------------------------------------------------------------

  #comeIn(): void {
    if (this.#random.chance(0.2)) this.#hold(named(this.#user));
    else this.#login();
  }

  #hold(credential: Credential): void {
    this.#credential = credential;
    this.#kept.push(credential);
    if (this.#kept.length > keptMax) this.#kept.shift();
  }

  #login(): void {
    const { cluster, auth, people } = this.#parts;
    const { world } = cluster;
    const random = this.#random;
    const { incarnation, host } = cluster.member(this.#member);
    if (incarnation === null || !incarnation.alive || host === null) return this.#move();
    const user = this.#user;
    const attempt = { user, passwordHash: people.hashToTry(user, random) };
    const operation = auth.begin(this.#member, attempt, null);
    const isOpen = (): boolean => operation.outcome === Outcome.Pending;
    const failed = (failure: Failure | null): void => {
      if (!isOpen()) return;
      auth.failed(operation, failure);
      if (failure?.code !== FailureCode.Kv) this.#move();
    };
    const timeout = world.after(random.between(300_000, 4 * second), () => failed(null));
    const ttlMs = random.chance(0.3) ? null : random.pick([1_000, 5_000, 300_000]);
    incarnation.run(() =>
      login({
        world,
        incarnation,
        host,
        random,
        operation,
        attempt,
        compareUs: random.doublings(1_000, second),
        ttlMs,
        done: (credential, token) => {
          world.cancel(timeout);
          if (!isOpen()) return;
          operation.token = token;
          auth.ok(operation);
          this.#hold(credential);
        },
        fail: (failure) => {
          world.cancel(timeout);
          failed(failure);
        },
      }),
    );
  }

  // ---- Asking -----------------------------------------------------------------------------------------

  #ask(plan: PlannedOperation, credential: Credential | null): void {
    const { cluster, history, number } = this.#parts;
    const { world } = cluster;
    const operation = history.call(clientFirst + number, this.#member, plan, credential);
    const timeout = world.after(this.#random.between(200_000, 4 * second), () => {
      if (operation.outcome !== Outcome.Pending) return;
      history.failed(operation, null);
      this.#move();
    });
    cluster.request(this.#member, operation, {
      reply: (bytes) => {
        if (operation.outcome !== Outcome.Pending) return;
        world.cancel(timeout);
        history.ok(operation, bytes);
      },
      fail: (failure) => {
        if (operation.outcome !== Outcome.Pending) return;
        world.cancel(timeout);
        history.failed(operation, failure);
        if (failure.code !== FailureCode.Kv) this.#move();
        else if (isOutdated(failure.kvError) && this.#random.chance(0.6)) this.#credential = null;
      },
    });
  }

  #move(): void {
    this.#member = this.#random.pick(this.#parts.cluster.memberNames);
  }
}

/** Who asks must be found out anew. */
function isOutdated(error: KvError): boolean {
  return (
    error === KvError.InvalidAuthToken ||
    error === KvError.AuthOldRevision ||
    error === KvError.UserEmpty
  );
}
