// JSON to protobuf by etcd's rules. Method: rows of texts with the message they are or the words that
// etcd 3.4.23 answers (each was sent to one); pieces of one byte; and a property: what protobuf-es
// writes as JSON comes back as the same message, where the two mappings agree.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary, toJsonString } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import { Prng } from "@quorate/base";
import { etcd } from "@quorate/proto";
import { BytesBudget, GrowingBuffer } from "../growing-buffer.ts";
import { randomMessage } from "../testing/random-message.ts";
import { messageFromJson } from "./from-json.ts";
import { JsonStream } from "./stream.ts";

/** What a body of these pieces holds: the bytes of each message, then what is wrong, if something is. */
function read(desc: DescMessage, pieces: readonly Buffer[]): (Uint8Array | string)[] {
  const found: (Uint8Array | string)[] = [];
  const stream = new JsonStream(new GrowingBuffer(new BytesBudget(1 << 24), 1 << 20), {
    value: (raw) => {
      const message = messageFromJson(desc, raw);
      found.push(message);
      return typeof message !== "string";
    },
    refused: (error) => found.push(error),
    overflow: (why) => found.push(why),
  });
  for (const piece of pieces) stream.push(piece);
  stream.end();
  return found;
}

function readText(desc: DescMessage, text: string | Buffer): (Uint8Array | string)[] {
  const bytes = Buffer.from(text);
  const whole = read(desc, [bytes]);
  const inBytes = read(
    desc,
    Array.from(bytes, (byte) => Buffer.of(byte)),
  );
  deepEqual(inBytes, whole, "in pieces of one byte it is the same");
  return whole;
}

type RangeFields = Partial<Omit<etcd.RangeRequest, "$typeName" | "$unknown">>;

function range(fields: RangeFields): Uint8Array {
  return toBinary(etcd.RangeRequestSchema, create(etcd.RangeRequestSchema, fields));
}

const foo = Buffer.from("foo");

const understood: readonly (readonly [string, RangeFields])[] = [
  ["{}", {}],
  ["null", {}],
  [`{"key":"Zm9v"}`, { key: foo }],
  [`  \n\t{ "key" : "Zm9v" } trailing`, { key: foo }],
  [`{"key":"Zm9v","KEY":"YQ==","unknown":{"deep":[1,{"x":"}]"}]}}`, { key: foo }],
  [`{"key":"YQ==","key":"Zm9v"}`, { key: foo }],
  [`{"\\u006bey":"Zm9\\u0076"}`, { key: foo }],
  [`{"key":null,"limit":null,"sort_order":null,"serializable":null}`, {}],
  [`{"key":[102,111,111]}`, { key: foo }],
  [`{"key":[]}`, {}],
  [`{"key":"Zm\\r\\n9v\\n"}`, { key: foo }],
  [`{"key":"YR=="}`, { key: Buffer.from("a") }],
  [`{"key":"YQ=\\n="}`, { key: Buffer.from("a") }],
  [`{"limit":5,"revision":"7"}`, { limit: 5n, revision: 7n }],
  [`{"limit":" 5 "}`, { limit: 5n }],
  [`{"limit":"null"}`, {}],
  [`{"limit":-0}`, {}],
  [
    `{"limit":9223372036854775807,"revision":-9223372036854775808}`,
    {
      limit: 2n ** 63n - 1n,
      revision: -(2n ** 63n),
    },
  ],
  [`{"keys_only":true,"countOnly":true,"serializable":false}`, { keysOnly: true, countOnly: true }],
  [`{"sort_order":"DESCEND","sortTarget":4}`, { sortOrder: 2, sortTarget: 4 }],
  [`{"sort_order":7}`, { sortOrder: 7 as etcd.RangeRequest_SortOrder }],
  [`{"sort_order":"ASCEND","sortOrder":"DESCEND"}`, { sortOrder: 2 }],
];

