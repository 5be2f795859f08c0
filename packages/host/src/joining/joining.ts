// How a process with an empty directory learns who it is in a running cluster (etcd's
// --initial-cluster-state existing): it asks all listed members by their addresses, over and over,
// until one names it by its peer URLs. It says no hello and promises nothing; what it is told is
// the cluster's id, its own, and the genesis that its log begins with (P1).
import type { Env, Link, LinkEnd, LinkEvents } from "@quorate/storage";
import { FrameParser, FrameType, FrameWriter } from "../peers/frame.ts";
import { endText } from "../peers/link-times.ts";
import { decodeJoinAnswer, encodeJoinAsk, joinAnswerBytesMax } from "./join-frames.ts";
import type { JoinAsk, JoinFacts } from "./join-frames.ts";

export interface JoiningParts {
  readonly env: Env;
  readonly ask: JoinAsk;
  /** Of the listed members, this one not among them. */
  readonly addresses: readonly string[];
  readonly tickMs: number;
  onFacts(facts: JoinFacts): void;
  /** Whenever it changes: what each of them says, one line. */
  onWaiting(reason: string): void;
}

const askAgainMs = 500;
/** For connect and answer together. */
const askMsMax = 3000;

export class Joining {
  readonly #parts: JoiningParts;
  readonly #questions: Map<string, Question>;
  /** Address → why not, as last heard. */
  readonly #reasons: Map<string, string>;
  #waiting: string;
  #done: boolean;

  constructor(parts: JoiningParts) {
    this.#parts = parts;
    this.#questions = new Map();
    this.#reasons = new Map(parts.addresses.map((address) => [address, "not asked yet"]));
    this.#waiting = "";
    this.#done = false;
  }

  start(): void {
    for (const address of this.#parts.addresses) this.#ask(address);
    this.#tellWaiting();
  }

  tick(ticks: number): void {
    if (this.#done) return;
    for (const [address, question] of this.#questions) {
      question.ticks += ticks;
      const ms = question.ticks * this.#parts.tickMs;
      if (!question.ended && ms > askMsMax) question.giveUp("no answer");
      if (question.ended && ms > askAgainMs) this.#ask(address);
    }
  }

  #ask(address: string): void {
    const question = new Question(encodeJoinAsk(this.#parts.ask), (answer) => {
      this.#answered(address, answer);
    });
    this.#questions.set(address, question);
    question.link = this.#parts.env.transport.dial(address, question);
  }

  #answered(address: string, answer: JoinFacts | string): void {
    if (this.#done) return;
    if (typeof answer !== "string") {
      this.#done = true;
      for (const question of this.#questions.values()) question.giveUp("");
      this.#parts.onFacts(answer);
      return;
    }
    this.#reasons.set(address, answer);
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    const whys = [...this.#reasons].map(([address, reason]) => `${address}: ${reason}`);
    const reason = `asking the members of the cluster to join: ${whys.join("; ")}`;
    if (reason === this.#waiting) return;
    this.#waiting = reason;
    this.#parts.onWaiting(reason);
  }
}

/** One dial, one question, one answer. */
class Question implements LinkEvents {
  readonly #ask: Uint8Array;
  readonly #answered: (answer: JoinFacts | string) => void;
  readonly #parser: FrameParser;
  link: Link | null;
  /** Since it was begun. */
  ticks: number;
  ended: boolean;

  constructor(ask: Uint8Array, answered: (answer: JoinFacts | string) => void) {
    this.#ask = ask;
    this.#answered = answered;
    this.#parser = new FrameParser(joinAnswerBytesMax);
    this.link = null;
    this.ticks = 0;
    this.ended = false;
  }

  onOpen(): void {
    const writer = new FrameWriter(0, this.#ask.length + 64);
    writer.begin(FrameType.JoinAsk);
    writer.body.bytes(this.#ask);
    writer.end();
    this.link?.send(writer.take());
  }

  onBytes(bytes: Uint8Array): void {
    if (this.ended) return;
    this.#parser.feed(bytes);
    const frame = this.#parser.next();
    if (frame !== null) {
      const isAnswer = frame.type === FrameType.JoinAnswer;
      const answer = isAnswer ? decodeJoinAnswer(frame.body) : null;
      this.#end(answer ?? "its answer makes no sense");
    } else if (this.#parser.error !== "") {
      this.#end(this.#parser.error);
    }
  }

  onDrain(): void {
    // One small frame is all that ever leaves.
  }

  onEnd(end: LinkEnd): void {
    this.link = null;
    this.#end(endText(end));
  }

  giveUp(reason: string): void {
    this.#end(reason);
  }

  #end(answer: JoinFacts | string): void {
    if (this.ended) return;
    this.ended = true;
    this.link?.close();
    this.link = null;
    this.#answered(answer);
  }
}
