// etcd's Lease messages: our bytes against those of the table in test/etcd-schema.ts, and back.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { latin1Encode, toHex } from "@quorate/base";
import { KvError } from "../kv-error.ts";
import { encodeRecord } from "../test/etcd-schema.ts";
import type { WireRecord } from "../test/etcd-schema.ts";
import { encodeHeaderIds, writeHeader } from "../wire/encode-response.ts";
import { ProtoWriter } from "../wire/proto-writer.ts";
import { leaseIdHigh, leaseIdLow, leaseIdOf, noLease } from "./lease-id.ts";
import type { LeaseId } from "./lease-id.ts";
import {
  decodeLeaseGrantRequest,
  decodeLeaseIdRequest,
  decodeLeaseTimeToLiveRequest,
  encodeLeaseGrantRequest,
  encodeLeaseIdRequest,
  encodeLeaseTimeToLiveRequest,
  grantCommandOf,
  isLeaseLeasesRequest,
} from "./lease-requests.ts";
import {
  decodeLeaseResponse,
  decodeLeasesResponse,
  encodeKeepAliveResponse,
  encodeLeasesResponse,
  encodeTimeToLiveResponse,
} from "./lease-responses.ts";

const half = fc.integer({ min: 0, max: 0xffffffff });
const leaseId = fc.tuple(half, half).map(([high, low]) => leaseIdOf(high, low));

/** As protobuf's int64. */
function asInt64(id: LeaseId): bigint {
  return BigInt.asIntN(64, (BigInt(leaseIdHigh(id)) << 32n) | BigInt(leaseIdLow(id)));
}

function same(name: string, ours: Uint8Array, record: WireRecord): void {
  equal(toHex(ours), toHex(encodeRecord(name, record)));
}

const ttl = fc.integer({ min: -5, max: 2 ** 53 - 1 });

test("requests: our bytes are those of the dumb encoder, and we read them back", () => {
  fc.assert(
    fc.property(leaseId, ttl, fc.boolean(), (id, ttlSeconds, keys) => {
      const grant = encodeLeaseGrantRequest({ id, ttlSeconds });
      same("LeaseGrantRequest", grant, { TTL: BigInt(ttlSeconds), ID: asInt64(id) });
      deepEqual(decodeLeaseGrantRequest(grant), { id, ttlSeconds });
      const revoke = encodeLeaseIdRequest(id);
      same("LeaseIdRequest", revoke, { ID: asInt64(id) });
      equal(decodeLeaseIdRequest(revoke), id);
      const timeToLive = encodeLeaseTimeToLiveRequest({ id, keys });
      same("LeaseTimeToLiveRequest", timeToLive, { ID: asInt64(id), keys });
      deepEqual(decodeLeaseTimeToLiveRequest(timeToLive), { id, keys });
    }),
  );
  equal(isLeaseLeasesRequest(new Uint8Array(0)), true);
});

test("what is no message is refused; unknown fields are passed over", () => {
  const decoders = [
    decodeLeaseGrantRequest,
    decodeLeaseIdRequest,
    decodeLeaseTimeToLiveRequest,
    (bytes: Uint8Array) => (isLeaseLeasesRequest(bytes) ? {} : null),
  ];
  for (const decode of decoders) {
    equal(decode(Uint8Array.of(0x08)), null);
    equal(decode(Uint8Array.of(0x00)), null);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void decode(bytes)));
  }
  equal(decodeLeaseIdRequest(Uint8Array.of(0x0a, 0)), null, "a known field of another type");
  equal(decodeLeaseIdRequest(Uint8Array.of(0x7a, 1, 9, 0x08, 5)), leaseIdOf(0, 5));
});

test("responses: our bytes are those of the dumb encoder, and we read them back", () => {
  const writer = new ProtoWriter();
  const ids = encodeHeaderIds(7n, 1n << 63n);
  writeHeader(writer, { ids, term: 3 }, 12);
  const header = writer.take();
  const record = { cluster_id: 7n, member_id: 1n << 63n, revision: 12n, raft_term: 3n };
  const read = { clusterId: 7n, memberId: 1n << 63n, revision: 12, raftTerm: 3 };
  const keys = fc.array(fc.string({ maxLength: 3 }).map(latin1Encode), { maxLength: 3 });
  fc.assert(
    fc.property(leaseId, ttl, keys, (id, ttlSeconds, attached) => {
      const alive = encodeKeepAliveResponse(header, id, ttlSeconds);
      const ID = asInt64(id);
      const TTL = BigInt(ttlSeconds);
      same("LeaseKeepAliveResponse", alive, { header: record, ID, TTL });
      const nothing = { grantedTtlSeconds: 0, keys: [] };
      deepEqual(decodeLeaseResponse(alive), { header: read, id, ttlSeconds, ...nothing });
      const left = encodeTimeToLiveResponse(header, id, ttlSeconds, 60, attached);
      const wire = { header: record, ID, TTL, grantedTTL: 60n };
      same("LeaseTimeToLiveResponse", left, {
        ...wire,
        keys: attached.map(toHex) as unknown as WireRecord[],
      });
      const expected = { header: read, id, ttlSeconds, grantedTtlSeconds: 60, keys: attached };
      deepEqual(decodeLeaseResponse(left), expected);
      const list = encodeLeasesResponse(header, [id, noLease, id]);
      same("LeaseLeasesResponse", list, { header: record, leases: [{ ID }, { ID: 0n }, { ID }] });
      deepEqual(decodeLeasesResponse(list), id === noLease ? [] : [id, id]);
    }),
  );
});

test("what is proposed for a request: the least that is granted, the most, and an id of our own", () => {
  const fresh = leaseIdOf(1, 2);
  const ask = (ttlSeconds: number, id: LeaseId = noLease): unknown =>
    grantCommandOf({ ttlSeconds, id }, 2, () => fresh);
  deepEqual(ask(0), { id: fresh, ttlSeconds: 2 });
  deepEqual(ask(-7), { id: fresh, ttlSeconds: 2 });
  deepEqual(ask(3, leaseIdOf(0, 9)), { id: leaseIdOf(0, 9), ttlSeconds: 3 });
  deepEqual(ask(9e9), { id: fresh, ttlSeconds: 9e9 });
  equal(ask(9e9 + 1), KvError.LeaseTtlTooLarge);
  equal(ask(2 ** 62), KvError.LeaseTtlTooLarge);
});
