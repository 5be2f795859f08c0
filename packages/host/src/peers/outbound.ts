// What leaves for the accepted sessions: which queue, which link, encoded once a turn. Owns the
// sessions' remotes; how they come to be accepted is not its business.
import { assert } from "@quorate/base";
import { MessageType } from "@quorate/raft";
import type { Message, NodeId } from "@quorate/raft";
import * as codec from "./forward-codec.ts";
import { FrameType } from "./frame.ts";
import { LinkClass } from "./hello.ts";
import { encodeLeaseAnswer, encodeLeaseAsk } from "./lease-codec.ts";
import type { LeaseAnswer, LeaseAsk } from "./lease-codec.ts";
import { encodeLogAnswer, encodeLogAsk } from "./log-codec.ts";
import type { LogAnswer, LogAsk } from "./log-codec.ts";
import type { PeerLink } from "./peer-link.ts";
import type { DigestPoint, ForwardNumber, ForwardOutcome } from "./peers-api.ts";
import type { Remote } from "./remote.ts";
import { EncodedEntries } from "./send-queue.ts";
import { encodeSilenceAnswer, encodeSilenceAsk } from "./silence-codec.ts";
import type { SilenceAnswer, SilenceAsk } from "./silence-codec.ts";

/** The accepted link of that class to the process, or null. */
export type LinkTo = (remote: Remote, linkClass: LinkClass) => PeerLink | null;

export class Outbound {
  /** Accepted sessions by raft id. */
  readonly remotes: Map<NodeId, Remote>;
  readonly #linkTo: LinkTo;
  readonly #entries: EncodedEntries;
  /** Appends to these were lost. */
  readonly #unreachable: Set<NodeId>;
  #dropped: number;

  constructor(linkTo: LinkTo) {
    this.remotes = new Map();
    this.#linkTo = linkTo;
    this.#entries = new EncodedEntries();
    this.#unreachable = new Set();
    this.#dropped = 0;
  }

  /** Messages that found no session, link or room, or whose session ended. */
  get dropped(): number {
    let dropped = this.#dropped;
    for (const remote of this.remotes.values()) dropped += remote.dropped;
    return dropped;
  }

  send(message: Message): void {
    assert(message.type !== MessageType.InstallSnapshot, "a snapshot goes by sendSnapshot");
    const linkClass = classOf(message);
    const remote = this.#reachable(message.to, linkClass);
    if (remote?.queue(linkClass).pushMessage(message)) return;
    // The core went on as if it had left: it must probe again.
    if (message.type === MessageType.AppendEntries) this.#unreachable.add(message.to);
  }

  forwardProposal(to: NodeId, number: ForwardNumber, kind: number, payload: Uint8Array): boolean {
    const toSession = this.remotes.get(to)?.session ?? 0;
    const body = codec.encodeForwardProposal(toSession, number, kind, payload);
    return this.#pushFrame(to, LinkClass.Data, FrameType.ForwardProposal, body);
  }

  forwardRead(to: NodeId, number: ForwardNumber): boolean {
    const body = codec.encodeForwardRead(number);
    return this.#pushFrame(to, LinkClass.Data, FrameType.ForwardRead, body);
  }

  answerForward(
    to: NodeId,
    heard: ForwardNumber,
    outcome: ForwardOutcome,
    index: number,
    term: number,
  ): void {
    const remote = this.remotes.get(to);
    const number = remote?.saidNumber(heard) ?? 0;
    if (remote === undefined || number === 0) return this.drop(1);
    const toSession = remote.session;
    const body = codec.encodeForwardAnswer({ toSession, number, outcome, index, term });
    this.#pushAnswer(remote, FrameType.ForwardAnswer, body);
  }

  answerForwardRead(to: NodeId, heard: ForwardNumber, index: number): void {
    const remote = this.remotes.get(to);
    const number = remote?.saidNumber(heard) ?? 0;
    if (remote === undefined || number === 0) return this.drop(1);
    const body = codec.encodeForwardReadAnswer({ toSession: remote.session, number, index });
    this.#pushAnswer(remote, FrameType.ForwardReadAnswer, body);
  }

