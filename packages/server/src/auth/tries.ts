// How often somebody may try a password at this member (reliability.md §6.3): each address, each user,
// and a user from an address that keeps failing. An address from which a user has come in before is not
// held up by what others try in that user's name, or anybody could lock everybody out.

/** Of all tries from one address, in a second, and at once: a machine may begin with all its clients. */
const triesPerAddress = 50;
const triesPerAddressAtOnce = 100;
/** Of tries that have failed: so many a second for each user, and so many at once. */
const failuresPerUser = 5;
const failuresPerUserAtOnce = 10;
/** From the tenth failure in a row on, a user waits at an address, twice as long each time. */
const waitMsMin = 1000;
const waitMsMax = 60_000;
/** What is remembered of each kind; past it the oldest is forgotten. */
const rememberedMax = 10_000;
/** A failure is forgotten after so long without another one. */
const forgetMs = 600_000;

/** A bucket that fills by itself. */
interface Bucket {
  left: number;
  atMs: number;
}

/** One user at one address. */
interface Pair {
  /** In a row. */
  failures: number;
  lastMs: number;
  waitUntilMs: number;
  hasComeIn: boolean;
}

export class Tries {
  readonly #addresses: Map<string, Bucket>;
  readonly #users: Map<string, Bucket>;
  readonly #pairs: Map<string, Pair>;

  constructor() {
    this.#addresses = new Map();
    this.#users = new Map();
    this.#pairs = new Map();
  }

  /** Takes a try, unless it is one too many. `nowMs`: monotonic. */
  take(user: string, address: string, nowMs: number): boolean {
    const pair = this.#pairs.get(pairOf(user, address));
    if (pair !== undefined && nowMs < pair.waitUntilMs) return false;
    if (!(pair?.hasComeIn ?? false)) {
      const ofUser = filled(this.#users.get(user), failuresPerUser, failuresPerUserAtOnce, nowMs);
      if (ofUser.left < 1) return false;
    }
    const before = this.#addresses.get(address);
    const ofAddress = filled(before, triesPerAddress, triesPerAddressAtOnce, nowMs);
    if (ofAddress.left < 1) return false;
    ofAddress.left -= 1;
    remember(this.#addresses, address, ofAddress);
    return true;
  }

  failed(user: string, address: string, nowMs: number): void {
    const ofUser = filled(this.#users.get(user), failuresPerUser, failuresPerUserAtOnce, nowMs);
    ofUser.left = Math.max(0, ofUser.left - 1);
    remember(this.#users, user, ofUser);
    const name = pairOf(user, address);
    const before = this.#pairs.get(name);
    const isOld = before === undefined || nowMs - before.lastMs > forgetMs;
    const failures = (isOld ? 0 : before.failures) + 1;
    const over = failures - failuresPerUserAtOnce;
    const waitMs = over < 0 ? 0 : Math.min(waitMsMax, waitMsMin * 2 ** Math.min(over, 16));
    const hasComeIn = before?.hasComeIn ?? false;
    const pair = { failures, lastMs: nowMs, waitUntilMs: nowMs + waitMs, hasComeIn };
    remember(this.#pairs, name, pair);
  }

  succeeded(user: string, address: string, nowMs: number): void {
    const pair = { failures: 0, lastMs: nowMs, waitUntilMs: 0, hasComeIn: true };
    remember(this.#pairs, pairOf(user, address), pair);
  }
}

function pairOf(user: string, address: string): string {
  return `${address} ${user}`;
}

function filled(
  bucket: Bucket | undefined,
  perSecond: number,
  most: number,
  nowMs: number,
): Bucket {
  if (bucket === undefined) return { left: most, atMs: nowMs };
  const left = bucket.left + ((nowMs - bucket.atMs) / 1000) * perSecond;
  return { left: Math.min(most, left), atMs: nowMs };
}

/** The newest last; what is oldest goes. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= rememberedMax) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
