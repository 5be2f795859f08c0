// The header of an answer on keys, as the messages of locks and elections carry it.
import { create } from "@bufbuild/protobuf";
import type { ResponseHeader } from "@quorate/kv";
import { etcd } from "@quorate/proto";

export function headerMessage(
  { clusterId, memberId, raftTerm, revision }: ResponseHeader,
  at: number = revision,
): etcd.ResponseHeader {
  return create(etcd.ResponseHeaderSchema, {
    clusterId,
    memberId,
    revision: BigInt(at),
    raftTerm: BigInt(raftTerm),
  });
}
