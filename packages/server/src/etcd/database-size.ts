// etcd's two sizes of its database, for Status and metrics: here the rows, and the block that the
// tables of a checkpoint take, so that neither is ever 0 (etcd's are not, and JSON would leave it out).
// Rows that no checkpoint has written yet count in both, so that the size in use is never above the size.
import type { HostStatus } from "@quorate/host";

const tablesBytes = 4096;

export function databaseBytes(status: HostStatus): number {
  const { usage } = status;
  return tablesBytes + (usage === null ? 0 : Math.max(usage.rowBytes, usage.rowBytesLive));
}

export function databaseBytesInUse(status: HostStatus): number {
  return tablesBytes + (status.usage?.rowBytesLive ?? 0);
}
