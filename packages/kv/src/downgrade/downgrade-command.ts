// What an entry of kind Downgrade asks for: begin the way to an older version, or give it up. Behind the
// envelope, on disk and between members.
import { ByteReader, ByteWriter } from "@quorate/base";

export interface DowngradeCommand {
  /** "3.4.0", say; empty: none any more. */
  readonly target: string;
  /** The cluster's version as who asks knows it: a downgrade to it has come to its end. */
  readonly clusterVersion: string;
}

const format = 1;
const version = /^[0-9]{1,5}\.[0-9]{1,5}\.0$/;

export function encodeDowngradeCommand({ target, clusterVersion }: DowngradeCommand): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(format);
  writer.text(target);
  writer.text(clusterVersion);
  return writer.take();
}

/** `bytes` from `at` on; null: not such a command. */
export function decodeDowngradeCommand(bytes: Uint8Array, at: number = 0): DowngradeCommand | null {
  const reader = new ByteReader(bytes.subarray(at));
  const known = reader.u8() === format;
  const target = reader.text();
  const clusterVersion = reader.text();
  if (!known || !reader.ok || !reader.done) return null;
  if (!isTarget(target) || !version.test(clusterVersion)) return null;
  return { target, clusterVersion };
}

/** None, or a version of a cluster, which has no patch. */
export function isTarget(text: string): boolean {
  return text === "" || version.test(text);
}
