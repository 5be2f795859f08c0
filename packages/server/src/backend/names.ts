// The buckets and well-known keys of etcd's backend file, as its release 3.4 has them.

export const BucketName = {
  Alarm: "alarm",
  Auth: "auth",
  AuthRoles: "authRoles",
  AuthUsers: "authUsers",
  Cluster: "cluster",
  Key: "key",
  Lease: "lease",
  Members: "members",
  MembersRemoved: "members_removed",
  Meta: "meta",
} as const;

export const MetaKey = {
  ConsistentIndex: "consistent_index",
  ScheduledCompactRevision: "scheduledCompactRev",
  FinishedCompactRevision: "finishedCompactRev",
} as const;

export const AuthKey = { Enabled: "authEnabled", Revision: "authRevision" } as const;

export const clusterVersionKey = "clusterVersion";
