// The one form in which replies are compared: short texts. The twin writes them (kv-model.ts), and
// real replies are brought into them (reply-text.ts).
import { KvError } from "@quorate/kv";

/** One key at one moment at which it was there. */
export interface LiveKey {
  readonly key: string;
  readonly create: number;
  readonly main: number;
  readonly version: number;
  readonly value: string;
  /** Id of its lease, as a signed number (lease-number.ts); 0: none. */
  readonly lease: number;
}

const errorNames: ReadonlyMap<KvError, string> = new Map(
  Object.entries(KvError).map(([name, error]) => [error, name]),
);

export function kvText(kv: LiveKey): string {
  const lease = kv.lease === 0 ? "" : ` lease ${kv.lease}`;
  return `${kv.key}=${kv.value}@${kv.create}/${kv.main}/${kv.version}${lease}`;
}

export function rangeText(count: number, more: boolean, kvs: readonly string[]): string {
  return `range ${count}${more ? " more" : ""} [${kvs.join(", ")}]`;
}

export function txnText(succeeded: boolean, bodies: readonly string[]): string {
  return `txn ${succeeded} [${bodies.join("; ")}]`;
}

/** A refusal by the state machine, which has no header and so no revision. */
export function errorText(error: KvError): string {
  return `error ${errorNames.get(error)}`;
}
