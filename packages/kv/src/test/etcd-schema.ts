// A second opinion on the wire: etcd's KV messages as a table (from its rpc.proto and kv.proto),
// and the dumbest encoder and decoder that such a table allows, on bigint. Records hold every
// field by its proto name: bigint, boolean, bytes as hex, records, arrays; a oneof member only
// when it is there.
import { assert, fromHex, toHex } from "@quorate/base";

/** "name=number:type"; "[]" repeated; "|" member of a oneof; "?" a message that may be absent. */
const messages: Readonly<Record<string, string>> = {
  ResponseHeader: "cluster_id=1:u64 member_id=2:u64 revision=3:i64 raft_term=4:u64",
  KeyValue:
    "key=1:bytes create_revision=2:i64 mod_revision=3:i64 version=4:i64 value=5:bytes lease=6:i64",
  RangeRequest:
    "key=1:bytes range_end=2:bytes limit=3:i64 revision=4:i64 sort_order=5:i64 sort_target=6:i64 " +
    "serializable=7:bool keys_only=8:bool count_only=9:bool min_mod_revision=10:i64 " +
    "max_mod_revision=11:i64 min_create_revision=12:i64 max_create_revision=13:i64",
  RangeResponse: "header=1:ResponseHeader? kvs=2:KeyValue[] more=3:bool count=4:i64",
  PutRequest:
    "key=1:bytes value=2:bytes lease=3:i64 prev_kv=4:bool ignore_value=5:bool ignore_lease=6:bool",
  PutResponse: "header=1:ResponseHeader? prev_kv=2:KeyValue?",
  DeleteRangeRequest: "key=1:bytes range_end=2:bytes prev_kv=3:bool",
  DeleteRangeResponse: "header=1:ResponseHeader? deleted=2:i64 prev_kvs=3:KeyValue[]",
  RequestOp:
    "request_range=1:RangeRequest| request_put=2:PutRequest| " +
    "request_delete_range=3:DeleteRangeRequest| request_txn=4:TxnRequest|",
  ResponseOp:
    "response_range=1:RangeResponse| response_put=2:PutResponse| " +
    "response_delete_range=3:DeleteRangeResponse| response_txn=4:TxnResponse|",
  Compare:
    "result=1:i64 target=2:i64 key=3:bytes version=4:i64| create_revision=5:i64| " +
    "mod_revision=6:i64| value=7:bytes| lease=8:i64| range_end=64:bytes",
  TxnRequest: "compare=1:Compare[] success=2:RequestOp[] failure=3:RequestOp[]",
  TxnResponse: "header=1:ResponseHeader? succeeded=2:bool responses=3:ResponseOp[]",
  CompactionRequest: "revision=1:i64 physical=2:bool",
  CompactionResponse: "header=1:ResponseHeader?",
  LeaseGrantRequest: "TTL=1:i64 ID=2:i64",
  /** LeaseRevokeRequest and LeaseKeepAliveRequest. */
  LeaseIdRequest: "ID=1:i64",
  LeaseTimeToLiveRequest: "ID=1:i64 keys=2:bool",
  LeaseKeepAliveResponse: "header=1:ResponseHeader? ID=2:i64 TTL=3:i64",
  LeaseTimeToLiveResponse:
    "header=1:ResponseHeader? ID=2:i64 TTL=3:i64 grantedTTL=4:i64 keys=5:bytes[]",
  LeaseStatus: "ID=1:i64",
  LeaseLeasesResponse: "header=1:ResponseHeader? leases=2:LeaseStatus[]",
};

export type WireValue = bigint | boolean | string | WireRecord | readonly WireRecord[];
export interface WireRecord {
  readonly [field: string]: WireValue;
}

interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly mark: string;
}

function fieldsOf(message: string): Field[] {
  return messages[message]!.split(" ").map((text) => {
    const [, name, number, type, mark] = /^(\w+)=(\d+):(\w+)(\[\]|\||\?|)$/.exec(text)!;
    return { name: name!, number: Number(number), type: type!, mark: mark! };
  });
}

