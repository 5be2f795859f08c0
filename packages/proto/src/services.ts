// Which services there are, once for all who go through them: etcd's own, and all that a member serves.
import type { DescService } from "@bufbuild/protobuf";
import {
  election,
  etcd,
  health,
  inspect,
  lock,
  members,
  reflection,
  reflectionAlpha,
} from "./messages.ts";

/** Those that etcd's JSON gateway has paths for. */
export const gatewayServices: readonly DescService[] = [
  etcd.KV,
  etcd.Watch,
  etcd.Lease,
  etcd.Cluster,
  etcd.Maintenance,
  etcd.Auth,
  lock.Lock,
  election.Election,
];

/** Those that etcd 3.4 serves, too. */
export const etcdServices: readonly DescService[] = [...gatewayServices, health.Health];

export const servedServices: readonly DescService[] = [
  ...etcdServices,
  inspect.Inspect,
  members.Members,
  reflection.ServerReflection,
  reflectionAlpha.ServerReflection,
];
