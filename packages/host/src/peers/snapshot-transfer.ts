// Snapshots on their way, out to several members and in from one: which transfer a frame, a link or
// the end of a session concerns. Bytes move on links of their own, so heartbeats never wait for them.
import { assert } from "@quorate/base";
import { MessageType } from "@quorate/raft";
import type { Message, NodeId, Session } from "@quorate/raft";
import type { Env, SnapshotSource } from "@quorate/storage";
import type { Frame } from "./frame.ts";
import type { PeerLink } from "./peer-link.ts";
import type { PeersConfig, PeersEvents } from "./peers-api.ts";
import { SnapshotReceiver } from "./snapshot-receiver.ts";
import { SnapshotSender } from "./snapshot-sender.ts";

export interface TransferParts {
  /** Dials, or ends, the link for snapshots to that process. */
  wantLink(to: NodeId, wanted: boolean): void;
  /** Whose process that raft id is; empty: not known. */
  memberOf(raftId: NodeId): string;
}

export class SnapshotTransfer {
  readonly #env: Env;
  readonly #config: PeersConfig;
  readonly #events: PeersEvents;
  readonly #parts: TransferParts;
  /** At most one to each. */
  readonly #senders: Map<NodeId, SnapshotSender>;
  readonly #receiver: SnapshotReceiver;
  #transfers: number;

  constructor(env: Env, config: PeersConfig, events: PeersEvents, parts: TransferParts) {
    this.#env = env;
    this.#config = config;
    this.#events = events;
    this.#parts = parts;
    this.#senders = new Map();
    this.#receiver = new SnapshotReceiver(env, config, events);
    this.#transfers = 0;
  }

  send(
    message: Message,
    toSession: Session,
    source: SnapshotSource,
    done: (ok: boolean) => void,
  ): void {
    assert(message.type === MessageType.InstallSnapshot, "only InstallSnapshot moves a snapshot");
    const to = message.to;
    if (toSession === 0 || this.#senders.has(to)) {
      source.release();
      // Never within the call that asks: the asker is in the middle of its turn.
      this.#env.schedule(() => done(false));
      return;
    }
    this.#endOthersTo(to);
    const sender = new SnapshotSender({
      transfer: ++this.#transfers,
      message,
      source,
      toSession,
      bytesPerSecond: this.#config.snapshotBytesPerSecond,
      tickMs: this.#config.tickMs,
      nowMs: () => this.#env.clock.monotonicMs(),
      done: (ok, reason) => {
        this.#senders.delete(to);
        this.#parts.wantLink(to, false);
        if (!ok) this.#env.trace.warn("snapshot not sent", { to, reason });
        done(ok);
      },
    });
    this.#senders.set(to, sender);
    this.#parts.wantLink(to, true);
  }

  get isReceiving(): boolean {
    return this.#receiver.isReceiving;
  }

  /** A member has one link for snapshots: what is for a disk that it had before must not keep it. */
  #endOthersTo(to: NodeId): void {
    const memberId = this.#parts.memberOf(to);
    for (const [raftId, sender] of [...this.#senders]) {
      if (this.#parts.memberOf(raftId) === memberId) sender.abort("another disk speaks for it");
    }
  }

  linkAccepted(link: PeerLink): void {
    if (link.dialled) this.#senderOf(link)?.linkAccepted(link);
  }

  /** Empty, or why the link must end. */
  handle(link: PeerLink, frame: Frame): string {
    if (!link.dialled) return this.#receiver.handle(link, frame.type, frame.body);
    return this.#senderOf(link)?.handle(link, frame.type, frame.body) ?? "";
  }

  linkDrained(link: PeerLink): void {
    if (link.dialled) this.#senderOf(link)?.linkDrained();
  }

  linkEnded(link: PeerLink): void {
    for (const sender of this.#senders.values()) sender.linkEnded(link);
    this.#receiver.linkEnded(link);
  }

  sessionEnded(raftId: NodeId, session: Session): void {
    const sender = this.#senders.get(raftId);
    if (sender?.toSession === session) sender.abort("the receiver's process has ended");
    this.#receiver.sessionEnded(raftId, session);
  }

  tick(ticks: number): void {
    if (this.#senders.size > 0) this.#tickSenders(ticks);
    this.#receiver.tick(ticks);
  }

  close(): void {
    for (const sender of [...this.#senders.values()]) sender.abort("stopped");
    this.#receiver.close();
  }

  #tickSenders(ticks: number): void {
    const term = this.#events.hello().term;
    for (const sender of [...this.#senders.values()]) {
      if (term === sender.message.term) sender.tick(ticks);
      else sender.abort("the term has changed");
    }
  }

  #senderOf(link: PeerLink): SnapshotSender | null {
    const sender = this.#senders.get(link.hello?.raftId ?? 0) ?? null;
    return sender !== null && sender.toSession === link.hello?.session ? sender : null;
  }
}
