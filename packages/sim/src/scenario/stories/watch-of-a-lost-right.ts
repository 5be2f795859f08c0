// Who watches outlives its right (reliability.md §6.3.4; A2): two watch the same keys, at a member that
// applies the loss of the right, and at one that is away then and gets it by a snapshot. Until it has, it
// knows no better, and tells what was before; what was written after the right was gone nobody is told.
import { latin1Encode } from "@quorate/base";
import { PutRequest, RangeRequest } from "@quorate/kv";
import { planned, type PlannedOperation } from "../../workloads/workload.ts";
import { named } from "../../workloads/auth-people.ts";
import { AuthActs } from "../auth-acts.ts";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";
import { Watching } from "../watching.ts";

const user = "alice";
const denied = /permission denied/;

function put(value: string): PlannedOperation {
  return planned(new PutRequest({ key: latin1Encode("a/1"), value: latin1Encode(value) }));
}

export const watchOfALostRight: Story = story("watch-of-a-lost-right", { host: shortLog }, (s) => {
  const leader = s.found();
  const auth = new AuthActs(s);
  auth.enable(leader, user, "a/", "a0");
  const [late, near] = s.others(leader) as [string, string];
  const far = new Watching(s, late, "a/", 0, named(user), "a0");
  const close = new Watching(s, near, "a/", 0, named(user), "a0");
  s.waitFor("both watch", 1_000, () => far.created && close.created);
  auth.mustDo(leader, user, put("while it may"));
  const told = (): boolean => far.revisions.length === 1 && close.revisions.length === 1;
  s.waitFor("both are told", 1_000, told);
  s.cutForGood([late], s.others(late));
  const alive = s.waitForLeader(10 * s.timeoutMs, s.others(late));
  auth.revoke(alive, user, "a/", "a0");
  s.waitFor("who watches at a member that knows is told so", 1_000, () =>
    denied.test(close.cancelReason),
  );
  s.ask(alive, put("a secret"));
  // Here nobody knows: what there was may be read, by what this member has applied.
  const read = planned(new RangeRequest({ key: latin1Encode("a/1") }), true);
  auth.mustDo(late, user, read);
  auth.mustBeDenied(near, user, read);
  s.fallBehind(late);
  s.heal();
  const received = (): number => s.member(late).host!.counters().snapshotsReceived;
  s.waitFor("a snapshot is in force", 20_000, () => received() > 0);
  s.waitFor("who watched there is told so", 5_000, () => denied.test(far.cancelReason));
  s.expect("both were told of what they might see, and of nothing more", told(), () =>
    [far.describe(), close.describe()].join("\n"),
  );
  const again = new Watching(s, late, "a/", 2, named(user), "a0");
  s.waitFor("it may not watch anew", 1_000, () => denied.test(again.cancelReason));
  auth.judge();
});
