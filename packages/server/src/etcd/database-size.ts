// etcd's two sizes of its database, for Status and metrics: here the rows. Rows that no checkpoint has
// written yet count in both, so that the size in use is never above the size.
import type { HostStatus } from "@quorate/host";

export function databaseBytes(status: HostStatus): number {
  const { usage } = status;
  return usage === null ? 0 : Math.max(usage.rowBytes, usage.rowBytesLive);
}

export function databaseBytesInUse(status: HostStatus): number {
  return status.usage?.rowBytesLive ?? 0;
}