export function encodeRecord(message: string, record: WireRecord): Uint8Array {
  const out: number[] = [];
  for (const { name, number, type, mark } of fieldsOf(message)) {
    const given = record[name];
    if (given === undefined) continue;
    for (const value of mark === "[]" ? (given as readonly WireRecord[]) : [given]) {
      const present = mark !== "";
      if (typeof value === "bigint" || typeof value === "boolean") {
        const bits = BigInt.asUintN(64, BigInt(value));
        if (bits !== 0n || present) out.push(...varint(number * 8), ...varint(bits));
        continue;
      }
      const bytes =
        typeof value === "string" ? fromHex(value)! : encodeRecord(type, value as WireRecord);
      if (bytes.length === 0 && !present) continue;
      out.push(...varint(number * 8 + 2), ...varint(bytes.length), ...bytes);
    }
  }
  return Uint8Array.from(out);
}

export function decodeRecord(message: string, bytes: Uint8Array): WireRecord {
  const fields = fieldsOf(message);
  const record: Record<string, WireValue> = {};
  for (const { name, type, mark } of fields) {
    if (mark === "[]") record[name] = [];
    else if (mark === "") record[name] = type === "bytes" ? "" : type === "bool" ? false : 0n;
  }
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(next());
    const field = fields.find(({ number }) => number === tag >> 3);
    assert(field !== undefined, "decodeRecord: unknown field");
    const { name, type, mark } = field;
    if ((tag & 7) === 0) {
      const value = next();
      record[name] =
        type === "bool" ? value === 1n : BigInt.asIntN(type === "u64" ? 65 : 64, value);
      continue;
    }
    const length = Number(next());
    const part = bytes.subarray(at, (at += length));
    const value = type === "bytes" ? toHex(part) : decodeRecord(type, part);
    record[name] =
      mark === "[]" ? ([...(record[name] as WireRecord[]), value] as WireRecord[]) : value;
  }
  return record;
}

function varint(value: bigint | number): number[] {
  const out: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return [...out, Number(rest)];
}

/** One of our objects, a request or a response, as a record: what its field names promise. */
export function asRecord(content: object | null): WireRecord {
  assert(content !== null, "asRecord: an operation without content has no fields");
  const record: Record<string, WireValue> = {};
  const { operand = 0, number = 0 } = content as { operand?: number; number?: number };
  for (const [name, value] of Object.entries(content) as [string, unknown][]) {
    const protoName = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (["type", "tooDeep", "operand", "number", "leaseLow"].includes(name)) continue;
    if (name === "leaseHigh") {
      const { leaseHigh, leaseLow } = content as { leaseHigh: number; leaseLow: number };
      const lease = (BigInt(leaseHigh) << 32n) | BigInt(leaseLow);
      if (!("operand" in content) || operand === 8) record["lease"] = BigInt.asIntN(64, lease);
    } else if (name === "value" && "operand" in content) {
      if (operand === 7) record["value"] = toHex(value as Uint8Array);
    } else if (value instanceof Uint8Array) record[protoName] = toHex(value);
    else if (isNumber(value)) record[protoName] = BigInt(value);
    else if (typeof value === "boolean") record[protoName] = value;
    else if (Array.isArray(value)) {
      const isOps = ["success", "failure", "responses"].includes(name);
      record[protoName] = value.map((item: object) => (isOps ? opRecord(item) : asRecord(item)));
    } else if (value !== null) record[protoName] = asRecord(value as object);
  }
  if (operand === 4) record["version"] = BigInt(number);
  if (operand === 5) record["create_revision"] = BigInt(number);
  if (operand === 6) record["mod_revision"] = BigInt(number);
  return record;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function opRecord(op: object | null): WireRecord {
  if (op === null) return {};
  const { type } = op as { type: number };
  const suffix = ["", "range", "put", "delete_range", "txn"][type]!;
  const isResponse = "header" in op;
  return { [`${isResponse ? "response" : "request"}_${suffix}`]: asRecord(op) };
}
