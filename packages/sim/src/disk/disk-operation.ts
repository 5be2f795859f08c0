// What a disk can be asked to do, as faults and timings tell operations apart.

export const DiskOperation = {
  Write: "write",
  Sync: "sync",
  Truncate: "truncate",
  Rename: "rename",
  Remove: "remove",
  SyncDirectory: "syncDirectory",
  Open: "open",
  Read: "read",
} as const;
export type DiskOperation = (typeof DiskOperation)[keyof typeof DiskOperation];
