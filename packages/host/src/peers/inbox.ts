// What a Raft frame of an accepted session says, told to the host. Checks that it belongs to the
// processes at the two ends of its link (P4); everything else about it the core decides.
import { ByteReader } from "@quorate/base";
import { decodeMessage, MessageType } from "@quorate/raft";
import type { Message } from "@quorate/raft";
import * as codec from "./forward-codec.ts";
import { FrameType } from "./frame.ts";
import type { Frame } from "./frame.ts";
import type { Hello } from "./hello.ts";
import { decodeLeaseAnswer, decodeLeaseAsk } from "./lease-codec.ts";
import { decodeLogAnswer, decodeLogAsk } from "./log-codec.ts";
import type { PeersConfig, PeersEvents } from "./peers-api.ts";
import type { Remote } from "./remote.ts";
import { decodeSilenceAnswer, decodeSilenceAsk } from "./silence-codec.ts";
import type { Silence } from "./silence.ts";

export class Inbox {
  readonly #config: PeersConfig;
  readonly #events: PeersEvents;
  readonly #silence: Silence;
  /** Frames of other processes than those of the link: dropped. */
  #foreign: number;

  constructor(config: PeersConfig, events: PeersEvents, silence: Silence) {
    this.#silence = silence;
    this.#config = config;
    this.#events = events;
    this.#foreign = 0;
  }

  get foreign(): number {
    return this.#foreign;
  }

  /** Empty, or why the link must end: the bytes make no sense. */
  handle(frame: Frame, remote: Remote, hello: Hello): string {
    switch (frame.type) {
      case FrameType.Message:
        return this.#onMessage(frame.body, remote, hello);
      case FrameType.ForwardProposal:
        return this.#onForwardProposal(frame.body, remote);
      case FrameType.ForwardAnswer:
        return this.#onForwardAnswer(frame.body);
      case FrameType.ForwardRead:
        return this.#onForwardRead(frame.body, remote);
      case FrameType.ForwardReadAnswer:
        return this.#onForwardReadAnswer(frame.body);
      case FrameType.LeaseAsk:
        return this.#onLeaseAsk(frame.body, remote);
      case FrameType.LeaseAnswer:
        return this.#onLeaseAnswer(frame.body);
      case FrameType.Digest:
        return this.#onDigest(frame.body, hello);
      case FrameType.SilenceAsk:
        return this.#onSilenceAsk(frame.body, remote);
      case FrameType.SilenceAnswer:
        return this.#onSilenceAnswer(frame.body, remote);
      case FrameType.StateAsk:
        return this.#onStateAsk(frame.body, remote);
      case FrameType.LogAsk:
        return this.#onLogAsk(frame.body, remote);
      case FrameType.LogAnswer:
        return this.#onLogAnswer(frame.body, remote);
      default:
        return `frame type ${frame.type} is out of place`;
    }
  }

