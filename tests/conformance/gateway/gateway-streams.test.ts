// Streams of the JSON gateway beside a real etcd 3.4.23: the same requests, the same lines.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { etcdMissing } from "../../processes/etcd-cluster.ts";
import { GatewayPair, plainBody } from "./gateway-pair.ts";
import { keptHeaders } from "./http-call.ts";
import { HttpStream } from "./http-stream.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED streams beside etcd: ${missing}\n\n`);
const skip = missing ?? false;

let pair: GatewayPair;

before(async () => {
  if (skip === false) pair = await GatewayPair.start();
});

after(async () => {
  if (skip === false) await pair.close();
});

class StreamPair {
  readonly #etcd: HttpStream;
  readonly #quorate: HttpStream;

  constructor(etcd: HttpStream, quorate: HttpStream) {
    this.#etcd = etcd;
    this.#quorate = quorate;
  }

  static async open(
    body: string,
    options: { readonly end: boolean; readonly headers?: Record<string, string> },
  ): Promise<StreamPair> {
    const open = (address: string): Promise<HttpStream> =>
      HttpStream.open(address, "/v3/watch", body, options);
    const [etcd, quorate] = await Promise.all([open(pair.etcdAddress), open(pair.quorateAddress)]);
    const head = ({ response }: HttpStream): unknown => [
      response.statusCode,
      keptHeaders(response.headers),
    ];
    deepEqual(head(quorate), head(etcd));
    return new StreamPair(etcd, quorate);
  }

  /** The next line of each. */
  async both(): Promise<{ readonly theirs: string | null; readonly ours: string | null }> {
    const [theirs, ours] = await Promise.all([this.#etcd.next(), this.#quorate.next()]);
    return { theirs, ours };
  }

  /** The next line of both, when it is the same. */
  async next(): Promise<string | null> {
    const { theirs, ours } = await this.both();
    equal(ours && plainBody(ours), theirs && plainBody(theirs));
    return ours;
  }

  send(body: string): void {
    this.#etcd.send(body);
    this.#quorate.send(body);
  }

  close(): void {
    this.#etcd.close();
    this.#quorate.close();
  }
}

test("watch: events of puts and deletes, long after the body has ended", { skip }, async () => {
  const watch = await StreamPair.open(`{"create_request":{"key":"dw==","prev_kv":true}}`, {
    end: true,
  });
  match((await watch.next())!, /"created":true\}\}$/);
  await pair.same({ path: "/v3/kv/put", body: `{"key":"dw==","value":"MQ=="}` });
  match((await watch.next())!, /"events":\[\{"kv":\{"key":"dw==",/);
  await pair.same({ path: "/v3/kv/put", body: `{"key":"b3RoZXI="}` });
  await pair.same({ path: "/v3/kv/put", body: `{"key":"dw==","value":"Mg=="}` });
  await watch.next();
  await pair.same({ path: "/v3/kv/deleterange", body: `{"key":"dw=="}` });
  match((await watch.next())!, /"events":\[\{"type":"DELETE","kv":.+"prev_kv":\{"key":"dw==",/);
  watch.close();
});

test("watch: the past, a compacted past, filters", { skip }, async () => {
  const past = await StreamPair.open(`{"createRequest":{"key":"dw==","startRevision":2}}`, {
    end: true,
  });
  for (let n = 0; n < 2; n += 1) await past.next();
  past.close();
  await pair.same({ path: "/v3/kv/compaction", body: `{"revision":"4"}` });
  const gone = await StreamPair.open(`{"create_request":{"key":"dw==","start_revision":"1"}}`, {
    end: true,
  });
  await gone.next();
  match((await gone.next())!, /"canceled":true,"compact_revision":"4"\}\}$/);
  gone.close();
  const body = `{"create_request":{"key":"dw==","filters":["NOPUT"]}}`;
  const deletes = await StreamPair.open(body, { end: true });
  await deletes.next();
  await pair.same({ path: "/v3/kv/put", body: `{"key":"dw=="}` });
  await pair.same({ path: "/v3/kv/deleterange", body: `{"key":"dw=="}` });
  match((await deletes.next())!, /"events":\[\{"type":"DELETE"/);
  deletes.close();
});

test("watch: many requests in one body, which goes on", { skip }, async () => {
  const first = `{"create_request":{"key":"dw=="}}{"create_request":{"key":"eA==","watch_id":"7"}}`;
  const watch = await StreamPair.open(first, { end: false });
  await watch.next();
  match((await watch.next())!, /"watch_id":"7","created":true/);
  watch.send(`{"progress_requ`);
  watch.send(`est":{}}\n`);
  match((await watch.next())!, /"watch_id":"-1"\}\}$/);
  watch.send(`{"cancel_request":{"watch_id":7}} `);
  match((await watch.next())!, /"watch_id":"7","canceled":true/);
  watch.send(`{"create_request":{"key":"eQ=="}}{no json any more`);
  await watch.next();
  await pair.same({ path: "/v3/kv/put", body: `{"key":"eQ=="}` });
  match((await watch.next())!, /"events":/);
  watch.close();
});

// Within etcd two things end the call at once: gRPC, whose error has a code, and the context of the
// gateway's own, whose error has none. Which comes first is chance.
test("watch: a deadline ends it with an error as the last line", { skip }, async () => {
  const expired = (code: number, httpCode: number, httpStatus: string): string =>
    `{"error":{"grpc_code":${code},"http_code":${httpCode},` +
    `"message":"context deadline exceeded","http_status":"${httpStatus}"}}`;
  const withCode = expired(4, 504, "Gateway Timeout");
  const without = expired(2, 500, "Internal Server Error");
  const body = `{"create_request":{"key":"dw=="}}`;
  const watch = await StreamPair.open(body, { end: true, headers: { "Grpc-Timeout": "1S" } });
  await watch.next();
  const { theirs, ours } = await watch.both();
  equal(ours, withCode);
  ok(theirs === withCode || theirs === without, `etcd: ${theirs}`);
  equal(await watch.next(), null);
});