  broadcastDigest(point: DigestPoint): void {
    const body = codec.encodeDigestPoint(point);
    for (const id of this.remotes.keys()) {
      this.#pushFrame(id, LinkClass.Control, FrameType.Digest, body);
    }
  }

  askState(of: NodeId, index: number): void {
    const toSession = this.remotes.get(of)?.session ?? 0;
    const body = codec.encodeStateAsk({ toSession, index });
    this.#pushFrame(of, LinkClass.Control, FrameType.StateAsk, body);
  }

  askLog(of: readonly NodeId[], ask: LogAsk): void {
    const body = encodeLogAsk(ask);
    for (const id of of) this.#pushFrame(id, LinkClass.Control, FrameType.LogAsk, body);
  }

  answerLog(to: NodeId, answer: LogAnswer): void {
    this.#pushFrame(to, LinkClass.Data, FrameType.LogAnswer, encodeLogAnswer(answer));
  }

  askLease(of: NodeId, ask: LeaseAsk): boolean {
    return this.#pushFrame(of, LinkClass.Data, FrameType.LeaseAsk, encodeLeaseAsk(ask));
  }

  answerLease(remote: Remote, answer: LeaseAnswer): void {
    this.#pushAnswer(remote, FrameType.LeaseAnswer, encodeLeaseAnswer(remote.session, answer));
  }

  askSilence(of: readonly NodeId[], ask: SilenceAsk): void {
    const body = encodeSilenceAsk(ask);
    for (const id of of) this.#pushFrame(id, LinkClass.Control, FrameType.SilenceAsk, body);
  }

  answerSilence(to: NodeId, answer: SilenceAnswer): void {
    const body = encodeSilenceAnswer(answer);
    this.#pushFrame(to, LinkClass.Control, FrameType.SilenceAnswer, body);
  }

  flush(): void {
    for (const remote of this.remotes.values()) this.#flushRemote(remote);
    this.#entries.clear();
  }

  /** Its link has room again. */
  flushOne(id: NodeId): void {
    const remote = this.remotes.get(id);
    if (remote !== undefined) this.#flushRemote(remote);
    this.#entries.clear();
  }

  drop(count: number): void {
    this.#dropped += count;
  }

  lostAppends(id: NodeId): void {
    this.#unreachable.add(id);
  }

  /** Those to whom appends were lost since the last call. */
  takeUnreachable(): readonly NodeId[] {
    if (this.#unreachable.size === 0) return nobodyUnreachable;
    const taken = [...this.#unreachable];
    this.#unreachable.clear();
    return taken;
  }

  /** A lost answer costs its client the whole request timeout: either class of link will do. */
  #pushAnswer(remote: Remote, type: FrameType, body: Uint8Array): void {
    const { Control, Data } = LinkClass;
    const linkClass = this.#linkTo(remote, Data) === null ? Control : Data;
    this.#pushFrame(remote.raftId, linkClass, type, body);
  }

  #pushFrame(to: NodeId, linkClass: LinkClass, type: FrameType, body: Uint8Array): boolean {
    return this.#reachable(to, linkClass)?.queue(linkClass).pushFrame(type, body) ?? false;
  }

  #reachable(to: NodeId, linkClass: LinkClass): Remote | null {
    const remote = this.remotes.get(to);
    if (remote !== undefined && this.#linkTo(remote, linkClass) !== null) return remote;
    this.#dropped++;
    return null;
  }

  #flushRemote(remote: Remote): void {
    this.#flushQueue(remote, LinkClass.Control);
    this.#flushQueue(remote, LinkClass.Data);
  }

  #flushQueue(remote: Remote, linkClass: LinkClass): void {
    const queue = remote.queue(linkClass);
    if (queue.size === 0) return;
    const link = this.#linkTo(remote, linkClass);
    let left = false;
    if (link === null) queue.discard();
    else left = queue.flush(link, this.#entries, (heartbeat) => remote.stamp(heartbeat));
    if (!left && linkClass === LinkClass.Data) this.#unreachable.add(remote.raftId);
  }
}

const nobodyUnreachable: readonly NodeId[] = [];

function classOf(message: Message): LinkClass {
  const bulk =
    message.type === MessageType.AppendEntries || message.type === MessageType.AppendResponse;
  return bulk ? LinkClass.Data : LinkClass.Control;
}
