// A stopped member's disk with something of everything: several sealed row segments and a growing
// one, all in force, two checkpoints, a log and a peer's record.
import { MemoryDisk } from "./memory-disk.ts";
import { StorageDriver } from "./storage-driver.ts";
import { smallOptions } from "./test-member.ts";

export const storedShape = { keys: 30, valueBytes: 150 };

/** `last`: entries up to here, a batch each, that no checkpoint covers. */
export function stored(seed: number, last: number = 0): MemoryDisk {
  const driver = new StorageDriver(new MemoryDisk(seed), storedShape, smallOptions, seed);
  driver.start();
  driver.put(150);
  driver.checkpoint();
  driver.put(180);
  driver.meetPeer();
  driver.checkpoint();
  for (let index = 181; index <= last; index++) driver.put(index);
  driver.close();
  driver.disk.kill();
  return driver.disk;
}
