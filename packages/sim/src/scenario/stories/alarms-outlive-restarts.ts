// An alarm is replicated state (DESIGN.md 15): raised through the log, it refuses puts at every member,
// also at one that was away and got it with a snapshot, and after a restart of all from their
// checkpoints, by exactly the entries between its raising and its end.
import { AlarmType, KvError } from "@quorate/kv";
import { AlarmActs } from "../alarm-acts.ts";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const alarmsOutliveRestarts: Story = story(
  "alarms-outlive-restarts",
  { host: shortLog },
  (s) => {
    const acts = new AlarmActs(s);
    const leader = s.found();
    s.fill(leader, 5, 100);
    const late = s.others(leader)[0]!;
    s.cutForGood([late], s.others(late));
    acts.activate(leader, AlarmType.NoSpace);
    acts.waitUntil(s.others(late), AlarmType.NoSpace, true, 5_000);
    acts.mustRefuse(s.others(late), KvError.NoSpace);
    s.fallBehind(late);
    s.heal();
    acts.waitUntil(s.names, AlarmType.NoSpace, true, 5_000);
    s.waitForLeader(20 * s.timeoutMs);
    acts.mustRefuse(s.names, KvError.NoSpace);

    // Until a checkpoint holds it and the log it was raised in is gone.
    s.run(1_000);
    s.powerLoss(...s.names);
    s.start(...s.names);
    const again = s.waitForLeader(20 * s.timeoutMs);
    s.waitFor("all serve", 5_000, () => s.settled(s.names));
    acts.mustRefuse(s.names, KvError.NoSpace);

    acts.activate(again, AlarmType.Corrupt);
    acts.waitUntil(s.names, AlarmType.Corrupt, true, 5_000);
    acts.mustRefuse(s.names, KvError.Corrupt);
    acts.deactivate(again, AlarmType.Corrupt);
    acts.waitUntil(s.names, AlarmType.Corrupt, false, 5_000);
    acts.mustRefuse(s.names, KvError.NoSpace);
    // It was raised for whoever led first.
    acts.deactivate(leader, AlarmType.NoSpace);
    acts.waitUntil(s.names, AlarmType.NoSpace, false, 5_000);
    for (const name of s.names) s.mustWrite(name, 3_000);
  },
);
