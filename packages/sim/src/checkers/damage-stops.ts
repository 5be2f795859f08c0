// What has found damage falls silent. Whose state is lost answers no client until it has another one;
// what it promised is whole, so it votes and acknowledges (reliability.md §3.3 row 14). Once a start was
// refused because the log or the identity is damaged, or the directory an older copy, nothing leaves that
// directory any more, whoever starts it again, until it is wiped or set aside.
import { demand } from "./violation.ts";

const property = "damage stops";

export class DamageStops {
  /** What spoke of it said last: process or member → what was found. */
  readonly #processes: Map<string, string>;
  readonly #members: Map<string, string>;
  /** Things said by members of which some have found damage. */
  checked: number;

  constructor() {
    this.#processes = new Map();
    this.#members = new Map();
    this.checked = 0;
  }

  /** A process has lost its state. */
  lost(incarnation: string, finding: string): void {
    this.#processes.set(incarnation, finding);
  }

  /** It has installed another member's. */
  rebuilt(incarnation: string): void {
    this.#processes.delete(incarnation);
  }

  /** What a member has promised is not known, or not whole, any more. */
  foundInMember(member: string, finding: string): void {
    this.#members.set(member, finding);
  }

  /** Its directory is gone or set aside, with what was found there: what comes back is another disk (P3). */
  wiped(member: string): void {
    this.#members.delete(member);
  }

  /** Nobody has found anything yet. */
  get idle(): boolean {
    return this.#processes.size === 0 && this.#members.size === 0;
  }

  promised(member: string, incarnation: string, what: string): void {
    this.#said(incarnation, what, this.#members.get(member));
  }

  answered(member: string, incarnation: string, what: string): void {
    this.#said(incarnation, what, this.#processes.get(incarnation) ?? this.#members.get(member));
  }

  #said(incarnation: string, what: string, finding: string | undefined): void {
    this.checked++;
    demand(
      finding === undefined,
      property,
      () => `${incarnation} ${what} after it was found: ${finding}`,
    );
  }
}
