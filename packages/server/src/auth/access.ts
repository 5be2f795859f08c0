// Between the wire and the services: no call reaches its handler before its rule is met (A4). While
// authentication is off and a call brings no token, that costs two look-ups and no allocation.
import { assert } from "@quorate/base";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import { Need } from "@quorate/host";
import type { AuthApi, Failure } from "@quorate/host";
import type { Identity } from "@quorate/kv";
import { errorOf, trailersOf } from "../etcd/errors.ts";
import type { Credentials } from "./credentials.ts";
import { Rule } from "./rules.ts";

/** Messages of one stream that wait while it is found out who sends them. */
const waitingMax = 64;

export type Admitted = (identity: Identity) => void;

export class Access {
  readonly #auth: AuthApi;
  readonly #credentials: Credentials;
  /** By method number. */
  readonly #rules: readonly (Rule | undefined)[];
  /** Calls of which it is being found out who sends them, and their messages behind the first. */
  readonly #asking: Map<GrpcSink, Admitted[]>;

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
    if (rule === Rule.Admin || this.#auth.view()?.enabled === true) return false;
    return sink.metadata["token"] === undefined && sink.metadata["authorization"] === undefined;
  }

  /** Calls back with who asks, maybe at once, or fails the call. Messages of one call stay in order. */
  admit(method: number, sink: GrpcSink, admitted: Admitted): void {
    const behind = this.#asking.get(sink);
    if (behind !== undefined) {
      if (behind.length < waitingMax) behind.push(admitted);
      else sink.fail(GrpcCode.ResourceExhausted, "etcdserver: too many requests");
      return;
    }
    this.#asking.set(sink, []);
    this.ask(sink, this.#needOf(method), {
      admitted: (identity) => {
        const waiting = this.#asking.get(sink) ?? [];
        this.#asking.delete(sink);
        admitted(identity);
        for (const next of waiting) this.admit(method, sink, next);
      },
      refused: (failure) => {
        this.#asking.delete(sink);
        const { code, text } = errorOf(failure);
        sink.fail(code, text, trailersOf(failure));
      },
    });
  }

  /** Who makes this call, for a handler that refuses in its own form (Rule.Own). */
  ask(
    sink: GrpcSink,
    need: Need,
    answer: { admitted: Admitted; refused(failure: Failure): void },
  ): void {
    this.#auth.admit(this.#credentials.of(sink), need, answer);
  }

  #needOf(method: number): Need {
    const rule = this.#rules[method];
    assert(rule !== undefined, "a method without a rule is never called");
    if (rule === Rule.Admin) return Need.Admin;
    return rule === Rule.AdminHere ? Need.AdminHere : Need.User;
  }
}
