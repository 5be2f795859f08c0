// What nemeses ask before they harm a disk, and what watchers ask when a process has ended by itself
// (atlas.ts answers).
import type { ExitCode } from "@quorate/storage";
import type { SimMember } from "../sim-member.ts";

export const damageModes = ["none", "atlas", "beyond"] as const;
/**
 * atlas: at most f members damaged at a time, the others must go on (reliability.md §1.6). beyond:
 * any number, then a loud stop is an answer too, but never silence.
 */
export type DamageMode = (typeof damageModes)[number];

export interface DiskBudget {
  readonly mode: DamageMode;
  /**
   * Damages durable content of a member. False: nothing was changed, because the budget is spent,
   * nothing was hit, or no start could notice it (P8's residual).
   */
  damage(member: SimMember, act: () => void): boolean;
  /**
   * Takes a member's whole directory, and with it what it has promised: it counts until it votes again,
   * under another raft id. False: the budget is spent.
   */
  lose(member: SimMember): boolean;
  /** It sets its directory aside by itself. */
  setAside(member: SimMember): void;
  /** An operation of its present process has failed, or will. */
  blame(member: SimMember): void;
  /** Injected faults are reason enough for its present process to end with this code. */
  explains(member: SimMember, exitCode: ExitCode): boolean;
}
