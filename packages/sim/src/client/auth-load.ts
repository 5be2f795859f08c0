// The clients of a run with authentication, beside all others: who administers, users that ask for keys,
// users that watch. Whoever else asks has a name that is vouched for: root's, and of those that hold leases
// some a user's.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { AuthAdmin } from "./auth-admin.ts";
import { AuthHistory } from "./auth-history.ts";
import { AuthPeople, rootCredential } from "../workloads/auth-people.ts";
import { AuthUser } from "./auth-user.ts";
import type { History } from "./history.ts";

export interface AuthOptions {
  readonly admins: number;
  readonly users: number;
  readonly watchers: number;
  /** Longest time between two changes of one administrator, and between two asks of one user. */
  readonly changeMaxUs: number;
  readonly askMaxUs: number;
}

const second = 1_000_000;

/** Of runs that have it for certain. */
export const authDefaults: AuthOptions = {
  admins: 1,
  users: 3,
  watchers: 2,
  changeMaxUs: second,
  askMaxUs: 500_000,
};

/** In one run of three. */
export function drawAuth(random: SimRandom): AuthOptions | null {
  if (!random.chance(1 / 3)) return null;
  return {
    admins: random.pick([1, 1, 2]),
    users: random.between(1, 4),
    watchers: random.below(3),
    changeMaxUs: random.pick([500_000, 2 * second, 8 * second]),
    askMaxUs: random.pick([500_000, 2 * second]),
  };
}

export class AuthLoad {
  readonly history: AuthHistory;
  readonly #admins: readonly AuthAdmin[];
  readonly #users: readonly AuthUser[];

  constructor(cluster: SimCluster, history: History, options: AuthOptions | null) {
    this.history = new AuthHistory(history);
    this.#admins = [];
    this.#users = [];
    if (options === null) return;
    history.credential = rootCredential;
    const random = cluster.world.random("auth");
    const people = new AuthPeople();
    const auth = this.history;
    const { admins, users, changeMaxUs, askMaxUs } = options;
    this.#admins = Array.from(
      { length: admins },
      (_, at) => new AuthAdmin(cluster, auth, people, random.fork(`admin ${at}`), changeMaxUs),
    );
    this.#users = Array.from({ length: users }, (_, number) => {
      const own = random.fork(`user ${number}`);
      const parts = { cluster, history, auth, people, number, paceMaxUs: askMaxUs };
      return new AuthUser({ ...parts, random: own });
    });
  }

  start(): void {
    for (const one of [...this.#admins, ...this.#users]) one.start();
  }

  /** What is in flight still gets its answer; users and rights stay as they are. */
  stop(): void {
    for (const one of [...this.#admins, ...this.#users]) one.stop();
  }
}
