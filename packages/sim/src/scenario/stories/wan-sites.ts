// Seven members at three sites far apart: distances, losses, outages, and who should lead.
import { assert } from "@quorate/base";
import type { Scenario } from "../scenario.ts";

const sites = [
  [0, 1, 2],
  [3, 4],
  [5, 6],
] as const;
const oneWayMs = 100;
const lossChance = 0.01;
/** SRTT + 4 × RTTVAR, at least 200 ms, at a round trip of 200 ms. */
const rtoUs = 413_000;

/** By places: the site with most voters, where leaders belong (timing.md §2.4.5). */
export const bigSite: readonly number[] = sites[0];

export const OutageKind = { Path: "a path", Uplink: "an uplink" } as const;
export type OutageKind = (typeof OutageKind)[keyof typeof OutageKind];

function namesOf(s: Scenario): string[][] {
  return sites.map((site) => site.map((place) => s.names[place]!));
}

export function joinSites(s: Scenario): void {
  const { network } = s.cluster;
  Object.assign(network.options, { rtoUs, delayMinUs: 100, delayMaxUs: 1_000 });
  const all = namesOf(s);
  for (const site of all) {
    for (const other of all) {
      if (site === other) continue;
      for (const from of site) {
        for (const to of other) {
          const way = network.way(from, to);
          way.addedMinUs = way.addedMaxUs = oneWayMs * 1000;
          way.chances.lossChance = lossChance;
        }
      }
    }
  }
}

export function outage(s: Scenario, kind: OutageKind, ms: number): void {
  const all = s.world.random(`outage ${s.world.eventCount}`).shuffle(namesOf(s));
  const [one, two, three] = all as [string[], string[], string[]];
  if (kind === OutageKind.Path) s.cut(one, two);
  else s.cut(one, [...two, ...three]);
  s.run(ms);
  s.heal();
}

/** Hands leadership back to the big site, as placement would; who leads. */
export function placeLeader(s: Scenario): string {
  const [big] = namesOf(s);
  assert(big !== undefined, "there are sites");
  for (let tries = 0; tries < 20; tries++) {
    const leader = s.waitForLeader(20 * s.timeoutMs);
    if (big.includes(leader)) return leader;
    s.transfer(big[tries % big.length]!);
    s.run(s.timeoutMs);
  }
  assert(false, "leadership does not go back to the big site");
  return "";
}
