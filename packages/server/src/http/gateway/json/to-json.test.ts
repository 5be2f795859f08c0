// Protobuf to JSON as etcd's gateway sends it. Method: rows of messages with etcd 3.4.23's own text for
// them; and a property: parsed, ours is what protobuf-es writes with proto names.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary, toJson } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { Prng } from "@quorate/base";
import { auth, etcd, mvcc } from "@quorate/proto";
import { randomMessage } from "../testing/random-message.ts";
import { messageToJson, stringToJson } from "./to-json.ts";

function json<Desc extends DescMessage>(desc: Desc, fields: MessageInitShape<Desc>): string {
  return messageToJson(desc, toBinary(desc, create(desc, fields)));
}

test("zeros are left out, empty messages are not, 64-bit numbers are strings", () => {
  const { RangeResponseSchema, TxnResponseSchema, HashKVResponseSchema } = etcd;
  equal(json(RangeResponseSchema, {}), "{}");
  equal(json(RangeResponseSchema, { header: {}, count: 0n, more: false }), `{"header":{}}`);
  const header = { clusterId: 2n ** 64n - 1n, memberId: 1n, revision: 3n, raftTerm: 4n };
  equal(
    json(RangeResponseSchema, {
      header,
      kvs: [
        { key: Buffer.from("foo"), modRevision: 3n, version: -1n, value: Buffer.of(0xfb, 0xff) },
      ],
      more: true,
      count: 9_007_199_254_740_993n,
    }),
    `{"header":{"cluster_id":"18446744073709551615","member_id":"1","revision":"3","raft_term":"4"},` +
      `"kvs":[{"key":"Zm9v","mod_revision":"3","version":"-1","value":"+/8="}],` +
      `"more":true,"count":"9007199254740993"}`,
  );
  equal(
    json(TxnResponseSchema, {
      succeeded: true,
      responses: [
        { response: { case: "responsePut", value: { header: { revision: 2n } } } },
        { response: { case: "responseDeleteRange", value: {} } },
        {},
      ],
    }),
    `{"succeeded":true,"responses":[{"response_put":{"header":{"revision":"2"}}},` +
      `{"response_delete_range":{}},{}]}`,
  );
  equal(json(HashKVResponseSchema, { hash: 4_294_967_295 }), `{"hash":4294967295}`);
});

test("enums by name, or by number where there is none", () => {
  equal(json(mvcc.EventSchema, { type: mvcc.Event_EventType.DELETE }), `{"type":"DELETE"}`);
  const alarm = 101 as etcd.AlarmType;
  equal(
    json(etcd.AlarmResponseSchema, { alarms: [{ memberID: 5n, alarm: 1 }, { alarm }] }),
    `{"alarms":[{"memberID":"5","alarm":"NOSPACE"},{"alarm":101}]}`,
  );
  equal(json(auth.PermissionSchema, { permType: 2 }), `{"permType":"READWRITE"}`);
});

test("names stay as etcd's proto files have them", () => {
  equal(
    json(etcd.MemberListResponseSchema, {
      members: [
        { ID: 1n, name: "a", peerURLs: ["http://p"], clientURLs: ["http://c"], isLearner: true },
      ],
    }),
    `{"members":[{"ID":"1","name":"a","peerURLs":["http://p"],"clientURLs":["http://c"],"isLearner":true}]}`,
  );
  equal(
    json(etcd.LeaseTimeToLiveResponseSchema, {
      ID: 7n,
      TTL: -1n,
      grantedTTL: 5n,
      keys: [foo, empty],
    }),
    `{"ID":"7","TTL":"-1","grantedTTL":"5","keys":["Zm9v",""]}`,
  );
});
const foo = Buffer.from("foo");
const empty = Buffer.alloc(0);

test("strings are escaped as Go escapes them", () => {
  const rows: readonly (readonly [string, string])[] = [
    [`a"b\\c`, `"a\\"b\\\\c"`],
    ["\n\r\t", `"\\n\\r\\t"`],
    ["\b\f\v\u0000", `"\\u0008\\u000c\\u000b\\u0000"`],
    ["\\b\\f", `"\\\\b\\\\f"`],
    ["<a>&", `"\\u003ca\\u003e\\u0026"`],
    ["\u2028\u2029", `"\\u2028\\u2029"`],
    ["é€😀\u007f", `"é€😀\u007f"`],
    ["\ud800", `"\ufffd"`],
  ];
  for (const [text, expected] of rows) equal(stringToJson(text), expected);
});

test("random messages: parsed, the same as protobuf-es writes", () => {
  const prng = new Prng(34_23);
  const schemas: readonly DescMessage[] = [
    etcd.RangeResponseSchema,
    etcd.TxnResponseSchema,
    etcd.WatchResponseSchema,
    etcd.StatusResponseSchema,
    etcd.MemberListResponseSchema,
    etcd.AlarmResponseSchema,
    etcd.AuthRoleGetResponseSchema,
    etcd.LeaseLeasesResponseSchema,
  ];
  for (let n = 0; n < 3000; n += 1) {
    const desc = schemas[n % schemas.length]!;
    const message = randomMessage(desc, prng);
    const text = messageToJson(desc, toBinary(desc, message));
    const theirs = toJson(desc, message, { useProtoFieldName: true });
    deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(theirs)), text);
  }
});
