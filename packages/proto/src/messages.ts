// Messages generated from the .proto files beside this folder (scripts/gen-proto.ts). No logic.
export * as auth from "./gen/authpb/auth_pb.js";
export * as election from "./gen/v3electionpb/v3election_pb.js";
export * as etcd from "./gen/etcdserverpb/rpc_pb.js";
export * as health from "./gen/grpc/health/v1/health_pb.js";
export * as inspect from "./gen/quorate/v1/inspect_pb.js";
export * as lock from "./gen/v3lockpb/v3lock_pb.js";
export * as members from "./gen/quorate/v1/members_pb.js";
export * as mvcc from "./gen/mvccpb/kv_pb.js";
export * as reflection from "./gen/grpc/reflection/v1/reflection_pb.js";
export * as reflectionAlpha from "./gen/grpc/reflection/v1alpha/reflection_pb.js";
