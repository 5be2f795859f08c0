// Where clients send requests: the cluster, or a part of it.
import type { ReplySink } from "@quorate/host";
import type { ClientOperation } from "./history.ts";

/** A member that is not there answers nothing. */
export interface RequestTarget {
  readonly memberNames: readonly string[];
  request(member: string, operation: ClientOperation, sink: ReplySink): void;
}
