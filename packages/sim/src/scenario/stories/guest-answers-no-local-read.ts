// ADR 12: a member that comes back without its state is a guest until the leader has given it its place.
// A serializable read asks for whatever is there; from an empty state that would be a wrong answer, so it
// is unavailable until what was applied names this raft id. Through the leader it answers all along.
import { latin1Encode } from "@quorate/base";
import { Phase } from "@quorate/host";
import { RangeRequest } from "@quorate/kv";
import { planned } from "../../workloads/workload.ts";
import { Loss } from "../rejoin-acts.ts";
import type { Ask } from "../ask.ts";
import { type Story, story } from "../story.ts";

export const guestAnswersNoLocalRead: Story = story("guest-answers-no-local-read", {}, (s) => {
  const leader = s.found();
  const [lost, other] = s.others(leader) as [string, string];
  s.mustWrite(leader);
  const localRead = (): Ask => {
    const request = new RangeRequest({ key: latin1Encode(`story/${leader}`) });
    return s.ask(lost, planned(request, true));
  };
  // One voter of three cannot give the place back.
  s.kill(other);
  const loss = new Loss(s, lost, "wiped");
  loss.now();
  s.waitFor("it is a guest", 10_000, () => s.status(lost).phase === Phase.Running);
  const read = localRead();
  s.run(s.timeoutMs);
  s.expect("it does not answer from its empty state", read.refused);
  s.start(other);
  loss.waitUntilBack();
  const again = localRead();
  s.waitFor("it answers once it is named", s.timeoutMs, () => again.acknowledged);
});
