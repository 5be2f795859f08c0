// Everything of etcd's backend file but the rows, from a state that is held: encoded as etcd 3.4 keeps it.
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { utf8Encode } from "@quorate/base";
import type { HeldAuth, HeldLease, HeldMember, HeldState } from "@quorate/host";
import { isEtcdAlarm } from "@quorate/kv";
import type { Alarm } from "@quorate/kv";
import type { Bucket } from "../bolt/file-writer.ts";
import type { BoltEntry } from "../bolt/tree-writer.ts";
import { AuthKey, BucketName, clusterVersionKey, MetaKey } from "./names.ts";

/**
 * The lowest that has all that stands here: a newer etcd raises it when it has started, an older one
 * would refuse a higher one.
 */
const clusterVersion = "3.4.0";

const none = new Uint8Array(0);

export function smallBuckets(state: HeldState): Bucket[] {
  const { alarms, auth, leases, members, removedMembers } = state;
  return [
    { name: BucketName.Alarm, entries: alarms.filter(({ type }) => isEtcdAlarm(type)).map(alarm) },
    { name: BucketName.Auth, entries: authEntries(auth) },
    { name: BucketName.AuthRoles, entries: auth.roles.map(role) },
    { name: BucketName.AuthUsers, entries: auth.users.map(user) },
    { name: BucketName.Cluster, entries: [text(clusterVersionKey, clusterVersion)] },
    { name: BucketName.Lease, entries: leases.map(lease) },
    { name: BucketName.Members, entries: members.map(member) },
    {
      name: BucketName.MembersRemoved,
      entries: removedMembers.map((id) => text(idText(id), "removed")),
    },
    { name: BucketName.Meta, entries: meta(state) },
  ];
}

function meta({ index, compactRevision }: HeldState): BoltEntry[] {
  const entries: BoltEntry[] = [[utf8Encode(MetaKey.ConsistentIndex), u64(BigInt(index))]];
  if (compactRevision < 0) return entries;
  // As the key of a row: main, "_", sub 0.
  const revision = new Uint8Array(17);
  revision.set(u64(BigInt(compactRevision)));
  revision[8] = 0x5f;
  entries.push([utf8Encode(MetaKey.ScheduledCompactRevision), revision]);
  entries.push([utf8Encode(MetaKey.FinishedCompactRevision), revision]);
  return entries;
}

/** etcdserverpb.AlarmMember is the key, nothing the value. */
function alarm({ memberId, type }: Alarm): BoltEntry {
  const writer = new BinaryWriter();
  if (!/^0*$/.test(memberId)) writer.tag(1, 0).uint64(BigInt(`0x${memberId}`));
  return [writer.tag(2, 0).int32(type).finish(), none];
}

function authEntries({ enabled, revision }: HeldAuth): BoltEntry[] {
  const entries: BoltEntry[] = [[utf8Encode(AuthKey.Revision), u64(BigInt(revision))]];
  if (enabled) entries.push([utf8Encode(AuthKey.Enabled), Uint8Array.of(1)]);
  return entries;
}

/** authpb.User. */
function user({ name, passwordHash, roles, noPassword }: HeldAuth["users"][number]): BoltEntry {
  const writer = new BinaryWriter();
  writer.tag(1, 2).string(name);
  if (passwordHash.length > 0) writer.tag(2, 2).bytes(passwordHash);
  for (const one of roles) writer.tag(3, 2).string(one);
  writer.tag(4, 2).fork();
  if (noPassword) writer.tag(1, 0).bool(true);
  return [utf8Encode(name), writer.join().finish()];
}

/** authpb.Role. */
function role({ name, permissions }: HeldAuth["roles"][number]): BoltEntry {
  const writer = new BinaryWriter();
  writer.tag(1, 2).string(name);
  for (const { type, key, rangeEnd } of permissions) {
    writer.tag(2, 2).fork();
    if (type !== 0) writer.tag(1, 0).int32(type);
    if (key.length > 0) writer.tag(2, 2).bytes(key);
    if (rangeEnd.length > 0) writer.tag(3, 2).bytes(rangeEnd);
    writer.join();
  }
  return [utf8Encode(name), writer.finish()];
}

/** leasepb.Lease under its id. */
function lease({ high, low, ttlSeconds, remainingTtlSeconds }: HeldLease): BoltEntry {
  const id = (BigInt(high) << 32n) | BigInt(low);
  const writer = new BinaryWriter();
  writer.tag(1, 0).int64(BigInt.asIntN(64, id));
  writer.tag(2, 0).int64(ttlSeconds);
  if (remainingTtlSeconds > 0) writer.tag(3, 0).int64(remainingTtlSeconds);
  return [u64(id), writer.finish()];
}

/** etcd's JSON, in which an id is a number of up to 64 bits. */
function member(held: HeldMember): BoltEntry {
  const { memberId, name, peerUrls, clientUrls, isLearner } = held;
  const fields = [
    `"id":${BigInt(`0x${memberId}`)}`,
    `"peerURLs":${JSON.stringify(peerUrls)}`,
    ...(isLearner ? ['"isLearner":true'] : []),
    ...(name === "" ? [] : [`"name":${JSON.stringify(name)}`]),
    ...(clientUrls.length === 0 ? [] : [`"clientURLs":${JSON.stringify(clientUrls)}`]),
  ];
  return text(idText(memberId), `{${fields.join(",")}}`);
}

/** Hexadecimal without leading zeros. */
function idText(memberId: string): string {
  return BigInt(`0x${memberId}`).toString(16);
}

function text(key: string, value: string): BoltEntry {
  return [utf8Encode(key), utf8Encode(value)];
}

/** Big-endian. */
function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}
