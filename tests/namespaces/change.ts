// A cluster of three that becomes one of five and then one of three again, under writers, while somebody is
// killed or cut off at every stage of it. What must hold is held here; times are told.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { endOf, plainEnvironment, startQuorate } from "../processes/entry.ts";
import { type Members, until } from "./members.ts";
import type { Hosts } from "./net.ts";
import { notCommitted, Writers } from "./writers.ts";

export type How = "quorate members apply" | "etcdctl";

export const disturbances = [
  "nothing",
  "kill -9 of the leader",
  "kill -9 of a newcomer",
  "kill -9 of an old follower",
  "an old follower cut off",
] as const;
export type Disturbance = (typeof disturbances)[number];

/** Of all its tries. */
const applyMsMax = 120_000;
const old = [0, 1, 2];
const fresh = [3, 4];
const all = [...old, ...fresh];

export class Change {
  readonly #hosts: Hosts;
  readonly #members: Members;
  readonly #how: How;
  readonly #disturbance: Disturbance;
  readonly #tell: (text: string) => void;
  readonly #writers: Writers;
  #stages: number;

  constructor(
    hosts: Hosts,
    members: Members,
    how: How,
    disturbance: Disturbance,
    tell: (text: string) => void,
  ) {
    this.#hosts = hosts;
    this.#members = members;
    this.#how = how;
    this.#disturbance = disturbance;
    this.#tell = tell;
    this.#writers = new Writers(members, old, 2);
    this.#stages = 0;
  }

  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      this.#members.showLogs();
      throw error;
    }
  }

  async #run(): Promise<void> {
    await this.#members.leader(old);
    const startedMs = performance.now();
    try {
      await this.#grow();
      await this.#shrink();
    } finally {
      this.#hosts.heal();
      await this.#writers.stop();
    }
    await this.#settled();
    const terms = this.#assertOneLeaderATerm();
    const took = ((performance.now() - startedMs) / 1000).toFixed(1);
    const gap = this.#writers.longestGapMs().toFixed(0);
    const { length } = this.#writers.written.filter(({ code }) => code === GrpcCode.Ok);
    this.#tell(
      `${this.#how}, ${this.#disturbance}: ${this.#stages} times in ${took} s; ${length} writes ` +
        `acknowledged, longest time without one ${gap} ms; ${terms} leaders, each of a term of its own`,
    );
  }

  // ---- 3 → 5 → 3 ------------------------------------------------------------------------------------

  async #grow(): Promise<void> {
    if (this.#how === "etcdctl") {
      for (const at of fresh) {
        await this.#etcdctl("member", "add", this.#members.name(at), [
          `--peer-urls=${this.#members.peerUrl(at)}`,
        ]);
        this.#members.start(at);
        await this.#disturb();
        await this.#hasVoters([...old, ...fresh.slice(0, fresh.indexOf(at) + 1)]);
      }
    } else {
      const promoting = this.#onceLogged("promoting members that have caught up");
      const applied = this.#apply(all);
      await this.#lists(all.length);
      for (const at of fresh) this.#members.start(at);
      await this.#disturb();
      await promoting;
      await this.#disturb();
      await applied;
    }
    await this.#hasVoters(all);
  }

  async #shrink(): Promise<void> {
    if (this.#how === "etcdctl") {
      for (const at of fresh) {
        await this.#disturb();
        await this.#remove(at);
        await this.#hasVoters(all.filter((one) => one > at || old.includes(one)));
      }
    } else {
      const applied = this.#apply(old);
      await this.#disturb();
      await applied;
    }
    await this.#hasVoters(old);
    for (const at of fresh) {
      // It may have been dead when it could have been told.
      if (!this.#members.isRunning(at) && (await this.#members.ended(at)) !== 73) {
        this.#members.start(at);
      }
      const name = this.#members.name(at);
      await until(`${name} ends`, async () => (this.#members.isRunning(at) ? null : true));
      assert.equal(await this.#members.ended(at), 73, `${name} is told`);
    }
  }

  /** As often as it takes: what was asked may die, and while somebody is away it may be refused. */
  async #apply(wanted: readonly number[]): Promise<void> {
    const endMs = performance.now() + applyMsMax;
    for (let said = ""; ;) {
      assert.ok(performance.now() < endMs, `not carried out in ${applyMsMax} ms: ${said}`);
      const ended = await endOf(
        startQuorate([
          ...["members", "apply", this.#members.list(wanted), "--timeout", "10", "--wait", "60"],
          ...["--endpoints", all.map((at) => this.#members.address(at)).join(",")],
        ]),
      );
      if (ended.code === 0) return;
      said = ended.stderr;
      assert.match(said, /^Error: /, said);
      if (await this.#areVoters(wanted)) return;
    }
  }

  async #etcdctl(
    group: string,
    command: string,
    subject: string,
    flags: readonly string[],
  ): Promise<void> {
    await until(`etcdctl ${group} ${command} ${subject}`, async () => {
      const endpoints = old.map((at) => this.#members.address(at)).join(",");
      const words = [`--endpoints=${endpoints}`, group, command, subject, ...flags];
      const child = spawn("etcdctl", words, {
        env: { ...plainEnvironment(), ETCDCTL_API: "3" },
        stdio: ["pipe", "pipe", "pipe"],
      });
      const { code, stderr } = await endOf(child);
      // Its first try may have been carried out, and its answer lost.
      return code === 0 || /Peer URLs already exists|member not found/.test(stderr) ? true : null;
    });
  }

  async #remove(at: number): Promise<void> {
    const url = this.#members.peerUrl(at);
    const found = await until("a list of the members", () => this.#memberList());
    const member = found.find(({ peerURLs }) => peerURLs.includes(url));
    if (member === undefined) return;
    await this.#etcdctl("member", "remove", member.ID.toString(16), []);
  }

  // ---- what the members are -------------------------------------------------------------------------

  /** Linearizable: who has just started again would tell of the past. */
  async #memberList(): Promise<readonly etcd.Member[] | null> {
    const ask = create(etcd.MemberListRequestSchema, { linearizable: true });
    const request = toBinary(etcd.MemberListRequestSchema, ask);
    for (const at of old) {
      const path = "/etcdserverpb.Cluster/MemberList";
      const { code, message } = await this.#members.call(at, path, request);
      if (code !== GrpcCode.Ok || message === null) continue;
      return fromBinary(etcd.MemberListResponseSchema, message).members;
    }
    return null;
  }

  async #lists(count: number): Promise<void> {
    await until(`${count} members`, async () => {
      const found = await this.#memberList();
      return found?.length === count ? true : null;
    });
  }

  async #areVoters(wanted: readonly number[]): Promise<boolean> {
    const found = await this.#memberList();
    const urls = wanted.map((at) => this.#members.peerUrl(at));
    return (
      found?.length === wanted.length &&
      found.every(({ isLearner, peerURLs, clientURLs }) => {
        // Who has told no client URL has not started yet; added as a voter, it is listed as one.
        return !isLearner && clientURLs.length > 0 && urls.includes(peerURLs[0]!);
      })
    );
  }

  async #hasVoters(wanted: readonly number[]): Promise<void> {
    const names = wanted.map((at) => this.#members.name(at)).join(", ");
    await until(`${names} vote`, async () => ((await this.#areVoters(wanted)) ? true : null));
  }

  /** Whoever leads then says it. */
  #onceLogged(message: string): Promise<true> {
    return until(message, async () => {
      const logs = old.map((at) => this.#members.log(at));
      return logs.some((log) => log.includes(`"msg":"${message}"`)) ? true : null;
    });
  }

  // ---- disturbances ---------------------------------------------------------------------------------

  async #disturb(): Promise<void> {
    if (this.#disturbance === "nothing") return;
    this.#stages += 1;
    const victim = await this.#victim();
    if (victim === null) return;
    const others = all.filter((at) => at !== victim);
    if (this.#disturbance === "an old follower cut off") {
      this.#hosts.split([victim], others);
      await until("it misses its leader", async () => {
        const status = await this.#members.status(victim);
        return status?.leader === "" ? true : null;
      });
      await this.#writesGoOn(victim);
      this.#hosts.heal();
      return;
    }
    await this.#members.kill(victim);
    await this.#writesGoOn(victim);
    this.#members.start(victim);
  }

  async #victim(): Promise<number | null> {
    if (this.#disturbance === "kill -9 of a newcomer") {
      return fresh.find((at) => this.#members.isRunning(at)) ?? null;
    }
    const leads = this.#disturbance === "kill -9 of the leader";
    return until("a leader", async () => {
      const statuses = await Promise.all(all.map((at) => this.#members.status(at)));
      const leader = all.find((at) => statuses[at]?.role === "leader");
      if (leader === undefined) return null;
      if (leads) return leader;
      return old.find((at) => at !== leader && statuses[at]?.leader !== "") ?? null;
    });
  }

  async #writesGoOn(without: number): Promise<void> {
    const sinceMs = performance.now();
    const others = old.filter((at) => at !== without);
    await until("writes go on", async () =>
      this.#writers.successesOn(others, sinceMs) > 20 ? true : null,
    );
  }

  // ---- what must hold -------------------------------------------------------------------------------

  /** The three hold the same, and what was said of each write is true. */
  async #settled(): Promise<void> {
    for (const at of old) if (!this.#members.isRunning(at)) this.#members.start(at);
    await this.#members.leader(old);
    await until("equal digests", async () => {
      const statuses = await Promise.all(old.map((at) => this.#members.status(at)));
      const seen = new Set(statuses.map((s) => `${s?.applied}/${s?.liveDigest}/${s?.applyDigest}`));
      return seen.size === 1 ? true : null;
    });
    for (const at of old) {
      const present = await this.#members.all(at, "w/");
      for (const { key, code, text } of this.#writers.written) {
        if (code === GrpcCode.Ok) assert.equal(present.get(key), key, `${key} is lost`);
        else if (notCommitted.includes(text)) assert.ok(!present.has(key), `${key}: ${text}`);
      }
    }
  }

  /** How many terms were led. */
  #assertOneLeaderATerm(): number {
    const leaders = new Map<number, string>();
    for (const at of all) {
      const name = this.#members.name(at);
      const lines = this.#members
        .logged(at)
        .filter((line) => line.includes('"msg":"role changed"'));
      for (const line of lines) {
        const { role, term } = JSON.parse(line) as { role: string; term: number };
        if (role !== "leader") continue;
        assert.equal(leaders.get(term) ?? name, name, `two leaders of term ${term}`);
        leaders.set(term, name);
      }
    }
    assert.ok(leaders.size > 0, "somebody led");
    return leaders.size;
  }
}
