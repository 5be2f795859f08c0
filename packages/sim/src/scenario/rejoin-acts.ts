// How a member loses what it has promised, and what must come of it (P3): one way for every story, so
// that each is told for wiped, rolled-back and damaged disks alike.
import { isJoint, type NodeId } from "@quorate/raft";
import { directoryOf } from "../cluster-options.ts";
import { isRejoining } from "../damage/damage-marks.ts";
import { isNoticed } from "../damage/noticed.ts";
import { UnsyncedFate } from "../disk/sim-file.ts";
import { durableImage } from "../durable-image.ts";
import type { DirectoryCopy } from "../sim-disk.ts";
import { MembershipActs } from "./membership-acts.ts";
import type { Scenario } from "./scenario.ts";

export const lossKinds = [
  "wiped",
  "rolled back",
  "end of log lost",
  "both manifests lost",
  "both identities lost",
] as const;
export type LossKind = (typeof lossKinds)[number];

/** One disk that fails; whatever is needed before is done when it is made. */
export class Loss {
  readonly #s: Scenario;
  readonly #name: string;
  readonly #kind: LossKind;
  readonly #copy: DirectoryCopy | null;
  /** Under which nobody may ever speak again. */
  readonly #raftIds: Set<NodeId>;

  constructor(s: Scenario, name: string, kind: LossKind) {
    this.#s = s;
    this.#name = name;
    this.#kind = kind;
    this.#raftIds = new Set([s.status(name).raftId]);
    this.#copy = kind === "rolled back" ? oldCopy(s, name) : null;
  }

  /** It dies, its disk fails, and it is started again. */
  now(): void {
    const s = this.#s;
    const name = this.#name;
    this.#raftIds.add(s.status(name).raftId);
    if (s.running(name)) s.kill(name);
    if (this.#copy !== null) s.disk(name).restore(this.#copy);
    else harm(s, name, this.#kind);
    s.start(name);
  }

  /** By itself, under another raft id. */
  waitUntilBack(): void {
    const s = this.#s;
    new MembershipActs(s).waitUntilItVotes(this.#name);
    const differs = (): boolean => !this.#raftIds.has(s.status(this.#name).raftId);
    s.waitFor("under another raft id", 10_000 + 20 * s.timeoutMs, differs);
    new MembershipActs(s).waitUntilItVotes(this.#name);
    const { voters } = s.conf(this.#name);
    s.expect("the lost raft id is out", !voters.some((id) => this.#raftIds.has(id)));
  }
}

function harm(s: Scenario, name: string, kind: LossKind): void {
  const disk = s.disk(name);
  if (kind === "wiped") return s.wipe(name);
  if (kind === "end of log lost") {
    disk.loseEndOfLog();
    // Under load nothing may say that there was more, and then it looks like a clean end (§3.4); or
    // something newer stands behind it, and then it is a hole.
    const { disk: medium, config } = s.member(name);
    const { marks } = durableImage(medium, config, UnsyncedFate.Keep, 1, true);
    if (isNoticed(medium, directoryOf(name)) && marks.some(isRejoining)) return;
    medium.damage.mend(directoryOf(name));
  }
  const pair = kind === "both identities lost" ? "IDENTITY-" : "MANIFEST-";
  for (const path of disk.files(pair)) disk.flip(path, 30);
}

/** Of a start before the present one, which all others have met. */
export function oldCopy(s: Scenario, name: string): DirectoryCopy {
  const copy = s.disk(name).copy();
  s.kill(name);
  s.start(name);
  s.waitForLeader(20 * s.timeoutMs, s.present());
  return copy;
}

/** One follower loses its disk under load; in the end it counts, under another raft id. */
export function oneComesBack(s: Scenario, members: number, kind: LossKind): void {
  const founder = s.found();
  const [victim] = s.others(founder) as [string];
  s.load();
  s.run(100);
  const loss = new Loss(s, victim, kind);
  const leader = s.waitForLeader(20 * s.timeoutMs);
  let learnt = false;
  s.whenMarked(
    leader,
    "turn.flushed",
    () => (learnt = true),
    () => s.conf(leader).learners.length > 0,
  );
  loss.now();
  loss.waitUntilBack();
  s.expect("learner first with an even number only", learnt === (members % 2 === 0));
  s.expect("as many vote as before", s.conf(victim).voters.length === members);
  s.endLoad();
  // It counts: with it, and without another one, writes go on.
  const [other] = s.others(leader, victim) as [string];
  s.kill(other);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others(other)), 5 * s.timeoutMs);
  s.start(other);
}

export const rejoinSteps = ["proposed", "joint", "left"] as const;
export type RejoinStep = (typeof rejoinSteps)[number];

/** The leader that gives the place back dies in the middle of it; whoever leads next goes on. */
export function leaderDiesAt(s: Scenario, step: RejoinStep, kind: LossKind): void {
  const founder = s.found();
  const [victim] = s.others(founder) as [string];
  const old = s.raftId(victim);
  const loss = new Loss(s, victim, kind);
  const leader = s.waitForLeader(20 * s.timeoutMs);
  const before = s.status(leader).lastIndex;
  let died = false;
  s.whenMarked(
    leader,
    "turn.flushed",
    () => {
      died = true;
      s.kill(leader);
    },
    () => {
      const conf = s.conf(leader);
      if (step === "joint") return isJoint(conf);
      if (step === "left") return !isJoint(conf) && !conf.voters.includes(old);
      const { lastIndex, applied } = s.status(leader);
      return s.running(victim) && lastIndex > before && lastIndex > applied;
    },
  );
  loss.now();
  s.waitFor("the leader dies", 10_000, () => died);
  loss.waitUntilBack();
  s.start(leader);
}
