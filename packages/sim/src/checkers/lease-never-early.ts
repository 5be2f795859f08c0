// T1: no lease ends by itself before its time to live has passed, counted from when its holder asked for
// what it was last told: the grant, or a keep-alive. Whatever leaders, stalls and clocks came between;
// clocks that run too fast may count as much too fast.
import type { LeaseOperation } from "../client/lease-history.ts";
import { LeaseCall } from "../client/lease-history.ts";
import { Outcome } from "../client/history.ts";
import { driftPpmMost } from "../sim-clock.ts";
import { livesDuring, type TimedLife } from "./lease-lives.ts";
import { demand } from "./violation.ts";

const property = "T1 no lease ends early";

export function checkNeverEarly(
  operations: readonly LeaseOperation[],
  lives: readonly TimedLife[],
): void {
  for (const operation of operations) {
    const { id, call, outcome, granted, ttlSeconds, calledUs } = operation;
    const isPromise = call === LeaseCall.Grant || call === LeaseCall.KeepAlive;
    if (!isPromise || outcome !== Outcome.Ok || ttlSeconds <= 0) continue;
    const meant = livesDuring(lives, granted, operation);
    // Of an id that was given anew meanwhile nobody can tell which one was renewed.
    if (meant.length !== 1 || !meant[0]!.expired) continue;
    const untilUs = calledUs + (ttlSeconds * 1_000_000) / (1 + driftPpmMost / 1_000_000);
    const { endedUs } = meant[0]!;
    demand(
      endedUs >= untilUs,
      property,
      () =>
        `lease ${granted} was promised for ${ttlSeconds} s by operation ${id}, asked at ` +
        `${calledUs / 1000} ms, and ended at ${endedUs / 1000} ms`,
    );
  }
}