test("what etcd understands is understood", () => {
  for (const [text, fields] of understood) {
    deepEqual(readText(etcd.RangeRequestSchema, text)[0], range(fields), text);
  }
});

const goType = "Go value of type";
const object = `${goType} map[string]json.RawMessage`;
const sortOrder = "etcdserverpb.RangeRequest_SortOrder";

const refused: readonly (readonly [string | Buffer, string])[] = [
  ["{", "unexpected EOF"],
  [`{"key":"Zm9v`, "unexpected EOF"],
  [`{"key":nul`, "unexpected EOF"],
  ["[1,2", "unexpected EOF"],
  ["x", "invalid character 'x' looking for beginning of value"],
  ["}", "invalid character '}' looking for beginning of value"],
  [Buffer.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), "invalid character 'ï' looking for beginning of value"],
  [Buffer.of(0), "invalid character '\\x00' looking for beginning of value"],
  [Buffer.of(0xa0), "invalid character '\\u00a0' looking for beginning of value"],
  ["'", "invalid character '\\'' looking for beginning of value"],
  [`{"key":"Zm9v",}`, "invalid character '}' looking for beginning of object key string"],
  ["{key:1}", "invalid character 'k' looking for beginning of object key string"],
  [`{"key" "Zm9v"}`, `invalid character '"' after object key`],
  [`{"a":1 "b":2}`, `invalid character '"' after object key:value pair`],
  [`{"a":1]`, "invalid character ']' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  [`{"key":01}`, "invalid character '1' after object key:value pair"],
  [`{"key":tru}`, "invalid character '}' in literal true (expecting 'e')"],
  [`{"key":fa1se}`, "invalid character '1' in literal false (expecting 'l')"],
  [`{"key":-}`, "invalid character '}' in numeric literal"],
  [`{"key":1.}`, "invalid character '}' after decimal point in numeric literal"],
  [`{"key":1e}`, "invalid character '}' in exponent of numeric literal"],
  [`{"key":"Zm\\q"}`, "invalid character 'q' in string escape code"],
  [`{"key":"Zm\\u12"}`, `invalid character '"' in \\u hexadecimal character escape`],
  [`{"key":"Zm\nv"}`, "invalid character '\\n' in string literal"],
  [`{"a":${"[".repeat(10_000)}`, "invalid character '[' exceeded max depth"],
  ["true", `json: cannot unmarshal bool into ${object}`],
  ["1 ", `json: cannot unmarshal number into ${object}`],
  ["1", `json: cannot unmarshal number into ${object}`],
  [`"a"`, `json: cannot unmarshal string into ${object}`],
  ["[]", `json: cannot unmarshal array into ${object}`],
  [`{"key":1}`, `json: cannot unmarshal number into ${goType} []uint8`],
  [`{"key":true}`, `json: cannot unmarshal bool into ${goType} []uint8`],
  [`{"key":{}}`, `json: cannot unmarshal object into ${goType} []uint8`],
  [`{"key":[300]}`, `json: cannot unmarshal number 300 into ${goType} uint8`],
  [`{"key":["a"]}`, `json: cannot unmarshal string into ${goType} uint8`],
  [`{"key":"Zm9"}`, "illegal base64 data at input byte 0"],
  [`{"key":"!!"}`, "illegal base64 data at input byte 0"],
  [`{"key":"="}`, "illegal base64 data at input byte 0"],
  [`{"key":"éAAA"}`, "illegal base64 data at input byte 0"],
  [`{"key":"Zm9v "}`, "illegal base64 data at input byte 4"],
  [`{"key":"Zm9v="}`, "illegal base64 data at input byte 4"],
  [`{"key":"Zm9vYQ"}`, "illegal base64 data at input byte 4"],
  [`{"key":"Zm9v_-"}`, "illegal base64 data at input byte 4"],
  [Buffer.from(`{"key":"Zm9v\xff"}`, "latin1"), "illegal base64 data at input byte 4"],
  [`{"key":"Zm9vY=Q="}`, "illegal base64 data at input byte 5"],
  [`{"key":"Zm9vYQ="}`, "illegal base64 data at input byte 7"],
  [`{"key":"Zm9vYQ==="}`, "illegal base64 data at input byte 8"],
  [`{"key":"Zm9vYQ==Zm9v"}`, "illegal base64 data at input byte 8"],
  [`{"key":"ABCDEFGHABCDEFG!"}`, "illegal base64 data at input byte 15"],
  [`{"key":"AB=C"}`, "illegal base64 data at input byte 2"],
  [`{"key":"AB="}`, "illegal base64 data at input byte 3"],
  [`{"key":"AB==\\nA"}`, "illegal base64 data at input byte 5"],
  [`{"limit":"abc"}`, "invalid character 'a' looking for beginning of value"],
  [`{"limit":""}`, "unexpected end of JSON input"],
  [`{"limit":"+5"}`, "invalid character '+' looking for beginning of value"],
  [`{"limit":"05"}`, "invalid character '5' after top-level value"],
  [`{"limit":"\\u0035"}`, "invalid character '\\\\' looking for beginning of value"],
  [`{"limit":1.5}`, `json: cannot unmarshal number 1.5 into ${goType} int64`],
  [`{"limit":"1e2"}`, `json: cannot unmarshal number 1e2 into ${goType} int64`],
  [
    `{"limit":9223372036854775808}`,
    `json: cannot unmarshal number 9223372036854775808 into ${goType} int64`,
  ],
  [`{"limit":"true"}`, `json: cannot unmarshal bool into ${goType} int64`],
  [`{"limit":[]}`, `json: cannot unmarshal array into ${goType} int64`],
  [`{"limit":"{}"}`, `json: cannot unmarshal object into ${goType} int64`],
  [`{"sort_order":"BOGUS"}`, `unknown value "BOGUS" for enum ${sortOrder}`],
  [`{"sort_order":"1"}`, `unknown value "1" for enum ${sortOrder}`],
  [`{"sort_order":"a\\"b\\né"}`, `unknown value "a\\\\\\"b\\\\né" for enum ${sortOrder}`],
  [`{"sort_order":1.5}`, `json: cannot unmarshal number 1.5 into ${goType} ${sortOrder}`],
  [
    `{"sort_order":3000000000}`,
    `json: cannot unmarshal number 3000000000 into ${goType} ${sortOrder}`,
  ],
  [`{"sort_order":true}`, `json: cannot unmarshal bool into ${goType} ${sortOrder}`],
  [`{"serializable":"true"}`, `json: cannot unmarshal string into ${goType} bool`],
  [`{"serializable":1}`, `json: cannot unmarshal number into ${goType} bool`],
];

