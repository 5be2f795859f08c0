// P4: a process that nobody has met yet counts only once its boot and session are durably on record.
// Whoever forgot them in a crash could not tell it from an older one, and had made promises by its word.
import { JournalKind } from "@quorate/host";
import { type Story, story } from "../story.ts";

export const sessionOnRecordFirst: Story = story("session-on-record-first", {}, (s) => {
  const leader = s.found();
  const [follower, fresh] = s.others(leader) as [string, string];
  for (const hearer of [leader, follower]) {
    const met = (): number => s.journal(hearer, JournalKind.PeerSession).length;
    const before = met();
    s.kill(fresh);
    s.disk(hearer).stall(200);
    s.start(fresh);
    s.run(150);
    s.expect("nobody is met without a record", met() === before);
    s.waitFor("the record is durable", 500, () => met() > before);
    s.waitForLeader(20 * s.timeoutMs);
  }
});
