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

/** What is being found out of one call. */
interface Inquiry {
  /** Messages behind the one that is asked about, oldest first. */
  readonly behind: Question[];
  /** The client has said all: the handler hears so when it has had all messages. */
  halfClosed: boolean;
}

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
  readonly #inquiries: Map<GrpcSink, Inquiry>;

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
    this.#inquiries = new Map();
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
    if (this.#isPlain(sink) && !this.#inquiries.has(sink)) found(nobody);
    else this.#find(sink, { need: Need.User, found, endsCall: false });
  }

  /** Authentication is off, and nothing comes along that says otherwise. */
  #isPlain({ metadata }: GrpcSink): boolean {
    if (this.#auth.view()?.enabled === true) return false;
    return metadata["token"] === undefined && metadata["authorization"] === undefined;
  }

  #find(sink: GrpcSink, question: Question): void {
    const before = this.#inquiries.get(sink);
    if (before === undefined) {
      const inquiry: Inquiry = { behind: [], halfClosed: false };
      this.#inquiries.set(sink, inquiry);
      this.#ask(sink, inquiry, question);
    } else if (before.behind.length < waitingMax) {
      before.behind.push(question);
    } else {
      sink.fail(GrpcCode.ResourceExhausted, "etcdserver: too many requests");
    }
  }

  #ask(sink: GrpcSink, inquiry: Inquiry, { need, found, endsCall }: Question): void {
    // The handler's own, once it has had a message. Meanwhile it must hear of nothing out of order, and
    // get no call that is over.
    const { onCancel, onHalfClose } = sink;
    sink.onCancel = () => {
      this.#inquiries.delete(sink);
      onCancel?.();
    };
    sink.onHalfClose = () => {
      inquiry.halfClosed = true;
    };
    const answer: Found = (caller) => {
      if (this.#inquiries.get(sink) !== inquiry) return;
      sink.onCancel = onCancel;
      sink.onHalfClose = onHalfClose;
      const next = endsCall && caller instanceof Failure ? undefined : inquiry.behind.shift();
      if (next === undefined) this.#inquiries.delete(sink);
      found(caller);
      if (next !== undefined) this.#ask(sink, inquiry, next);
      else if (inquiry.halfClosed) sink.onHalfClose?.();
    };
    const credential = this.#credentials.of(sink);
    this.#auth.admit(credential, need, { admitted: answer, refused: answer });
  }

  #needOf(method: number): Need {
    const rule = this.#rules[method];
    assert(rule !== undefined, "a method without a rule is never called");
    if (rule === Rule.Admin) return Need.Admin;
    return rule === Rule.AdminHere ? Need.AdminHere : Need.User;
  }
}
