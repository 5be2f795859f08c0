// The commands of transcripts, on a cluster in which nothing moves by itself. Every command checks
// the invariants of every member it leaves behind.
//
//   add-nodes 1,2,3 [voters=1,2] [learners=3] [quiet] [inflight=N] [message-bytes=N] [batches=N]
//                   [uncommitted=N] [jitter=N: default 10 × (id - 1)] [no-hello] [log=TERM,TERM…]
//                   [rank-slot=N] [late]
//   campaign N | tick N COUNT | propose N TEXT [xCOUNT] | propose-large N BYTES | read N CONTEXT
//   conf N CHANGE… (auto|joint|explicit|leave|rollback, voter ID, learner ID, remove ID)
//   transfer N TO | checkpoint N | compact N INDEX | clock N MS | level N LEVEL
//   async-disk N | sync-disk N | persist N [COUNT] | async-apply N | sync-apply N | apply N [COUNT]
//   ready N | deliver N [from=M] [TYPE…] | drop [N] [from=M] [TYPE…] | duplicate [N] [from=M] [TYPE…]
//   pass TICKS | stabilize [N,M] | crash N | restart N [quiet] [no-hello] | hello N M
//   hello-of N to=M session=S term=T last=I | leader-gone N LEADER | end-quiet N | unreachable N M
//   prefer N ID PREFERENCE | lose N INDEX (a crashed member's entries above it) | mend N FROM
//   any command: silent (its output is not printed)
//   partition 1,2 3 | heal | status N… | log N | progress N | network
import assert from "node:assert/strict";
import { ConfChange, ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { describeConfState } from "../confchange/conf-state.ts";
import {
  describeEntry,
  describeMessage,
  describeProgress,
  describeReady,
  describeRole,
  nameOf,
} from "../describe.ts";
import { EntryKind, Proposal } from "../entry.ts";
import { MessageType } from "../message.ts";
import { ProposeOutcome, ReadOutcome, StepOutcome, TransferOutcome } from "../raft-api.ts";
import { ConfState, Role } from "../types.ts";
import type { NodeId } from "../types.ts";
import { copyOf, TestCluster } from "./cluster.ts";
import type { InFlight } from "./cluster.ts";
import type { MemberOptions, TestMember } from "./member.ts";

const stepsMax = 10_000;

/** A command's words: positional ones, `key=value` ones and bare flags. */
class Args {
  readonly words: readonly string[];

  constructor(words: readonly string[]) {
    this.words = words;
  }

  get plain(): string[] {
    return this.words.filter((word) => !word.includes("="));
  }

  number(at: number): number {
    const word = this.plain[at];
    const value = Number(word);
    assert(
      word !== undefined && Number.isInteger(value),
      `a number is missing: ${this.words.join(" ")}`,
    );
    return value;
  }

  option(name: string): string | null {
    const word = this.words.find((w) => w.startsWith(`${name}=`));
    return word === undefined ? null : word.slice(name.length + 1);
  }

  numberOption(name: string): number | null {
    const text = this.option(name);
    return text === null ? null : Number(text);
  }

  has(flag: string): boolean {
    return this.words.includes(flag);
  }
}

function ids(text: string): NodeId[] {
  return text === "" ? [] : text.split(",").map(Number);
}

export class TranscriptWorld {
  readonly #cluster: TestCluster;

  constructor() {
    this.#cluster = new TestCluster();
  }

  run(line: string): string[] {
    const [name, ...words] = line.split(/\s+/);
    const lines = this.#dispatch(name!, new Args(words));
    for (const member of this.#cluster.up) member.check();
    return words.includes("silent") ? [] : lines;
  }

  #dispatch(name: string, args: Args): string[] {
    switch (name) {
      case "add-nodes":
        return this.#addNodes(args);
      case "ready":
        return this.#readyAll(this.#member(args));
      case "deliver":
        return this.#deliver(args);
      case "drop":
      case "duplicate":
        return this.#tamper(name, args);
      case "stabilize":
        return this.#stabilize(args);
      case "pass":
        return this.#pass(args.number(0));
      case "crash":
      case "lose":
      case "restart":
      case "hello":
      case "hello-of":
      case "partition":
      case "heal":
        return this.#environment(name, args);
      case "status":
      case "log":
      case "progress":
      case "network":
        return this.#show(name, args);
      case "async-disk":
      case "sync-disk":
      case "persist":
      case "async-apply":
      case "sync-apply":
      case "apply":
        return this.#hostWork(name, this.#member(args), args);
      default:
        return this.#input(name, this.#member(args), args);
    }
  }

  #member(args: Args): TestMember {
    return this.#cluster.get(args.number(0));
  }

  #addNodes(args: Args): string[] {
    const added = ids(args.plain[0]!);
    const voters = ids(args.option("voters") ?? args.plain[0]!);
    const conf = new ConfState(voters, [], ids(args.option("learners") ?? ""), [], false);
    const terms = ids(args.option("log") ?? "");
    for (const id of added) this.#cluster.add(id, conf, nodeOptions(args, id), terms);
    if (args.has("no-hello")) return [];
    for (const a of added) {
      for (const b of this.#cluster.members.keys()) {
        if (a < b || !added.includes(b)) if (a !== b) this.#cluster.hello(a, b);
      }
    }
    return [];
  }

  #input(name: string, member: TestMember, args: Args): string[] {
    const { node } = member;
    switch (name) {
      case "campaign":
        node.campaign();
        return [];
      case "tick":
        for (let left = args.number(1); left > 0; left--) node.tick();
        return [];
      case "propose":
        return this.#propose(member, args);
      case "propose-large": {
        const outcome = node.propose([new Proposal(16, new Uint8Array(args.number(1)))]);
        return accepted(ProposeOutcome, outcome);
      }
      case "level": {
        const level = args.number(1);
        const outcome = node.propose([
          new Proposal(EntryKind.Level, Uint8Array.of(level, 0, 0, 0)),
        ]);
        return accepted(ProposeOutcome, outcome);
      }
      case "read":
        return accepted(ReadOutcome, node.readIndex(args.number(1)));
      case "conf":
        return accepted(ProposeOutcome, node.proposeConfChange(confChange(args)));
      case "transfer":
        return accepted(TransferOutcome, node.transferLeadership(args.number(1)));
      case "clock":
        node.clock(args.number(1));
        return [];
      case "leader-gone": {
        const leader = this.#cluster.get(args.number(1));
        node.leaderGone(leader.id, leader.session);
        return [];
      }
      case "mend":
        return [
          node.mended(this.#cluster.get(args.number(1)).entriesFrom(node.lastIndex() + 1))
            ? "mended"
            : "refused",
        ];
      case "end-quiet":
        node.endQuiet();
        return [];
      case "unreachable":
        node.peerUnreachable(args.number(1));
        return [];
      case "prefer":
        node.preferSuccessor(args.number(1), args.number(2));
        return [];
      case "checkpoint":
        return [`checkpoint at ${member.checkpoint().index}`];
      case "compact":
        member.compact(args.number(1));
        return [];
      default:
        return assert.fail(`unknown command ${name}`);
    }
  }

  #propose(member: TestMember, args: Args): string[] {
    const text = args.plain[1]!;
    const repeat = args.plain[2];
    const count = repeat === undefined ? 1 : Number(repeat.slice(1));
    for (let i = 1; i <= count; i++) {
      const payload = new Uint8Array(Buffer.from(count === 1 ? text : `${text}${i}`, "latin1"));
      const outcome = member.node.propose([new Proposal(16, payload)]);
      if (outcome !== ProposeOutcome.Accepted) return accepted(ProposeOutcome, outcome);
    }
    return [];
  }

  #hostWork(name: string, member: TestMember, args: Args): string[] {
    switch (name) {
      case "async-disk":
      case "sync-disk":
        member.asyncDisk = name === "async-disk";
        return [];
      case "async-apply":
      case "sync-apply":
        member.asyncApply = name === "async-apply";
        return [];
      default: {
        const count = args.plain.length > 1 ? args.number(1) : 1;
        for (let i = 0; i < count; i++) {
          const done =
            name === "persist" ? member.persistOne(this.#cluster.send) : member.applyOne();
          if (!done) return ["nothing to do"];
        }
        return [];
      }
    }
  }

  // ---- Outputs and messages -----------------------------------------------------------------------

  #readyAll(member: TestMember): string[] {
    const lines: string[] = [];
    for (let i = 0; i < stepsMax; i++) {
      const ready = member.takeReady(this.#cluster.send);
      if (ready !== null) lines.push(...describeReady(ready));
      const worked = this.#autoWork(member);
      if (ready === null && !worked) return lines;
    }
    return assert.fail("a member never comes to rest");
  }

  #autoWork(member: TestMember): boolean {
    let worked = false;
    while (!member.asyncDisk && member.persistOne(this.#cluster.send)) worked = true;
    while (!member.asyncApply && member.applyOne()) worked = true;
    return worked;
  }

  #select(args: Args, to: NodeId | null): (item: InFlight) => boolean {
    const from = args.numberOption("from");
    const types = args.plain.filter((word) => word in MessageType);
    return ({ message }) =>
      (to === null || message.to === to) &&
      (from === null || message.from === from) &&
      (types.length === 0 || types.includes(nameOf(MessageType, message.type)));
  }

  #deliver(args: Args): string[] {
    const member = this.#member(args);
    const wanted = this.#select(args, member.id);
    const items = this.#cluster.network.filter(wanted);
    this.#cluster.network = this.#cluster.network.filter((item) => !wanted(item));
    return items.map((item) => this.#deliverOne(item));
  }

  #deliverOne(item: InFlight): string {
    const outcome = this.#cluster.deliver(item);
    const ignored = outcome === StepOutcome.IgnoredStale ? " (ignored)" : "";
    return `${describeMessage(item.message)}${ignored}`;
  }

  #tamper(name: string, args: Args): string[] {
    const to = args.plain.length > 0 && /^\d+$/.test(args.plain[0]!) ? args.number(0) : null;
    const wanted = this.#select(args, to);
    const items = this.#cluster.network.filter(wanted);
    if (name === "duplicate") {
      for (const { message, content } of items) {
        this.#cluster.network.push({ message: copyOf(message), content });
      }
    } else {
      this.#cluster.network = this.#cluster.network.filter((item) => !wanted(item));
      for (const item of items) this.#cluster.lose(item);
    }
    return items.map((item) => describeMessage(item.message));
  }

  #stabilize(args: Args): string[] {
    const chosen = args.plain.find((word) => /^[\d,]+$/.test(word));
    const members = chosen === undefined ? null : ids(chosen);
    const lines: string[] = [];
    for (let round = 0; round < stepsMax; round++) {
      const before = lines.length;
      for (const member of this.#cluster.up) {
        if (members === null || members.includes(member.id)) this.#turn(member, members, lines);
      }
      if (lines.length === before) return lines;
    }
    return assert.fail("the cluster never comes to rest");
  }

  /** Time for everybody, with all messages delivered within a tick. */
  #pass(ticks: number): string[] {
    for (let left = ticks; left > 0; left--) {
      for (const member of this.#cluster.up) member.node.tick();
      this.#stabilize(new Args([]));
    }
    return [];
  }

  #turn(member: TestMember, members: readonly NodeId[] | null, lines: string[]): void {
    const isWanted = (item: InFlight): boolean =>
      item.message.to === member.id && (members === null || members.includes(item.message.from));
    const items = this.#cluster.network.filter(isWanted);
    if (items.length > 0) {
      this.#cluster.network = this.#cluster.network.filter((item) => !isWanted(item));
      lines.push(`> ${member.id} receives`);
      for (const item of items) lines.push(`  ${this.#deliverOne(item)}`);
    }
    const outputs = this.#readyAll(member);
    if (outputs.length > 0) {
      lines.push(`> ${member.id} ready`, ...outputs.map((line) => `  ${line}`));
    }
    member.check();
  }

  // ---- Processes and links ------------------------------------------------------------------------

  #environment(name: string, args: Args): string[] {
    const cluster = this.#cluster;
    switch (name) {
      case "crash":
        cluster.crash(args.number(0));
        return [];
      case "lose":
        cluster.get(args.number(0)).loseEntries(args.number(1));
        return [];
      case "restart": {
        const id = args.number(0);
        cluster.dropTraffic(id);
        cluster.get(id).restart({ quiet: args.has("quiet") });
        if (args.has("no-hello")) return [];
        return cluster.up
          .filter((member) => member.id !== id && cluster.hello(id, member.id))
          .map((member) => `${member.id} finds ${id} REGRESSED`);
      }
      case "hello": {
        const [a, b] = [args.number(0), args.number(1)];
        return cluster.hello(a, b) ? [`${a} and ${b}: REGRESSED`] : [];
      }
      case "hello-of": {
        const hearer = cluster.get(args.numberOption("to")!);
        const [session, term, last] = ["session", "term", "last"].map((n) => args.numberOption(n)!);
        const regressed = hearer.node.peerSession(args.number(0), session!, term!, last!);
        return [regressed ? "REGRESSED" : "accepted"];
      }
      case "partition": {
        cluster.groups = args.plain.map(ids);
        const cut = (item: InFlight): boolean =>
          !cluster.connected(item.message.from, item.message.to);
        const lost = cluster.network.filter(cut);
        cluster.network = cluster.network.filter((item) => !cut(item));
        for (const item of lost) cluster.lose(item);
        return [];
      }
      default:
        cluster.groups = null;
        return [];
    }
  }

  #show(name: string, args: Args): string[] {
    if (name === "network") return this.#cluster.network.map((i) => describeMessage(i.message));
    const chosen = args.plain.map(Number);
    const members = this.#cluster.up.filter((m) => chosen.length === 0 || chosen.includes(m.id));
    if (name === "status") return members.map((member) => describeStatus(member));
    const member = members[0]!;
    if (name === "progress") return member.node.status().progress.map(describeProgress);
    const { tail } = member.node.core.log;
    const lines = tail.baseIndex > 0 ? [`${tail.baseTerm}/${tail.baseIndex} compacted`] : [];
    for (let i = tail.baseIndex + 1; i <= tail.lastIndex; i++) {
      lines.push(describeEntry(tail.at(i)));
    }
    return lines.length === 0 ? ["empty"] : lines;
  }
}

