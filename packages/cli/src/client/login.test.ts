// Who runs a command: the environment's form, and what comes of it at an endpoint.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../exit.ts";
import { userOf } from "./login.ts";

test("name and password, split at the first colon; without a name or a colon it is refused", () => {
  equal(userOf(undefined), null);
  equal(userOf(""), null);
  deepEqual(userOf("root:pass:word"), { name: "root", password: "pass:word" });
  deepEqual(userOf("root:"), { name: "root", password: "" });
  throws(() => userOf("root"), UsageError);
  throws(() => userOf(":pass"), UsageError);
});
