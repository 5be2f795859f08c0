// The public face of the simulator: a world of virtual time with disks and networks that fail.
export { DiskOperation } from "./disk/disk-operation.ts";
export { DiskView } from "./disk/disk-view.ts";
export { UnsyncedFate } from "./disk/sim-file.ts";
export { type NetworkOptions, networkDefaults } from "./network/network-options.ts";
export { SimMachine } from "./network/sim-machine.ts";
export { SimClock } from "./sim-clock.ts";
export { type DirectoryCopy, type DiskFault, type DiskTimings, SimDisk } from "./sim-disk.ts";
export {
  type CrashPlan,
  EndKind,
  type ProcessHooks,
  type ProcessParts,
  SimProcess,
} from "./sim-env.ts";
export { SimNetwork } from "./sim-network.ts";
export { SimRandom } from "./sim-random.ts";
export type { SimUser } from "./sim-user.ts";
export { TraceLevel, TraceLog } from "./trace-log.ts";
export { World } from "./world.ts";
