// What no honest client sends to the JSON gateway: broken JSON, paths that there are not, fields that
// nobody knows, bodies beyond every limit, bytes that are no UTF-8, and base64 that is none. The right
// status each, nothing written, the next call served.
import { deepEqual, equal, match } from "node:assert/strict";
import { Prng } from "@quorate/base";
import { httpCall } from "../gateway/http-call.ts";
import type { HttpAnswer } from "../gateway/http-call.ts";
import { countBad, nothingWritten } from "../suite/bad-input.ts";
import type { BadKind } from "../suite/bad-input.ts";
import { randomBytes } from "../suite/made-messages.ts";
import type { Case } from "../suite/case.ts";
import type { Trial } from "../suite/trial.ts";

/** One body to a path of the gateway. */
function post(
  trial: Trial,
  kind: BadKind,
  path: string,
  body: string | Buffer,
): Promise<HttpAnswer> {
  countBad(trial, "gateway", kind);
  return httpCall(trial.servers.addresses[0]!, { path, body });
}

/** Refused with the HTTP status and, in the body, gRPC's number for it. */
function refused(what: string, answer: HttpAnswer, status: number, code: number): string {
  equal(answer.status, status, `${what}: ${answer.status} ${answer.body}`);
  const told = JSON.parse(answer.body) as { readonly code: number; readonly message: string };
  equal(told.code, code, `${what}: ${answer.body}`);
  return told.message;
}

const rangeAll = `{"key":"AA==","range_end":"AA=="}`;

/** Each would change something, were it taken. */
const writes: readonly (readonly [path: string, body: string])[] = [
  ["/v3/kv/put", `{"key":"Zm9v","value":"YmFy"}`],
  ["/v3/kv/txn", `{"success":[{"request_put":{"key":"Zm9v","value":"YmFy"}}]}`],
  ["/v3/kv/deleterange", rangeAll],
  ["/v3/kv/compaction", `{"revision":"2"}`],
  ["/v3/cluster/member/add", `{"peerURLs":["http://127.0.0.1:1"]}`],
  ["/v3/maintenance/alarm", `{"action":"ACTIVATE","memberID":"1","alarm":"NOSPACE"}`],
  ["/v3/lease/grant", `{"TTL":"5","ID":"77"}`],
  ["/v3/auth/user/add", `{"name":"a","password":"b"}`],
  ["/v3/auth/role/add", `{"name":"a"}`],
];

/** Never a whole good request: its last bracket is cut off, or stands where none may. */
function broken(text: string, random: Prng): Buffer {
  const good = Buffer.from(text);
  const at = 1 + random.below(good.length - 1);
  switch (random.below(4)) {
    case 0:
      return good.subarray(0, at);
    case 1:
      return Buffer.concat([Buffer.from("["), good]);
    case 2:
      return Buffer.concat([Buffer.of(random.below(8)), good]);
    default:
      return Buffer.concat([good.subarray(0, at), Buffer.of(0xff, 0x00, 0x5d), good.subarray(at)]);
  }
}

const letters = "abcdefghijklmnopqrstuvwxyz";

/** Another path of the same form: one letter of its last words is another one. */
export function wrongPath(path: string, random: Prng): string {
  const places = [...path].flatMap((char, at) => (letters.includes(char) && at > 3 ? [at] : []));
  const at = places[random.below(places.length)]!;
  return `${path.slice(0, at)}${letters[random.below(26)]!.toUpperCase()}${path.slice(at + 1)}`;
}

/** Standard base64 of something, with what makes it none. */
function brokenBase64(random: Prng): string {
  const whole = Buffer.of(random.below(256), ...randomBytes(random, 12)).toString("base64");
  const plain = whole.replaceAll("=", "");
  switch (random.below(3)) {
    case 0:
      return `${whole}${letters[random.below(26)]}`;
    case 1: {
      const at = random.below(plain.length);
      const odd = "!@#$%^&*()-_ .:;~|<>"[random.below(20)]!;
      return `${plain.slice(0, at)}${odd}${plain.slice(at)}`;
    }
    default:
      return `=${whole}`;
  }
}

