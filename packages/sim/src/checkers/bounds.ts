// S17: everything that grows with load or with the silence of others has a bound, and keeps it.
import { demand } from "./violation.ts";

export interface Bounded {
  readonly what: string;
  readonly is: number;
  readonly max: number;
}

export function checkBounds(who: string, bounded: readonly Bounded[]): void {
  for (const { what, is, max } of bounded) {
    demand(is <= max, "S17 bounded", () => `${who}: ${what} ${is}, at most ${max} are allowed`);
  }
}
