// A login compares a password by the hash of one moment, which takes its time, and asks for a token at a
// later one (reliability.md §6.3.3): when the password was changed in between, it is no good any more, at
// whatever member, and the new one is. One whose comparison was over before keeps nothing either: its token
// ends with the change.
import { Outcome } from "../../client/history.ts";
import { AuthAction, KvError } from "@quorate/kv";
import { AuthActs } from "../auth-acts.ts";
import { type Story, story } from "../story.ts";

const user = "alice";
const compareUs = 100_000;

export const passwordChangedWhileCompared: Story = story(
  "password-changed-while-compared",
  {},
  (s) => {
    const leader = s.found();
    const auth = new AuthActs(s);
    auth.enable(leader, user, "a/", "a0");
    const change = (passwordHash: string): void =>
      auth.change(leader, { action: AuthAction.UserChangePassword, user, passwordHash });
    change("old 0");
    for (const [round, name] of s.names.entries()) {
      const early = auth.login(name, user, `old ${round}`, 1_000);
      s.waitFor("a login succeeds", 2_000, () => early.outcome === Outcome.Ok);
      const late = auth.login(name, user, `old ${round}`, compareUs);
      s.run(20);
      s.expect("another is being compared", late.outcome === Outcome.Pending);
      change(`old ${round + 1}`);
      s.waitFor("it hears no", 2_000, () => late.outcome === Outcome.NotCommitted);
      s.expect("for its password", late.kvError === KvError.AuthFailed);
      const view = s.member(leader).host!.auth.view()!;
      const isGone = early.token !== null && view.identityOfToken(early.token) === null;
      s.expect("the token of the first is gone", isGone);
    }
    auth.judge();
  },
);
