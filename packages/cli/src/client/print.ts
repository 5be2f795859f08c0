// etcdctl's "simple" output: a line for a key, a line for its value, as the bytes they are.
import type { KeyValue } from "@quorate/kv";

const newline = Buffer.from("\n");

export function keyValueLines(kv: KeyValue, valueOnly: boolean): Uint8Array {
  const parts = valueOnly ? [kv.value, newline] : [kv.key, newline, kv.value, newline];
  return Buffer.concat(parts);
}

export function print(output: Uint8Array | string): void {
  process.stdout.write(output);
}
