// Hashes off the main thread: etcd's bcrypt, two at once, a bounded queue, as long for nobody as for
// somebody, and the loop of this thread goes on.
import { equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { Passwords } from "./passwords.ts";

const hashed = (passwords: Passwords, password: string): Promise<string | null> =>
  new Promise((resolve) => passwords.hash(password, resolve));
const matched = (
  passwords: Passwords,
  password: string,
  hash: string | null,
): Promise<boolean | null> => new Promise((resolve) => passwords.matches(password, hash, resolve));

test("a password matches its own hash only, of Go's form and of ours", async () => {
  const passwords = new Passwords(4);
  const hash = await hashed(passwords, "correct horse \u{1f600}");
  match(hash!, /^\$2[ab]\$04\$.{53}$/);
  equal(await matched(passwords, "correct horse \u{1f600}", hash), true);
  equal(await matched(passwords, "correct horse", hash), false);
  equal(await matched(passwords, "", hash), false);
  equal(await matched(passwords, "anything", null), false);
  // Made by etcd 3.4.23 for "rootpw".
  const etcds = "$2a$10$jsO6u3HkhGa2uUCCZf1/gec9YuUNLJ0tgbXTlB.FWzqdQGuI8QgFO";
  equal(await matched(passwords, "rootpw", etcds), true);
  equal(await matched(passwords, "rootpx", etcds), false);
});

test("what is no hash matches nothing, and the next one is answered", async () => {
  const passwords = new Passwords(4);
  equal((await matched(passwords, "x", "no hash")) ?? false, false);
  equal(await matched(passwords, "x", await hashed(passwords, "x")), true);
});

test("more than the queue holds is refused at once, and the rest is answered", async () => {
  const passwords = new Passwords(4);
  const all = Array.from({ length: 200 }, () => matched(passwords, "x", null));
  const answers = await Promise.all(all);
  equal(answers.filter((answer) => answer === null).length, 200 - 128 - 2);
  ok(answers.every((answer) => answer !== true));
});
