// The public face of our gRPC wire.
export { GrpcClient } from "./client.ts";
export type { GrpcResult } from "./client.ts";
export { machineTls, secureOptions } from "./client-tls.ts";
export type { GrpcTls } from "./client-tls.ts";
export { keepAliveDefaults } from "./keep-alive.ts";
export type { KeepAliveLimits } from "./keep-alive.ts";
export { ReplyBytes } from "./reply-bytes.ts";
export { GrpcServer, headerFieldsMax } from "./server.ts";
export type { GrpcHandler, GrpcLimits, GrpcPeer, GrpcServerOptions, GrpcSink } from "./server.ts";
export { decodeGrpcMessage, encodeGrpcMessage, GrpcCode } from "./status.ts";
