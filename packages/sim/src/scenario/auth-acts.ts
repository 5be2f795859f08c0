// What a story does with users and rights through the hosts' own requests, as an administrator would, and
// what users hear. Judged when the story says so: A1 and A2 of changes (checkers/auth-*.ts); what users ask
// for keys is judged with everything else.
import { must } from "@quorate/base";
import { type Credential, type Failure, Need } from "@quorate/host";
import {
  AuthAction,
  type AuthCommand,
  KvError,
  PermissionType,
  rootName,
  type TokenHash,
} from "@quorate/kv";
import { Evidence } from "../checkers/evidence.ts";
import { AuthHistory, type AuthOperation } from "../client/auth-history.ts";
import { login } from "../client/auth-login.ts";
import { enter } from "../client/entrance.ts";
import { Outcome } from "../client/history.ts";
import { LeaseHistory } from "../client/lease-history.ts";
import { judgeAuth } from "../judge.ts";
import { named, rootCredential } from "../workloads/auth-people.ts";
import type { PlannedOperation } from "../workloads/workload.ts";
import type { Ask } from "./ask.ts";
import type { Scenario } from "./scenario.ts";

const passwordHash = "hash";
const ttlMs = 300_000;

export class AuthActs {
  readonly history: AuthHistory;
  readonly #s: Scenario;

  constructor(s: Scenario) {
    this.history = new AuthHistory(s.history);
    this.#s = s;
  }

  /** Root, and this user with a role of its own that may read and write [key, rangeEnd); then it is on. */
  enable(at: string, user: string, key: string, rangeEnd: string): void {
    this.addUser(at, rootName, [rootName]);
    this.change(at, { action: AuthAction.RoleAdd, role: user });
    this.grant(at, user, key, rangeEnd);
    this.addUser(at, user, [user]);
    this.change(at, { action: AuthAction.Enable });
    // Whoever asks for nothing in particular, from here on.
    this.#s.history.credential = rootCredential;
  }

  addUser(at: string, user: string, roles: readonly string[]): void {
    this.change(at, { action: AuthAction.UserAdd, user, passwordHash, noPassword: false });
    for (const role of roles) this.change(at, { action: AuthAction.UserGrantRole, user, role });
  }

  grant(at: string, role: string, key: string, rangeEnd: string): void {
    const permission = { type: PermissionType.ReadWrite, key, rangeEnd };
    this.change(at, { action: AuthAction.RoleGrantPermission, role, permission });
  }

  revoke(at: string, role: string, key: string, rangeEnd: string): void {
    const permission = { type: PermissionType.ReadWrite, key, rangeEnd };
    this.change(at, { action: AuthAction.RoleRevokePermission, role, permission });
  }

  /** By root, and hears that it is done. */
  change(at: string, command: AuthCommand): void {
    const operation = this.#begin(at, command);
    const what = `change of users ${operation.id} (action ${command.action}) is done`;
    this.#s.waitFor(what, 8_000, () => operation.outcome === Outcome.Ok);
  }

  #begin(at: string, command: AuthCommand): AuthOperation {
    const { history } = this;
    const operation = history.begin(at, command, rootCredential);
    const { incarnation, host: some } = this.#s.member(at);
    const host = must(some, `${at} runs`);
    must(incarnation, `${at} runs`).run(() => {
      enter(host, operation.entrance, Need.Admin, {
        admitted: (identity) =>
          host.auth.change(command, identity, {
            reply: () => {
              operation.entrance.answered(host);
              history.ok(operation);
            },
            fail: (failure) => {
              operation.entrance.answered(host);
              history.failed(operation, failure);
            },
          }),
        refused: (failure) => history.failed(operation, failure),
      });
    });
    return operation;
  }

  /** With this password, which it takes so long to compare. */
  login(at: string, user: string, hash: string, compareUs: number): AuthOperation {
    const { history } = this;
    const { world } = this.#s;
    const attempt = { user, passwordHash: hash };
    const operation = history.begin(at, attempt, null);
    const { incarnation: some, host } = this.#s.member(at);
    const incarnation = must(some, `${at} runs`);
    const random = world.random(`login ${operation.id}`);
    const done = (_: Credential, token: TokenHash | null): void => {
      operation.token = token;
      history.ok(operation);
    };
    const fail = (failure: Failure): void => history.failed(operation, failure);
    const asked = {
      world,
      incarnation,
      host: must(host, `${at} runs`),
      random,
      operation,
      attempt,
    };
    incarnation.run(() => login({ ...asked, compareUs, ttlMs, done, fail }));
    return operation;
  }

  /** As this user, whose name is vouched for. */
  ask(at: string, user: string, plan: PlannedOperation): Ask {
    return this.#s.ask(at, plan, named(user));
  }

  mustDo(at: string, user: string, plan: PlannedOperation): void {
    const ask = this.ask(at, user, plan);
    this.#s.waitFor(`${user} hears OK from ${at}`, 4_000, () => ask.acknowledged);
  }

  mustBeDenied(at: string, user: string, plan: PlannedOperation): void {
    const ask = this.ask(at, user, plan);
    const denied = (): boolean => ask.operation.kvError === KvError.PermissionDenied;
    this.#s.waitFor(`${user} is denied by ${at}`, 4_000, denied);
  }

  /** A1 and A2, of what root was answered. */
  judge(): void {
    const { history, watch, cluster } = this.#s;
    const entries = watch.committed.entries();
    const evidence = new Evidence(history, entries, cluster.members[0]!.config);
    judgeAuth(this.history, new LeaseHistory(history), [], evidence);
    this.#s.timeline.tell("story", "holds: A1, A2");
  }
}
