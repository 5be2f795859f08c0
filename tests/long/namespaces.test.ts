// 3 → 5 → 3 in network namespaces, by `quorate members apply` and by etcdctl one by one, with everybody
// killed or cut off at every stage in turn.
import { test } from "node:test";
import { Change, disturbances, type How } from "../namespaces/change.ts";
import { Members } from "../namespaces/members.ts";
import { Hosts, whyNot } from "../namespaces/net.ts";
import { toolVersion } from "../processes/entry.ts";

const reason = whyNot();

for (const how of ["quorate members apply", "etcdctl"] as const satisfies readonly How[]) {
  const missing =
    how === "etcdctl" && toolVersion("etcdctl", "version") === null
      ? "etcdctl is not installed"
      : null;
  const why = reason ?? missing;
  const skip = why === null ? false : `SKIPPED: ${why}`;
  for (const disturbance of disturbances) {
    test(`3 → 5 → 3 by ${how}: ${disturbance}`, { skip }, async (t) => {
      const hosts = new Hosts(5);
      const members = new Members(hosts, 5, 3);
      t.after(() => {
        members.stop();
        hosts.remove();
      });
      await new Change(hosts, members, how, disturbance, t.diagnostic.bind(t)).run();
    });
  }
}