function describeStatus(member: TestMember): string {
  const s = member.node.status();
  let text = `${s.id}: ${describeRole(s.role)} term=${s.term} vote=${s.vote} leader=${s.leader}`;
  text += ` last=${s.lastTerm}/${s.lastIndex} durable=${s.durableIndex}`;
  text += ` committed=${s.committed} applied=${s.applied}`;
  text += ` ${describeConfState(s.confState)}`;
  if (s.promised !== null) text += ` promised=${s.promised.term}/${s.promised.index}`;
  if (s.quiet) text += " quiet";
  const { state } = member.node.core;
  if (state.role === Role.Follower && state.rank > 0) text += ` rank=${state.rank}`;
  if (s.transferee !== 0) text += ` transferee=${s.transferee}`;
  return text;
}

function nodeOptions(args: Args, id: NodeId): MemberOptions {
  const options: { -readonly [K in keyof MemberOptions]: MemberOptions[K] } = {};
  const set = (name: string, key: "inflightMessagesMax" | "messageBytesMax"): void => {
    const value = args.numberOption(name);
    if (value !== null) options[key] = value;
  };
  set("inflight", "inflightMessagesMax");
  set("message-bytes", "messageBytesMax");
  const batches = args.numberOption("batches");
  if (batches !== null) options.persistBatchesInFlightMax = batches;
  const uncommitted = args.numberOption("uncommitted");
  if (uncommitted !== null) options.uncommittedBytesMax = uncommitted;
  // Ranked: who has the lower id is first, by 10 ticks each.
  const jitter = args.numberOption("jitter") ?? 10 * (id - 1);
  options.random = { below: (n) => Math.min(jitter, n - 1) };
  const slot = args.numberOption("rank-slot");
  if (slot !== null) {
    options.electionRankSlotTicks = slot;
    options.electionRankJitterTicks = 0;
  }
  if (args.has("late")) options.lateVoteAnswers = true;
  if (args.has("quiet")) options.quiet = true;
  return options;
}

const transitions: Readonly<Record<string, ConfTransition>> = {
  auto: ConfTransition.Auto,
  joint: ConfTransition.JointAutoLeave,
  explicit: ConfTransition.JointExplicit,
  leave: ConfTransition.Leave,
  rollback: ConfTransition.Rollback,
};

const changeTypes: Readonly<Record<string, ConfChangeType>> = {
  voter: ConfChangeType.AddVoter,
  learner: ConfChangeType.AddLearner,
  remove: ConfChangeType.Remove,
};

function confChange(args: Args): ConfChange {
  let transition: ConfTransition = ConfTransition.Auto;
  const singles: ConfChangeSingle[] = [];
  const words = args.plain.slice(1);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word in transitions) {
      transition = transitions[word]!;
    } else {
      singles.push(new ConfChangeSingle(changeTypes[word]!, Number(words[i + 1])));
      i++;
    }
  }
  return new ConfChange(transition, singles, new Uint8Array(0));
}

function accepted(names: Readonly<Record<string, number>>, outcome: number): string[] {
  const name = nameOf(names, outcome);
  return name === "Accepted" || name === "Started" ? [] : [name];
}
