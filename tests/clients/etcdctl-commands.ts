// Which command of etcdctl is run by which test: beside a real etcd, with equal outputs and exit codes,
// unless the reason says otherwise.

const kv = "tests/processes/etcdctl.test.ts";
const members = "tests/processes/members.test.ts";
const auth = "tests/conformance/auth/auth-etcdctl.test.ts";
const lease = "tests/conformance/lease.test.ts";
const snapshot = "tests/conformance/snapshot/etcd-snapshot.test.ts";
/** Runs what that test asks for. */
const restored = "tests/conformance/snapshot/restored-etcd.ts";
const waiting = "tests/clients/etcdctl.test.ts";
const load = "tests/long/etcdctl-check.test.ts";

/** Command → the file that runs it. */
export const covered: Readonly<Record<string, string>> = {
  "alarm disarm": kv,
  "alarm list": kv,
  "auth disable": auth,
  "auth enable": auth,
  "check datascale": load,
  "check perf": load,
  compaction: kv,
  defrag: kv,
  del: kv,
  elect: waiting,
  "endpoint hashkv": kv,
  "endpoint health": kv,
  "endpoint status": kv,
  get: kv,
  "lease grant": lease,
  "lease keep-alive": lease,
  "lease list": lease,
  "lease revoke": lease,
  "lease timetolive": lease,
  lock: waiting,
  "make-mirror": waiting,
  "member add": members,
  "member list": kv,
  "member promote": members,
  "member remove": members,
  "member update": members,
  "move-leader": kv,
  put: kv,
  "role add": auth,
  "role delete": auth,
  "role get": auth,
  "role grant-permission": auth,
  "role list": auth,
  "role revoke-permission": auth,
  "snapshot restore": restored,
  "snapshot save": snapshot,
  "snapshot status": restored,
  txn: kv,
  "user add": auth,
  "user delete": auth,
  "user get": auth,
  "user grant-role": auth,
  "user list": auth,
  "user passwd": auth,
  "user revoke-role": auth,
  version: kv,
  watch: waiting,
};

/** Commands that ask no server, or not one of etcd's third API. */
export const asksNoServer: Readonly<Record<string, string>> = {
  "completion bash": "prints a script",
  "completion fish": "prints a script",
  "completion powershell": "prints a script",
  "completion zsh": "prints a script",
  help: "prints a page",
  migrate: "reads the files of an etcd 2 that is stopped",
};
