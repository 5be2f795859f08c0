// Between wire and services: every method has its rule, calls without a token cost nothing while
// authentication is off, the messages of a stream stay in order, and what a call brings is found.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import { CredentialKind, Failure, FailureCode, Need } from "@quorate/host";
import type { AdmissionSink, AuthApi, Credential } from "@quorate/host";
import { Identity, KvError } from "@quorate/kv";
import type { AuthView } from "@quorate/kv";
import { methods } from "../etcd/services.ts";
import { Access } from "./access.ts";
import { Credentials, hashOfToken } from "./credentials.ts";
import { Rule, rules } from "./rules.ts";

interface Asked {
  readonly credential: Credential | null;
  readonly need: Need;
  readonly sink: AdmissionSink;
}

class Desk implements AuthApi {
  enabled: boolean;
  readonly asked: Asked[];

  constructor(enabled: boolean) {
    this.enabled = enabled;
    this.asked = [];
  }

  view(): AuthView | null {
    return { enabled: this.enabled } as AuthView;
  }

  change(): void {
    throw new Error("nothing is changed here");
  }

  admit(credential: Credential | null, need: Need, sink: AdmissionSink): void {
    this.asked.push({ credential, need, sink });
  }
}

function sinkOf(
  metadata: GrpcSink["metadata"] = {},
  commonName: string | null = null,
): { sink: GrpcSink; failed: string[] } {
  const failed: string[] = [];
  const nothing = (): void => undefined;
  const sink: GrpcSink = {
    reply: nothing,
    write: () => true,
    finish: nothing,
    fail: (code, text) => void failed.push(`${code} ${text}`),
    onCancel: null,
    onDrain: null,
    onHalfClose: null,
    buffered: 0,
    needsDrain: false,
    metadata,
    peer: { address: "192.0.2.1", commonName },
  };
  return { sink, failed };
}

const paths = new Map([
  ["/a.A/Open", 1],
  ["/a.A/User", 2],
  ["/a.A/Admin", 3],
  ["/a.A/AdminHere", 4],
  ["/a.A/Own", 5],
  ["/a.A/Rights", 6],
]);
const table = {
  "/a.A/Open": Rule.Open,
  "/a.A/User": Rule.User,
  "/a.A/Admin": Rule.Admin,
  "/a.A/AdminHere": Rule.AdminHere,
  "/a.A/Own": Rule.Own,
  "/a.A/Rights": Rule.Rights,
};
const credentials = new Credentials(null);

test("every method that is served has a rule; one without cannot be served", () => {
  ok(new Access(new Desk(false), credentials, methods, rules));
  const more = new Map([...methods, ["/etcdserverpb.KV/Invented", 999]]);
  throws(() => new Access(new Desk(false), credentials, more, rules), /who may call .*Invented/);
});

test("which calls are open: by rule, by token, and by whether authentication is on", () => {
  const desk = new Desk(false);
  const access = new Access(desk, credentials, paths, table);
  const open = (metadata: GrpcSink["metadata"]): number[] =>
    [...paths.values()].filter((method) => access.isOpen(method, sinkOf(metadata).sink));
  deepEqual(open({}), [1, 2, 4, 5, 6]);
  deepEqual(open({ token: "t" }), [1, 5]);
  deepEqual(open({ authorization: "t" }), [1, 5]);
  desk.enabled = true;
  deepEqual(open({}), [1, 5]);
  equal(desk.asked.length, 0);
});

test("what a rule asks for, and what the call brings: token, bearer, common name, nothing", () => {
  const desk = new Desk(true);
  const access = new Access(desk, credentials, paths, table);
  const token = (text: string): Credential => ({
    kind: CredentialKind.Token,
    hash: hashOfToken(text),
  });
  const rows: [number, GrpcSink["metadata"], string | null, Need, Credential | null][] = [
    [2, {}, null, Need.User, null],
    [6, { token: "t" }, null, Need.User, token("t")],
    [3, { authorization: "t" }, null, Need.Admin, token("t")],
    [4, { authorization: "Bearer t" }, null, Need.AdminHere, token("t")],
    [2, { authorization: "bearer  t" }, null, Need.User, token("t")],
    [2, { token: "t, t" }, null, Need.User, token("t")],
    [2, { token: "a", authorization: "b" }, "cn", Need.User, token("a")],
    [2, {}, "cn", Need.User, { kind: CredentialKind.Name, user: "cn" }],
  ];
  for (const [method, metadata, commonName, need, credential] of rows) {
    access.admit(method, sinkOf(metadata, commonName).sink, () => undefined);
    const asked = desk.asked.pop()!;
    deepEqual([asked.need, asked.credential], [need, credential]);
    asked.sink.refused(new Failure(FailureCode.NoLeader, KvError.None, []));
  }
  equal(hashOfToken("t").length, 32);
});

