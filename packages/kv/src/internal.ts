// For tests and the simulator of other packages, not for production.
export { MemoryRows } from "./testing/memory-rows.ts";
export { MvccStore } from "./mvcc/store.ts";
export { WatchHub } from "./watch/watch-hub.ts";