  #onMessage(body: Uint8Array, remote: Remote, hello: Hello): string {
    const reader = new ByteReader(body);
    const message = decodeMessage(reader);
    if (message === null || reader.remaining > 0) return "message is malformed";
    // Snapshots come with their bytes, on a link of their own.
    if (message.type === MessageType.InstallSnapshot) return "snapshot message without its bytes";
    if (!this.#belongs(message, hello)) {
      this.#foreign++;
      return "";
    }
    if (message.type === MessageType.HeartbeatResponse) this.#onHeartbeatResponse(message, remote);
    this.#events.onMessage(message);
    return "";
  }

  #belongs(message: Message, hello: Hello): boolean {
    return (
      message.from === hello.raftId &&
      message.to === this.#config.raftId &&
      message.session === hello.session
    );
  }

  #onHeartbeatResponse(message: Message, remote: Remote): void {
    if (message.toSession !== this.#config.session) return;
    const roundTripMs = remote.answered(message.sentMs);
    if (roundTripMs >= 0) this.#events.onRoundTrip(remote.raftId, roundTripMs);
  }

  #onForwardProposal(body: Uint8Array, remote: Remote): string {
    const forward = codec.decodeForwardProposal(body);
    const number = forward === null ? 0 : remote.heardNumber(forward.number);
    if (forward === null || number === 0) return "forwarded proposal is malformed";
    if (!this.#isMine(forward.toSession)) return "";
    this.#events.onForwardProposal(remote.raftId, number, forward.kind, forward.payload);
    return "";
  }

  #onForwardAnswer(body: Uint8Array): string {
    const answer = codec.decodeForwardAnswer(body);
    if (answer === null) return "answer to a forwarded proposal is malformed";
    if (this.#isMine(answer.toSession)) {
      this.#events.onForwardAnswer(answer.number, answer.outcome, answer.index, answer.term);
    }
    return "";
  }

  #onForwardRead(body: Uint8Array, remote: Remote): string {
    const number = remote.heardNumber(codec.decodeForwardRead(body) ?? 0);
    if (number === 0) return "forwarded read is malformed";
    this.#events.onForwardRead(remote.raftId, number);
    return "";
  }

  #onForwardReadAnswer(body: Uint8Array): string {
    const answer = codec.decodeForwardReadAnswer(body);
    if (answer === null) return "answer to a forwarded read is malformed";
    if (this.#isMine(answer.toSession)) {
      this.#events.onForwardReadAnswer(answer.number, answer.index);
    }
    return "";
  }

  #onLeaseAsk(body: Uint8Array, remote: Remote): string {
    const ask = decodeLeaseAsk(body);
    const number = ask === null ? 0 : remote.heardNumber(ask.number);
    if (ask === null || number === 0) return "question about a lease is malformed";
    this.#events.onLeaseAsk(remote.raftId, { ...ask, number });
    return "";
  }

  #onLeaseAnswer(body: Uint8Array): string {
    const decoded = decodeLeaseAnswer(body);
    if (decoded === null) return "answer about a lease is malformed";
    if (this.#isMine(decoded.toSession)) this.#events.onLeaseAnswer(decoded.answer);
    return "";
  }

  #onDigest(body: Uint8Array, hello: Hello): string {
    const point = codec.decodeDigestPoint(body);
    if (point === null) return "digest point is malformed";
    this.#events.onDigestPoint(hello.raftId, point);
    return "";
  }

  #onSilenceAsk(body: Uint8Array, remote: Remote): string {
    const ask = decodeSilenceAsk(body);
    if (ask === null) return "question for a raft id is malformed";
    this.#silence.asked(remote, ask);
    return "";
  }

  #onSilenceAnswer(body: Uint8Array, remote: Remote): string {
    const answer = decodeSilenceAnswer(body);
    if (answer === null) return "answer about a raft id is malformed";
    if (this.#isMine(answer.toSession)) this.#silence.answered(remote.raftId, answer);
    return "";
  }

  #onStateAsk(body: Uint8Array, remote: Remote): string {
    const ask = codec.decodeStateAsk(body);
    if (ask === null) return "question for a state is malformed";
    if (this.#isMine(ask.toSession)) this.#events.onStateAsk(remote.raftId, ask.index);
    return "";
  }

  #onLogAsk(body: Uint8Array, remote: Remote): string {
    const ask = decodeLogAsk(body);
    if (ask === null) return "question for entries is malformed";
    this.#events.onLogAsk(remote.raftId, ask);
    return "";
  }

  #onLogAnswer(body: Uint8Array, remote: Remote): string {
    const answer = decodeLogAnswer(body);
    if (answer === null) return "answer with entries is malformed";
    if (this.#isMine(answer.toSession)) this.#events.onLogAnswer(remote.raftId, answer);
    return "";
  }

  #isMine(toSession: number): boolean {
    if (toSession === this.#config.session) return true;
    this.#foreign++;
    return false;
  }
}
