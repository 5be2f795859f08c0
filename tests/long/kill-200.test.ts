// 200 kills of one member at random moments, under load, start-up and recovery included: it always
// comes back by itself, and nothing acknowledged is lost. Method: the moment is drawn anew each time;
// half of the kills hit the member while it is starting.
import { equal } from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withCluster } from "../processes/cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { getAll } from "../processes/kv-calls.ts";
import { Writers } from "../processes/writers.ts";

const kills = 200;
const checkEvery = 20;
const startingMsMax = 1500;
const runningMsMax = 1000;
/** Small enough that snapshots and removal of log are among what is interrupted. */
const flags = ["--checkpoint-interval=300", "--snapshot-catchup-entries=500"];

test("200 kills of one member at random moments: it always comes back by itself", async (t) => {
  await withCluster({ flags }, async (cluster) => {
    const victim = cluster.members[randomInt(cluster.members.length)]!;
    const others = cluster.members.filter((member) => member !== victim);
    const writers = new Writers(others, 4, "k/");
    for (let kill = 1; kill <= kills; kill += 1) {
      const starting = randomInt(2) === 0;
      if (!starting) await cluster.ready();
      await sleep(randomInt(starting ? startingMsMax : runningMsMax));
      const end = await victim.kill();
      equal(end.signal, "SIGKILL", `before kill ${kill} it had ended with code ${end.code}`);
      victim.start();
      if (kill % checkEvery === 0) {
        await cluster.ready();
        cluster.checkLogs();
        t.diagnostic(`${kill} kills, ${writers.acknowledged.size} acknowledged puts`);
      }
    }
    await cluster.ready();
    await writers.stop();
    const found = await eventually("a read from the member that was killed", async () => {
      const all = await getAll(victim.client, "k/");
      return typeof all === "string" ? null : all;
    });
    equal(writers.difference(found), null);
    await cluster.equalDigests();
  });
});