test("messages behind one that waits stay behind it, and one at a time is asked about", () => {
  const desk = new Desk(true);
  const access = new Access(desk, credentials, paths, table);
  const { sink, failed } = sinkOf({ token: "t" });
  const seen: string[] = [];
  for (let at = 0; at < 3; at += 1) {
    access.admit(6, sink, ({ user }) => void seen.push(`${at} by ${user}`));
  }
  equal(desk.asked.length, 1);
  desk.asked[0]!.sink.admitted(new Identity("u", 1));
  deepEqual(seen, ["0 by u"]);
  equal(desk.asked.length, 2);
  desk.asked[1]!.sink.admitted(new Identity("v", 2));
  desk.asked[2]!.sink.admitted(new Identity("w", 3));
  deepEqual(seen, ["0 by u", "1 by v", "2 by w"]);

  access.admit(6, sink, () => void seen.push("never"));
  for (let at = 0; at < 257; at += 1) access.admit(6, sink, () => void seen.push("never"));
  deepEqual(failed, [`${GrpcCode.ResourceExhausted} etcdserver: too many requests`]);
  desk.asked[3]!.sink.refused(new Failure(FailureCode.NoLeader, KvError.None, ["m2"]));
  deepEqual(failed.slice(1), [`${GrpcCode.Unavailable} etcdserver: no leader`]);
  equal(seen.length, 3);
  equal(desk.asked.length, 4, "the call is over: nobody asks for those behind it");
});

test("a call that is cancelled while it waits never reaches its handler", () => {
  const desk = new Desk(true);
  const access = new Access(desk, credentials, paths, table);
  const { sink } = sinkOf({ token: "t" });
  let handled = 0;
  access.admit(6, sink, () => (handled += 1));
  access.admit(6, sink, () => (handled += 1));
  sink.onCancel!();
  desk.asked[0]!.sink.admitted(new Identity("u", 1));
  equal(handled, 0);
  const { sink: other } = sinkOf({ token: "t" });
  access.admit(6, other, () => (handled += 1));
  desk.asked[1]!.sink.admitted(new Identity("u", 1));
  deepEqual([handled, other.onCancel], [1, null]);
});

test("a handler that refuses in its own form hears who it is, or why nobody is, in order", () => {
  const desk = new Desk(false);
  const access = new Access(desk, credentials, paths, table);
  const seen: string[] = [];
  const found = (caller: Identity | Failure): void =>
    void seen.push(caller instanceof Failure ? `failure ${caller.kvError}` : `by ${caller.user}`);
  access.identify(sinkOf().sink, found);
  deepEqual([seen, desk.asked.length], [["by "], 0]);
  desk.enabled = true;
  const { sink } = sinkOf({ token: "t" });
  access.identify(sink, found);
  access.identify(sink, found);
  const denied = new Failure(FailureCode.Kv, KvError.InvalidAuthToken, []);
  desk.asked[0]!.sink.refused(denied);
  desk.asked[1]!.sink.admitted(new Identity("u", 1));
  deepEqual(seen.slice(1), [`failure ${KvError.InvalidAuthToken}`, "by u"]);
});

test("a half-close comes to the handler behind all messages that came before it", () => {
  const desk = new Desk(true);
  const access = new Access(desk, credentials, paths, table);
  const { sink } = sinkOf({ token: "t" });
  const seen: string[] = [];
  const handle = (name: string) => (): void => {
    seen.push(name);
    sink.onHalfClose = () => void seen.push("half-close");
  };
  access.admit(6, sink, handle("first"));
  access.admit(6, sink, handle("second"));
  sink.onHalfClose!();
  desk.asked[0]!.sink.admitted(new Identity("u", 1));
  deepEqual(seen, ["first"]);
  desk.asked[1]!.sink.admitted(new Identity("u", 1));
  deepEqual(seen, ["first", "second", "half-close"]);
  access.admit(6, sink, handle("third"));
  desk.asked[2]!.sink.admitted(new Identity("u", 1));
  sink.onHalfClose!();
  deepEqual(seen.slice(3), ["third", "half-close"]);
});
