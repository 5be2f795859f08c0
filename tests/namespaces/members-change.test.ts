// 3 → 5 → 3 on real processes and sockets, an old member killed at every stage; the whole matrix of
// disturbances is in tests/long/namespaces.test.ts.
import { test } from "node:test";
import { Change } from "./change.ts";
import { Members } from "./members.ts";
import { Hosts, whyNot } from "./net.ts";

const reason = whyNot();
const skip = reason === null ? false : `SKIPPED: ${reason}`;

test(
  "3 → 5 → 3 by `quorate members apply`, an old follower killed at every stage",
  { skip },
  async (t) => {
    const hosts = new Hosts(5);
    const members = new Members(hosts, 5, 3);
    t.after(() => {
      members.stop();
      hosts.remove();
    });
    const tell = t.diagnostic.bind(t);
    const how = "quorate members apply";
    await new Change(hosts, members, how, "kill -9 of an old follower", tell).run();
  },
);
