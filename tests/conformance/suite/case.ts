// What a case of the contract is: a rule of etcd-api.md, a name, and a story told to a server.
import type { ServerKind, ServerSetup } from "./servers.ts";
import type { Trial } from "./trial.ts";
import type { Version } from "./version.ts";

export interface Case {
  /** "E-R1": semantic R1 of etcd-api.md §1.3; "E-RPC", "E-ERR", "E-BAD", "E-GW": its other parts. */
  readonly rule: string;
  readonly name: string;
  /** What the case asks for came with this version: older servers are left out. */
  readonly since?: Version;
  /** Only for this kind; null: for both. */
  readonly only?: ServerKind;
  /** A cluster of its own instead of the group's. */
  readonly own?: ServerSetup;
  readonly run: (trial: Trial) => Promise<void>;
}

export interface Group {
  /** For --only. */
  readonly name: string;
  readonly title: string;
  /** The cluster that its cases share, one after the other, with other groups of this very setup. */
  readonly setup: ServerSetup;
  readonly cases: readonly Case[];
}