test("what etcd refuses is refused in its words", () => {
  for (const [text, words] of refused) {
    deepEqual(readText(etcd.RangeRequestSchema, text), [words], String(text).slice(0, 60));
  }
});

test("an empty body, and one of spaces, is no message and no error", () => {
  for (const text of ["", "  ", "\n\t\r "]) deepEqual(readText(etcd.RangeRequestSchema, text), []);
});

test("transactions: nested messages, oneofs, lists", () => {
  const text =
    `{"compare":[{"key":"YQ==","target":"VALUE","value":""}],"success":[{"requestPut":` +
    `{"key":"YQ=="}},{"request_range":null},{"request_txn":{"failure":[{}]}}],"failure":null}`;
  const [bytes] = readText(etcd.TxnRequestSchema, text);
  const txn = fromBinary(etcd.TxnRequestSchema, bytes as Uint8Array);
  equal(txn.compare[0]!.targetUnion.case, "value");
  deepEqual(
    txn.success.map(({ request }) => request.case),
    ["requestPut", undefined, "requestTxn"],
  );
  const rows: readonly (readonly [string, string])[] = [
    [`{"success":{}}`, `json: cannot unmarshal object into ${goType} []json.RawMessage`],
    [`{"success":"a"}`, `json: cannot unmarshal string into ${goType} []json.RawMessage`],
    [`{"success":[1]}`, `json: cannot unmarshal number into ${object}`],
    // Ends etcd's process.
    [`{"compare":[null]}`, `json: cannot unmarshal null into ${object}`],
    // The field that is declared first is the one told, whatever the order in the text.
    [
      `{"success":[1],"compare":1}`,
      `json: cannot unmarshal number into ${goType} []json.RawMessage`,
    ],
  ];
  for (const [wrong, words] of rows) deepEqual(readText(etcd.TxnRequestSchema, wrong), [words]);
  const nested = `{"success":[{"request_txn":`.repeat(100) + "{}" + "}]}".repeat(100);
  deepEqual(readText(etcd.TxnRequestSchema, nested), ["exceeded max depth"]);
});

