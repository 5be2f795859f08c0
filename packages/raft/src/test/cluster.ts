// Members and the messages between them, for transcripts and model tests: nothing moves by itself.
import assert from "node:assert/strict";
import { Message, MessageType } from "../message.ts";
import type { ConfState, NodeId, Term } from "../types.ts";
import { TestMember } from "./member.ts";
import type { Checkpoint, MemberOptions } from "./member.ts";

export interface InFlight {
  readonly message: Message;
  /** What an InstallSnapshot brings along. */
  readonly content: Checkpoint | null;
}

export class TestCluster {
  readonly members: Map<NodeId, TestMember>;
  /** In order of sending. */
  network: InFlight[];
  /** Ids that hear each other; null: everybody. */
  groups: readonly (readonly NodeId[])[] | null;

  constructor() {
    this.members = new Map();
    this.network = [];
    this.groups = null;
  }

  add(
    id: NodeId,
    conf: ConfState,
    options: MemberOptions,
    terms: readonly Term[] = [],
  ): TestMember {
    const member = new TestMember(id, conf, options, terms);
    this.members.set(id, member);
    return member;
  }

  get(id: NodeId): TestMember {
    const member = this.members.get(id);
    assert(member !== undefined, `no member ${id}`);
    return member;
  }

  get up(): TestMember[] {
    return [...this.members.values()].filter((member) => member.isUp);
  }

  connected(a: NodeId, b: NodeId): boolean {
    if (this.groups === null) return true;
    return this.groups.some((group) => group.includes(a) && group.includes(b));
  }

  readonly send = (message: Message): void => {
    let sent = message;
    let content: Checkpoint | null = null;
    if (message.type === MessageType.InstallSnapshot) {
      // The host sends its newest checkpoint, which may be newer than the one asked for.
      content = this.get(message.from).disk.checkpoint;
      assert(content !== null && message.snapshot !== null);
      assert(content.meta.index >= message.snapshot.index);
      sent = copyOf(message);
      sent.snapshot = content.meta;
    }
    if (this.connected(message.from, message.to)) this.network.push({ message: sent, content });
    else this.lose({ message: sent, content });
  };

  deliver(item: InFlight): number {
    const { message } = item;
    const member = this.members.get(message.to);
    if (member === undefined || !member.isUp) {
      this.lose(item);
      return 0;
    }
    const outcome = member.step(message, item.content);
    if (message.type === MessageType.InstallSnapshot) this.#transferEnded(message, true);
    return outcome;
  }

  lose(item: InFlight): void {
    if (item.message.type === MessageType.InstallSnapshot) this.#transferEnded(item.message, false);
  }

  #transferEnded(message: Message, ok: boolean): void {
    const sender = this.members.get(message.from);
    if (sender !== undefined && sender.isUp && sender.session === message.session) {
      sender.node.snapshotSent(message.to, ok);
    }
  }

  /** Both learn of each other's process, as after a connection is made. True: somebody REGRESSED. */
  hello(a: NodeId, b: NodeId): boolean {
    const first = this.introduce(a, b);
    return this.introduce(b, a) || first;
  }

  /** `to` hears the hello of `from`. */
  introduce(from: NodeId, to: NodeId): boolean {
    const speaker = this.get(from);
    const hearer = this.get(to);
    if (!speaker.isUp || !hearer.isUp || !this.connected(from, to)) return false;
    const { term } = speaker.disk.hardState;
    return hearer.node.peerSession(from, speaker.session, term, speaker.durableLastIndex);
  }

  /** What was on its way to or from the old process is gone. */
  dropTraffic(id: NodeId): void {
    const lost = this.network.filter((item) => involves(item, id));
    this.network = this.network.filter((item) => !involves(item, id));
    for (const item of lost) this.lose(item);
  }

  crash(id: NodeId): void {
    this.get(id).isUp = false;
    this.dropTraffic(id);
  }
}

function involves(item: InFlight, id: NodeId): boolean {
  return item.message.from === id || item.message.to === id;
}

export function copyOf(message: Message): Message {
  const copy = new Message(message.type, message.from, message.to, message.term);
  return Object.assign(copy, message);
}
