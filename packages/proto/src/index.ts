// Messages generated from the .proto files beside this folder (scripts/gen-proto.ts). No logic.
export * as etcd from "./gen/etcdserverpb/rpc_pb.js";
export * as health from "./gen/grpc/health/v1/health_pb.js";
export * as inspect from "./gen/quorate/v1/inspect_pb.js";
export * as members from "./gen/quorate/v1/members_pb.js";
