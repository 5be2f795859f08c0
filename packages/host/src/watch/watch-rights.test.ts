// Method: streams over a whole state machine, callers as identities, turns by hand. Goal: who may not read
// a range may not watch it, by the bounds that it asked for (W3, CVE-2026-73499), and who may not any more
// is told nothing of what is written after that (A2).
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { latin1Decode, latin1Encode, must, Prng } from "@quorate/base";
import {
  AuthAction,
  decodeWatchResponse,
  encodePutRequest,
  encodeWatchRequest,
  Identity,
  KvError,
  nobody,
  OperationKind,
  PermissionType,
  PutRequest,
  WatchAsk,
  WatchRequest,
} from "@quorate/kv";
import { AuthState } from "../auth/test/auth-state.ts";
import { Failure, FailureCode } from "../host-api.ts";
import type { WatchSink, WatchStream } from "../host-api.ts";
import { kvFailure } from "../proposals.ts";
import { WatchStreams } from "./watch-streams.ts";

const denied = "rpc error: code = PermissionDenied desc = etcdserver: permission denied";
const empty = "rpc error: code = InvalidArgument desc = etcdserver: user name is empty";
const old = "rpc error: code = InvalidArgument desc = etcdserver: revision of auth store is old";
const invalid = "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token";

class Member extends AuthState {
  readonly streams: WatchStreams;

  constructor() {
    super();
    this.streams = new WatchStreams({
      hub: this.kv.watches,
      auth: this.kv.auth,
      limits: {
        watchersPerStreamMax: 10,
        watchersPerConnectionMax: 10,
        watchersMax: 100,
        streamBufferBytes: 10_000,
        bufferBytes: 10_000,
        progressMs: 1000,
        fragmentBytes: 10_000,
      },
      random: new Prng(1),
      tickMs: 10,
      electionTimeoutTicks: 100,
      header: () => ({ ids: new Uint8Array(0), term: 1 }),
      schedule: () => undefined,
      hasLeader: () => true,
      missing: () => [],
    });
    this.streams.stateBack();
  }

  grant(user: string, key: string, rangeEnd: string = ""): void {
    const role = `role of ${user}`;
    const permission = { type: PermissionType.Read, key, rangeEnd };
    if (this.kv.auth.role(role) === null) this.apply({ action: AuthAction.RoleAdd, role });
    this.apply({ action: AuthAction.RoleGrantPermission, role, permission });
    this.apply({ action: AuthAction.UserGrantRole, user, role });
  }

  revoke(user: string, key: string, rangeEnd: string = ""): void {
    const permission = { type: PermissionType.Read, key, rangeEnd };
    this.apply({ action: AuthAction.RoleRevokePermission, role: `role of ${user}`, permission });
  }

  /** By root. */
  put(key: string): void {
    const { user, authRevision } = this.kv.auth.identityOf("root");
    const request = encodePutRequest(new PutRequest({ key: latin1Encode(key) }));
    this.index += 1;
    const payload = this.kv.envelope(user, authRevision, request);
    const operation = { kind: OperationKind.Put, level: 1, index: this.index, term: 1, wallMs: 1 };
    equal(this.kv.apply({ ...operation, payload }, false, 1).error, KvError.None);
  }
}

class Client implements WatchSink {
  readonly buffered: number;
  readonly needsDrain: boolean;
  readonly #stream: WatchStream;
  #heard: string[];
  failed: FailureCode | 0;

  constructor(member: Member) {
    this.buffered = 0;
    this.needsDrain = false;
    this.#heard = [];
    this.failed = 0;
    this.#stream = member.streams.open(this, false);
  }

  watch(caller: Identity | Failure, key: string, rangeEnd: string = ""): void {
    const ask = WatchAsk.Create;
    const request = new WatchRequest({
      ask,
      key: latin1Encode(key),
      rangeEnd: latin1Encode(rangeEnd),
    });
    this.#stream.message(encodeWatchRequest(request), caller);
  }

