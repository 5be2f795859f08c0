// etcd#20418, #21399, #21375 (reliability.md §8, 14): a leader stood still, another one was elected
// and wrote; woken, the old one answered reads from its old state. Reads wait for it while it sleeps,
// beside the next leader's messages, or, every other time, cut off from them: none may be answered
// without a quorum that was asked after it came (linearizability, tier A).
import { type Story, story } from "../story.ts";

export const staleReadAfterPause: Story = story("stale-read-after-pause", { members: 5 }, (s) => {
  s.found();
  for (let round = 1; round <= 4; round++) {
    const old = s.waitForLeader(10 * s.timeoutMs);
    const early = s.read(old, "k");
    if (round % 2 === 0) s.cutForGood([old], s.others(old));
    s.pause(old);
    const next = s.waitForLeader(10 * s.timeoutMs, s.others(old));
    const write = s.put(next, "k");
    s.waitFor("the next leader writes", 1000, () => write.acknowledged);
    const reads = [s.read(old, "k"), s.read(old, "k")];
    s.resume(old);
    const answered = (): boolean => ![early, ...reads].some((ask) => ask.pending);
    s.waitFor("the woken one has answered, or refused", 5000, answered);
    s.heal();
  }
});
