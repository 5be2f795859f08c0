// How V8 counts the bytes of buffers. By itself it collects the whole heap whenever some 64 MiB of them
// were made since the last time, however little the heap holds: under writes of 8 KiB that was every
// 130 ms, 5 to 20 ms long each time. Counted together with the heap, young buffers go with the young
// objects, and the whole heap is collected when both have grown to twice what is alive. (Without the
// second flag V8 lets a small heap grow to four times that.)
import { setFlagsFromString } from "node:v8";

/** Before a member is made. */
export function countBuffersWithTheHeap(): void {
  setFlagsFromString("--external-memory-accounted-in-global-limit");
  setFlagsFromString("--heap-growing-percent=100");
}