test("filters and URLs: lists of enums and of strings", () => {
  const [create] = readText(
    etcd.WatchRequestSchema,
    `{"create_request":{"filters":["NODELETE",0]}}`,
  );
  const { requestUnion } = fromBinary(etcd.WatchRequestSchema, create as Uint8Array);
  deepEqual((requestUnion.value as etcd.WatchCreateRequest).filters, [1, 0]);
  const [add] = readText(etcd.MemberAddRequestSchema, `{"peerURLs":["http://a",null,"\\ud800"]}`);
  deepEqual(fromBinary(etcd.MemberAddRequestSchema, add as Uint8Array).peerURLs, [
    "http://a",
    "",
    "\ufffd",
  ]);
});

test("several values in a body come one after the other", () => {
  const text = `{"create_request":{"key":"YQ=="}} {"progress_request":{}}\n{"cancel_request":{"watch_id":"7"}}{bad`;
  const found = readText(etcd.WatchRequestSchema, text);
  const cases = found
    .slice(0, 3)
    .map((bytes) => fromBinary(etcd.WatchRequestSchema, bytes as Uint8Array));
  deepEqual(
    cases.map(({ requestUnion }) => requestUnion.case),
    ["createRequest", "progressRequest", "cancelRequest"],
  );
  equal(found[3], "invalid character 'b' looking for beginning of object key string");
});

test("a body beyond its bound, or the bound of all, is given up", () => {
  const overflows: string[] = [];
  const stream = (budget: BytesBudget, max: number): JsonStream =>
    new JsonStream(new GrowingBuffer(budget, max), {
      value: () => true,
      refused: (error) => overflows.push(error),
      overflow: (why) => overflows.push(why),
    });
  const budget = new BytesBudget(10_000);
  const long = stream(budget, 5000);
  long.push(Buffer.from(`{"key":"${"A".repeat(4000)}`));
  stream(budget, 9000).push(Buffer.from(`"${"A".repeat(8000)}`));
  long.push(Buffer.alloc(2000, 0x41));
  deepEqual(overflows, ["no room", "too long"]);
  equal(budget.taken, 0, "what was taken is given back");
});

test("random messages written by protobuf-es come back the same", () => {
  const prng = new Prng(20_261_129);
  const schemas: readonly DescMessage[] = [
    etcd.RangeRequestSchema,
    etcd.PutRequestSchema,
    etcd.TxnRequestSchema,
    etcd.WatchRequestSchema,
    etcd.AlarmRequestSchema,
    etcd.MemberAddRequestSchema,
    etcd.LeaseGrantRequestSchema,
    etcd.AuthRoleGrantPermissionRequestSchema,
  ];
  for (let n = 0; n < 3000; n += 1) {
    const desc = schemas[n % schemas.length]!;
    const message = randomMessage(desc, prng);
    const text = toJsonString(desc, message, { useProtoFieldName: n % 2 === 0 });
    const [bytes] = read(desc, [Buffer.from(text)]);
    deepEqual(fromBinary(desc, bytes as Uint8Array), message, text);
  }
});
