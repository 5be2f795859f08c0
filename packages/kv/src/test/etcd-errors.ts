// What etcd 3.4 answers for each refusal: gRPC code and text. For comparison only; the server has
// its own table.
import { KvError } from "../kv-error.ts";

export const etcdErrors: Readonly<Partial<Record<KvError, readonly [number, string]>>> = {
  [KvError.KeyNotProvided]: [3, "etcdserver: key is not provided"],
  [KvError.KeyNotFound]: [3, "etcdserver: key not found"],
  [KvError.ValueProvided]: [3, "etcdserver: value is provided"],
  [KvError.LeaseProvided]: [3, "etcdserver: lease is provided"],
  [KvError.TooManyOps]: [3, "etcdserver: too many operations in txn request"],
  [KvError.DuplicateKey]: [3, "etcdserver: duplicate key given in txn request"],
  [KvError.Compacted]: [11, "etcdserver: mvcc: required revision has been compacted"],
  [KvError.FutureRevision]: [11, "etcdserver: mvcc: required revision is a future revision"],
  [KvError.LeaseNotFound]: [5, "etcdserver: requested lease not found"],
  [KvError.LeaseExists]: [9, "etcdserver: lease already exists"],
  [KvError.LeaseTtlTooLarge]: [11, "etcdserver: too large lease TTL"],
};
