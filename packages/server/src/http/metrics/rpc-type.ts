// The grpc_type label of an RPC: what its service's descriptor says of it.
import { servedServices } from "@quorate/proto";

export type RpcType = "unary" | "client_stream" | "server_stream" | "bidi_stream";

const types = {
  unary: "unary",
  client_streaming: "client_stream",
  server_streaming: "server_stream",
  bidi_streaming: "bidi_stream",
} as const;

const byName: ReadonlyMap<string, RpcType> = new Map(
  servedServices.flatMap(({ typeName, methods }) =>
    methods.map(({ name, methodKind }) => [`${typeName}/${name}`, types[methodKind]] as const),
  ),
);

export function rpcTypeOf(service: string, method: string): RpcType {
  return byName.get(`${service}/${method}`) ?? "unary";
}