  write(message: Uint8Array): void {
    const response = must(decodeWatchResponse(message), "a watch response");
    const { watchId, created, canceled, cancelReason } = response;
    const keys = response.events.map(({ kv }) => latin1Decode(kv.key));
    const words = [created ? "created" : "", canceled ? "canceled" : "", cancelReason, ...keys];
    this.#heard.push([watchId, ...words.filter((word) => word !== "")].join(" "));
  }

  fail(failure: Failure): void {
    this.failed = failure.code;
  }

  take(): string[] {
    return this.#heard.splice(0);
  }
}

test("who may not read a range may not watch it; the words are etcd's", () => {
  const member = new Member();
  member.enable();
  member.grant("u", "a", "c");
  const u = member.kv.auth.identityOf("u");
  const rows: [Identity | Failure, string, string, string][] = [
    [u, "a", "", "0 created"],
    [u, "a", "c", "1 created"],
    [u, "a", "d", `-1 created canceled ${denied}`],
    [u, "a", "\0", `-1 created canceled ${denied}`],
    [u, "", "\0", `-1 created canceled ${denied}`],
    [u, "c", "", `-1 created canceled ${denied}`],
    [member.kv.auth.identityOf("root"), "", "\0", "2 created"],
    [nobody, "a", "", `-1 created canceled ${empty}`],
    [new Identity("u", u.authRevision - 1), "a", "", `-1 created canceled ${old}`],
    [new Identity("stranger", 1000), "a", "", `-1 created canceled ${denied}`],
    [kvFailure(KvError.InvalidAuthToken), "a", "", `-1 created canceled ${invalid}`],
  ];
  const client = new Client(member);
  for (const [caller, key, rangeEnd, wanted] of rows) {
    client.watch(caller, key, rangeEnd);
    deepEqual(client.take(), [wanted]);
  }
  equal(client.failed, 0);
  client.watch(new Failure(FailureCode.NoLeader, KvError.None, []), "a");
  equal(client.failed, FailureCode.NoLeader, "nobody could find out who it is");
});

test("a right that goes in a turn takes its watchers along before that turn's events are told", () => {
  const member = new Member();
  member.enable();
  member.addUser("v");
  member.grant("u", "a", "c");
  member.grant("v", "a", "c");
  const client = new Client(member);
  client.watch(member.kv.auth.identityOf("u"), "a", "c");
  client.watch(member.kv.auth.identityOf("v"), "a");
  client.watch(member.kv.auth.identityOf("root"), "", "\0");
  client.take();
  member.put("a");
  member.streams.turn();
  deepEqual(client.take().sort(), ["0 a", "1 a", "2 a"]);

  member.grant("u", "x");
  member.put("b");
  member.streams.turn();
  deepEqual(client.take().sort(), ["0 b", "2 b"], "what was granted takes nothing away");

  member.revoke("u", "a", "c");
  member.put("a");
  member.streams.turn();
  deepEqual(client.take().sort(), [`0 canceled ${denied}`, "1 a", "2 a"]);
  equal(member.streams.watchers, 2);
});

test("another password, another user of the same name, and authentication itself end watches", () => {
  const member = new Member();
  const client = new Client(member);
  client.watch(nobody, "a");
  member.enable();
  member.streams.turn();
  deepEqual(client.take(), ["0 created", `0 canceled ${empty}`]);

  member.grant("u", "a");
  client.watch(member.kv.auth.identityOf("u"), "a");
  member.apply({ action: AuthAction.UserChangePassword, user: "u", passwordHash: "new" });
  member.put("a");
  member.streams.turn();
  deepEqual(client.take(), ["1 created", `1 canceled ${old}`]);

  client.watch(member.kv.auth.identityOf("u"), "a");
  member.apply({ action: AuthAction.UserDelete, user: "u" });
  member.put("a");
  member.streams.turn();
  deepEqual(client.take(), ["2 created", `2 canceled ${denied}`]);

  client.watch(member.kv.auth.identityOf("root"), "a");
  member.apply({ action: AuthAction.Disable });
  client.watch(nobody, "a");
  member.put("a");
  member.streams.turn();
  deepEqual(client.take(), ["3 created", "4 created", "3 a", "4 a"], "then everybody may");
});
