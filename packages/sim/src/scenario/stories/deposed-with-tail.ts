// Where several stories begin: a leader was cut off with entries that nobody else has, another one was
// elected of the same three members, and the third member is dead, so that the deposed one's answers
// decide what the new leader may commit.
import type { Scenario } from "../scenario.ts";

export interface Deposed {
  readonly old: string;
  readonly leader: string;
  readonly dead: string;
  /** Last index that both logs have in common. */
  readonly common: number;
}

export function deposedWithTail(s: Scenario, tail: number): Deposed {
  const old = s.found();
  s.run(100);
  const common = s.status(old).committed;
  s.cutForGood([old], s.others(old));
  s.puts(old, tail);
  const leader = s.waitForLeader(20 * s.timeoutMs, s.others(old));
  const dead = s.others(old, leader)[0]!;
  s.run(100);
  s.kill(dead);
  return { old, leader, dead, common };
}
