// Between the wire and the services: no call reaches its handler before its rule is met (A4). While
// authentication is off and a call brings no token, that costs two look-ups and no allocation.
import { assert } from "@quorate/base";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import { Failure, Need } from "@quorate/host";
import type { AuthApi } from "@quorate/host";
import { nobody } from "@quorate/kv";
import type { Identity } from "@quorate/kv";
import { errorOf, trailersOf } from "../etcd/errors.ts";
import type { Credentials } from "./credentials.ts";
import { Rule } from "./rules.ts";

/** Messages of one stream that wait while it is found out who sends them. */
const waitingMax = 256;

type Found = (caller: Identity | Failure) => void;

interface Question {
  readonly need: Need;
  readonly found: Found;
  /** Where nobody is found, the call is over. */
  readonly endsCall: boolean;
}

export class Access {
  readonly #auth: AuthApi;
  readonly #credentials: Credentials;
  /** By method number. */
  readonly #rules: readonly (Rule | undefined)[];
  /** Calls of which it is being found out who sends them, and their messages behind the first. */
  readonly #asking: Map<GrpcSink, Question[]>;

  constructor(
    auth: AuthApi,
    credentials: Credentials,
    methods: ReadonlyMap<string, number>,
    rules: Readonly<Record<string, Rule>>,
  ) {
    this.#auth = auth;
    this.#credentials = credentials;
    const byNumber: Rule[] = [];
    for (const [path, method] of methods) {
      const rule = rules[path];
      assert(rule !== undefined, () => `nobody has said who may call ${path}`);
      byNumber[method] = rule;
    }
    this.#rules = byNumber;
    this.#asking = new Map();
  }

  /** The call needs nobody to be found out: it is nobody's. */
  isOpen(method: number, sink: GrpcSink): boolean {
    const rule = this.#rules[method];
    if (rule === Rule.Open || rule === Rule.Own) return true;
    return rule !== Rule.Admin && this.#isPlain(sink);
  }

  /** Calls back with who asks, maybe at once, or fails the call. Messages of one call stay in order. */
  admit(method: number, sink: GrpcSink, admitted: (identity: Identity) => void): void {
    const found: Found = (caller) => {
      if (!(caller instanceof Failure)) return admitted(caller);
      const { code, text } = errorOf(caller);
      sink.fail(code, text, trailersOf(caller));
    };
    this.#find(sink, { need: this.#needOf(method), found, endsCall: true });
  }

  /** The same for a handler that refuses in its own form (Rule.Own): who asks, or why nobody may. */
  identify(sink: GrpcSink, found: Found): void {
    if (this.#isPlain(sink) && !this.#asking.has(sink)) found(nobody);
    else this.#find(sink, { need: Need.User, found, endsCall: false });
  }

  /** Authentication is off, and nothing comes along that says otherwise. */
  #isPlain({ metadata }: GrpcSink): boolean {
    if (this.#auth.view()?.enabled === true) return false;
    return metadata["token"] === undefined && metadata["authorization"] === undefined;
  }

  #find(sink: GrpcSink, question: Question): void {
    const behind = this.#asking.get(sink);
    if (behind !== undefined) {
      if (behind.length < waitingMax) behind.push(question);
      else sink.fail(GrpcCode.ResourceExhausted, "etcdserver: too many requests");
      return;
    }
    const waiting: Question[] = [];
    this.#asking.set(sink, waiting);
    const answer: Found = (caller) => {
      // The client has gone meanwhile.
      if (this.#asking.get(sink) !== waiting) return;
      this.#asking.delete(sink);
      if (sink.onCancel === forget) sink.onCancel = null;
      question.found(caller);
      if (question.endsCall && caller instanceof Failure) return;
      for (const next of waiting) this.#find(sink, next);
    };
    const forget = (): void => void this.#asking.delete(sink);
    // Whoever handles the call has not seen it yet, and must not any more when it is over.
    sink.onCancel ??= forget;
    const credential = this.#credentials.of(sink);
    this.#auth.admit(credential, question.need, { admitted: answer, refused: answer });
  }

  #needOf(method: number): Need {
    const rule = this.#rules[method];
    assert(rule !== undefined, "a method without a rule is never called");
    if (rule === Rule.Admin) return Need.Admin;
    return rule === Rule.AdminHere ? Need.AdminHere : Need.User;
  }
}