/** Some JSON value, not deep. */
function anything(random: Prng, depth: number = 0): unknown {
  switch (random.below(depth < 3 ? 7 : 5)) {
    case 0:
      return null;
    case 1:
      return random.below(2) === 0;
    case 2:
      return random.below(2 ** 40) / 8;
    case 3:
      return -random.below(1000);
    case 4:
      return Buffer.from(randomBytes(random, 8)).toString("latin1");
    case 5:
      return Array.from({ length: random.below(3) }, () => anything(random, depth + 1));
    default:
      return { [`f${random.below(1000)}`]: anything(random, depth + 1) };
  }
}

export const badGatewayCases: readonly Case[] = [
  {
    rule: "E-BAD",
    name: "gateway: 1,000 bodies that are no JSON, to every path that writes",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const random = new Prng("broken requests");
        for (let n = 0; n < 1000; n += 1) {
          const [path, good] = writes[n % writes.length]!;
          const body = broken(good, random);
          const answer = await post(trial, "broken JSON", path, body);
          refused(`${path} ${body.toString("latin1")}`, answer, 400, 3);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "gateway: 300 paths that there are not",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const random = new Prng("paths of the gateway");
        for (let n = 0; n < 300; n += 1) {
          const [good, body] = writes[n % writes.length]!;
          const path = wrongPath(good, random);
          const answer = await post(trial, "wrong paths", path, body);
          equal(answer.status, 404, `${path}: ${answer.status} ${answer.body}`);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "gateway: 300 requests with fields that nobody knows are what they are without them",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const random = new Prng("fields of the gateway");
        const plain = await post(trial, "unknown fields", "/v3/kv/range", rangeAll);
        equal(plain.status, 200);
        for (let n = 0; n < 300; n += 1) {
          const fields: Record<string, unknown> = { key: "AA==", range_end: "AA==" };
          for (let count = 1 + random.below(3); count > 0; count -= 1) {
            fields[`unknown${random.below(1000)}`] = anything(random);
          }
          const body = JSON.stringify(fields);
          const answer = await post(trial, "unknown fields", "/v3/kv/range", body);
          deepEqual([answer.status, answer.body], [200, plain.body], body);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "gateway: values beyond what a request may be, and beyond what the wire takes",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const body = (bytes: number): string =>
          `{"key":"Zm9v","value":"${Buffer.alloc(bytes, "v").toString("base64")}"}`;
        for (const bytes of [1_600_000, 1_900_000]) {
          const answer = await post(trial, "oversize", "/v3/kv/put", body(bytes));
          const told = refused(`${bytes} bytes`, answer, 400, 3);
          equal(told, "etcdserver: request is too large");
        }
        for (const bytes of [2_200_000, 4_000_000]) {
          const answer = await post(trial, "oversize", "/v3/kv/put", body(bytes));
          const told = refused(`${bytes} bytes`, answer, 429, 8);
          match(told, /^grpc: received message larger than max/);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "gateway: 500 strings with bytes that are no UTF-8",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const random = new Prng("bytes of the gateway");
        for (let n = 0; n < 500; n += 1) {
          const bad = Uint8Array.from(
            { length: 1 + random.below(4) },
            () => 0x80 + random.below(128),
          );
          const start = Buffer.from(`{"key":"Zm9v`);
          const body = Buffer.concat([start, bad, Buffer.from(`","value":"YmFy"}`)]);
          const answer = await post(trial, "invalid UTF-8", "/v3/kv/put", body);
          refused(body.toString("latin1"), answer, 400, 3);
        }
      }),
  },
  {
    rule: "E-BAD",
    name: "gateway: 500 strings that are no base64",
    run: (trial) =>
      nothingWritten(trial, async () => {
        const random = new Prng("base64 of the gateway");
        for (let n = 0; n < 500; n += 1) {
          const bad = brokenBase64(random);
          const [path, body] = [
            ["/v3/kv/put", JSON.stringify({ key: bad, value: "YmFy" })],
            ["/v3/kv/put", JSON.stringify({ key: "Zm9v", value: bad })],
            ["/v3/kv/deleterange", JSON.stringify({ key: "AA==", range_end: bad })],
            ["/v3/kv/txn", JSON.stringify({ success: [{ request_put: { key: bad } }] })],
          ][n % 4]!;
          const answer = await post(trial, "broken base64", path!, body!);
          const told = refused(body!, answer, 400, 3);
          match(told, /illegal base64 data at input byte \d+$/, body);
        }
      }),
  },
];
