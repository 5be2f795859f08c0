// The public face of our gRPC wire.
export { GrpcClient } from "./client.ts";
export type { GrpcResult } from "./client.ts";
export { machineTls, secureOptions } from "./client-tls.ts";
export type { GrpcTls } from "./client-tls.ts";
export { GrpcServer } from "./server.ts";
export type { GrpcHandler, GrpcPeer, GrpcServerOptions, GrpcSink } from "./server.ts";
export { decodeGrpcMessage, encodeGrpcMessage, GrpcCode } from "./status.ts";
