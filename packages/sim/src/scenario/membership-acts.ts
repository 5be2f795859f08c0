// What a story does with the members of its cluster through the host's own requests, as an operator
// would, and how it was answered.
import {
  type Failure,
  FailureCode,
  MemberAim,
  MemberError,
  type MemberRequest,
  MemberRequestKind,
} from "@quorate/host";
import { isJoint } from "@quorate/raft";
import type { Scenario } from "./scenario.ts";

export class MemberAsk {
  done: boolean;
  failure: Failure | null;

  constructor() {
    this.done = false;
    this.failure = null;
  }

  get pending(): boolean {
    return !this.done && this.failure === null;
  }

  /** Refused by a rule of membership; `None`: not, or not yet. */
  get error(): MemberError {
    return this.failure?.memberError ?? MemberError.None;
  }
}

export class MembershipActs {
  readonly #s: Scenario;

  constructor(s: Scenario) {
    this.#s = s;
  }

  // ---- Requests, at any member ---------------------------------------------------------------------

  add(by: string, name: string, aim: MemberAim = MemberAim.Voter): MemberAsk {
    const { memberId, members } = this.#s.member(name).config;
    const peerUrls = members.find((m) => m.memberId === memberId)!.peerUrls;
    return this.#ask(by, `adds ${name}`, {
      kind: MemberRequestKind.Add,
      memberId,
      name: "",
      peerUrls,
      aim,
    });
  }

  remove(by: string, name: string): MemberAsk {
    const { memberId } = this.#s.member(name).config;
    return this.#ask(by, `removes ${name}`, { kind: MemberRequestKind.Remove, memberId });
  }

  /** In one request, and one change (P2 instead of etcd's counts). */
  removeAll(by: string, names: readonly string[]): MemberAsk {
    const { Remove, Several } = MemberRequestKind;
    const changes = names.map((name) => {
      return { kind: Remove, memberId: this.#s.member(name).config.memberId } as const;
    });
    const request = { kind: Several, changes, force: false } as const;
    return this.#ask(by, `removes ${names.join(" and ")}`, request);
  }

  promote(by: string, name: string): MemberAsk {
    const { memberId } = this.#s.member(name).config;
    return this.#ask(by, `promotes ${name}`, { kind: MemberRequestKind.Promote, memberId });
  }

  update(by: string, name: string, peerUrls: readonly string[]): MemberAsk {
    const { memberId } = this.#s.member(name).config;
    const request = { kind: MemberRequestKind.Update, memberId, peerUrls } as const;
    return this.#ask(by, `updates ${name}`, request);
  }

  #ask(by: string, what: string, request: MemberRequest): MemberAsk {
    const ask = new MemberAsk();
    const { incarnation, host } = this.#s.member(by);
    this.#s.timeline.tell(by, what);
    if (incarnation === null || !incarnation.alive || host === null) return ask;
    const told = (): void => this.#s.timeline.tell(by, `${what}: ${outcome(ask)}`);
    incarnation.run(() => {
      host.changeMembers(request, {
        reply: () => {
          ask.done = true;
          told();
        },
        fail: (failure) => {
          ask.failure = failure;
          told();
        },
      });
    });
    return ask;
  }

  // ---- And to their ends ---------------------------------------------------------------------------

  /** etcd counts nobody as healthy whose connection has not stood for five seconds. */
  waitUntilHealthy(): void {
    this.#s.run(6_000);
  }

  /** Asked again as long as it is only not possible now. */
  must(what: string, ask: () => MemberAsk, withinMs: number = 10_000): void {
    let current = ask();
    const again = [MemberError.Unhealthy, MemberError.LearnerNotReady] as const;
    this.#s.waitFor(what, withinMs, () => {
      const { failure } = current;
      if (failure === null) return current.done;
      const retry =
        failure.code !== FailureCode.Membership || again.some((one) => one === current.error);
      if (!retry) return current.error === MemberError.IdExists;
      current = ask();
      return false;
    });
  }

  /** Its process starts on an empty directory. */
  start(name: string): void {
    this.#s.cluster.absent.delete(name);
    this.#s.start(name);
  }

  isVoter(by: string, name: string): boolean {
    const conf = this.#s.inside(by)?.raft.core.conf;
    const { memberId } = this.#s.member(name).config;
    const raftId = this.#s.status(by).members.find((m) => m.memberId === memberId)?.raftId ?? 0;
    return conf !== undefined && !isJoint(conf) && conf.voters.includes(raftId);
  }

  /** Under the raft id that its present directory has, after it has lost another one. */
  waitUntilItVotes(name: string): void {
    const s = this.#s;
    s.waitFor(`${name} votes again`, 10_000 + 20 * s.timeoutMs, () => {
      if (!s.running(name) || s.inside(name) === null || !this.isVoter(name, name)) return false;
      return s.conf(name).voters.includes(s.status(name).raftId);
    });
  }

  /** Its start finds that it cannot know what it has promised; then as with a lost disk. */
  waitUntilItIsBack(name: string, quarantines: number = 1): void {
    const s = this.#s;
    const aside = (): boolean => s.disk(name).quarantines === quarantines;
    s.waitFor(`${name} sets its directory aside`, 10_000, aside);
    this.waitUntilItVotes(name);
  }

  /** From the request to a voter that serves. */
  addAndWait(by: string, name: string): void {
    this.must(`${by} adds ${name}`, () => this.add(by, name));
    this.start(name);
    this.#s.waitFor(`${name} votes`, 20_000, () => this.isVoter(name, name));
  }

  /** It is told, and ends; the story goes on without it. */
  removeAndWait(by: string, name: string): void {
    this.leaves(name);
    this.must(`${by} removes ${name}`, () => this.remove(by, name));
    this.#s.waitForExit(name, 73, 10_000);
  }

  /** Put on record at another address, and started there; nobody is at the old one any more. */
  move(name: string, address: string): void {
    const s = this.#s;
    this.must(`${name} is on record at ${address}`, () =>
      this.update(name, name, [`http://${address}`]),
    );
    s.kill(name);
    s.timeline.tell(name, `is at ${address} now`);
    s.cluster.network.move(name, [address]);
    const { members } = s.member(name).config;
    const own = { peerUrls: [`http://${address}`], peerAddresses: [address] };
    s.configure(name, { members: members.map((m) => (m.name === name ? { ...m, ...own } : m)) });
    s.start(name);
  }

  /** From now on it may be told that it is removed. */
  leaves(name: string): void {
    this.#s.cluster.absent.add(name);
    this.#s.watch.mayExit.add(name);
  }
}

function outcome({ done, failure }: MemberAsk): string {
  if (done) return "done";
  return failure === null ? "pending" : `failed, code ${failure.code} ${failure.memberError}`;
}
