// What is read from the host when metrics are scraped: a row each, under etcd's name where etcd has one.
import { Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { HostApi, HostStatus } from "@quorate/host";
import { alarmNames } from "@quorate/kv";
import { databaseBytes, databaseBytesInUse } from "../../etcd/database-size.ts";

interface GaugeRow {
  readonly name: string;
  readonly help: string;
  readonly read: (status: HostStatus, host: HostApi) => number;
}

const gauges: readonly GaugeRow[] = [
  {
    name: "etcd_server_has_leader",
    help: "Whether or not a leader exists. 1 is existence, 0 is not.",
    read: (s) => (s.leaderMemberId === "" ? 0 : 1),
  },
  {
    name: "etcd_server_is_leader",
    help: "Whether or not this member is a leader. 1 if is, 0 otherwise.",
    read: (s) => (s.leaderMemberId === s.memberId ? 1 : 0),
  },
  {
    name: "etcd_server_leader_changes_seen_total",
    help: "The number of leader changes seen.",
    read: (_s, host) => host.counters().leaderChanges,
  },
  {
    name: "etcd_server_proposals_committed_total",
    help: "The total number of consensus proposals committed.",
    read: (_s, host) => host.counters().proposalsCommitted,
  },
  {
    name: "etcd_server_proposals_applied_total",
    help: "The total number of consensus proposals applied.",
    read: (_s, host) => host.counters().proposalsApplied,
  },
  {
    name: "etcd_server_proposals_pending",
    help: "The current number of pending proposals to commit.",
    read: (_s, host) => host.counters().proposalsPending,
  },
  {
    name: "etcd_server_proposals_failed_total",
    help: "The total number of failed proposals seen.",
    read: (_s, host) => host.counters().proposalsFailed,
  },
  {
    name: "quorate_requests_refused_total",
    help: "Requests refused because this member has too much to do.",
    read: (_s, host) => host.counters().requestsRefused,
  },
  {
    name: "quorate_load_level",
    help: "How late this process is, from 0 (not) to 3 (by half of the election timeout).",
    read: (_s, host) => host.counters().loadLevel,
  },
  {
    name: "etcd_server_slow_read_indexes_total",
    help: "The total number of pending read indexes not in sync with leader's or timed out.",
    read: (_s, host) => host.counters().slowReadIndexes,
  },
  {
    name: "etcd_debugging_mvcc_watch_stream_total",
    help: "Total number of watch streams.",
    read: (_s, host) => host.counters().watchStreams,
  },
  {
    name: "etcd_debugging_mvcc_watcher_total",
    help: "Total number of watchers.",
    read: (_s, host) => host.counters().watchers,
  },
  {
    name: "etcd_debugging_mvcc_slow_watcher_total",
    help: "Total number of unsynced slow watchers.",
    read: (_s, host) => host.counters().slowWatchers,
  },
  {
    name: "quorate_watch_buffered_bytes",
    help: "Bytes of events that streams of watchers have taken and their clients have not.",
    read: (_s, host) => host.counters().watchBufferedBytes,
  },
  {
    name: "etcd_server_is_learner",
    help: "Whether or not this member is a learner. 1 if is, 0 otherwise.",
    read: (s) => (s.members.some((m) => m.memberId === s.memberId && m.isLearner) ? 1 : 0),
  },
  {
    name: "etcd_mvcc_db_total_size_in_bytes",
    help: "Total size of the underlying database physically allocated in bytes.",
    read: databaseBytes,
  },
  {
    name: "etcd_mvcc_db_total_size_in_use_in_bytes",
    help: "Total size of the underlying database logically in use in bytes.",
    read: databaseBytesInUse,
  },
  {
    name: "etcd_server_quota_backend_bytes",
    help: "Current backend storage quota size in bytes.",
    read: (s) => s.quotaBytes,
  },
  {
    name: "etcd_mvcc_put_total",
    help: "Total number of puts seen by this member.",
    read: (_s, host) => host.counters().puts,
  },
  {
    name: "etcd_mvcc_delete_total",
    help: "Total number of deletes seen by this member.",
    read: (_s, host) => host.counters().deletes,
  },
  {
    name: "etcd_debugging_mvcc_db_total_size_in_bytes",
    help: "Total size of the underlying database physically allocated in bytes.",
    read: databaseBytes,
  },
  {
    name: "etcd_debugging_mvcc_keys_total",
    help: "Total number of keys.",
    read: (s) => s.keys,
  },
  {
    name: "etcd_debugging_mvcc_current_revision",
    help: "The current revision of store.",
    read: (s) => s.revision,
  },
  {
    name: "etcd_debugging_mvcc_compact_revision",
    help: "The revision of the last compaction in store.",
    read: (s) => s.compactRevision,
  },
  {
    name: "quorate_raft_term",
    help: "The present term.",
    read: (s) => s.term,
  },
  {
    name: "quorate_wal_bytes",
    help: "Bytes of the write-ahead log on disk.",
    read: (s) => s.usage?.walBytes ?? 0,
  },
  {
    name: "quorate_scrubbed_bytes_total",
    help: "Bytes of log and rows that this process has reread to find rot.",
    read: (s) => s.usage?.scrubbedBytes ?? 0,
  },
  {
    name: "quorate_requests_in_flight",
    help: "Client operations waiting in this member.",
    read: (s) => s.requestsInFlight,
  },
];

export function addGauges(registry: Registry, host: HostApi): void {
  const registers = [registry];
  for (const { name, help, read } of gauges) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(host.status(), host));
      },
    });
  }
  new Gauge({
    name: "quorate_alarm_active",
    help: "1 for each active alarm, by the member that it is about.",
    labelNames: ["type", "member_id"],
    registers,
    collect() {
      this.reset();
      for (const { type, memberId } of host.status().alarms) {
        this.set({ type: alarmNames[type], member_id: memberId }, 1);
      }
    },
  });
}

/** Who this is: gauges that are always 1 and say it in a label. */
export function addNames(
  registry: Registry,
  host: HostApi,
  versions: { readonly server: string; readonly cluster: string },
): void {
  const registers = [registry];
  new Gauge({
    name: "etcd_server_version",
    help: "Which version is running. 1 for 'server_version' label with current version.",
    labelNames: ["server_version"],
    registers,
  }).set({ server_version: versions.server }, 1);
  new Gauge({
    name: "etcd_cluster_version",
    help: "Which version is running. 1 for 'cluster_version' label with current cluster version",
    labelNames: ["cluster_version"],
    registers,
  }).set({ cluster_version: versions.cluster }, 1);
  new Gauge({
    name: "etcd_server_id",
    help: "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.",
    labelNames: ["server_id"],
    registers,
    collect() {
      this.reset();
      const { memberId } = host.status();
      if (memberId !== "") this.set({ server_id: memberId }, 1);
    },
  });
}
