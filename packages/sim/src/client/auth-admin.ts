// One that administers users, roles and rights, by whatever member; what it draws by may be old.
import { type Failure, Need } from "@quorate/host";
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { AuthChanges } from "../workloads/auth-changes.ts";
import { type AuthPeople, rootCredential } from "../workloads/auth-people.ts";
import type { AuthHistory } from "./auth-history.ts";
import { enter } from "./entrance.ts";
import { Outcome } from "./history.ts";

const second = 1_000_000;
const setUpMaxUs = 200_000;

export class AuthAdmin {
  readonly #cluster: SimCluster;
  readonly #history: AuthHistory;
  readonly #changes: AuthChanges;
  readonly #random: SimRandom;
  /** Longest time from one change to the next. */
  readonly #paceMaxUs: number;
  /** It was on at the last look: else there is nobody yet to whom rights could matter. */
  #isSetUp: boolean;
  #stopped: boolean;

  constructor(
    cluster: SimCluster,
    history: AuthHistory,
    people: AuthPeople,
    random: SimRandom,
    paceMaxUs: number,
  ) {
    this.#cluster = cluster;
    this.#history = history;
    this.#changes = new AuthChanges(people);
    this.#random = random;
    this.#paceMaxUs = paceMaxUs;
    this.#isSetUp = false;
    this.#stopped = false;
  }

  start(): void {
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
  }

  #next(): void {
    const maxUs = this.#isSetUp ? this.#paceMaxUs : setUpMaxUs;
    this.#cluster.world.after(this.#random.doublings(5_000, maxUs), () => {
      if (this.#stopped) return;
      this.#act();
      this.#next();
    });
  }

  #act(): void {
    const { world, memberNames } = this.#cluster;
    const any = this.#random.pick(memberNames);
    const member = this.#isSetUp ? any : (this.#cluster.leader()?.name ?? any);
    const { incarnation, host } = this.#cluster.member(member);
    const view = host?.auth.view() ?? null;
    if (incarnation === null || !incarnation.alive || host === null || view === null) return;
    this.#isSetUp = view.enabled;
    const command = this.#changes.next(view, this.#random);
    if (!world.actions.admit(world.nowUs, "administrator")) return;
    const operation = this.#history.begin(member, command, rootCredential);
    const isOpen = (): boolean => operation.outcome === Outcome.Pending;
    const failed = (failure: Failure | null): void => {
      if (isOpen()) this.#history.failed(operation, failure);
    };
    const timeout = world.after(this.#random.between(300_000, 4 * second), () => failed(null));
    const fail = (failure: Failure): void => {
      world.cancel(timeout);
      failed(failure);
    };
    incarnation.run(() => {
      enter(host, operation.entrance, Need.Admin, {
        admitted: (identity) =>
          host.auth.change(command, identity, {
            reply: () => {
              operation.entrance.answered(host);
              world.cancel(timeout);
              if (isOpen()) this.#history.ok(operation);
            },
            fail: (failure) => {
              operation.entrance.answered(host);
              fail(failure);
            },
          }),
        refused: fail,
      });
    });
  }
}
