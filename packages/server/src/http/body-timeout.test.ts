// A body that does not end takes its connection for 30 s, and no longer. Virtual time; a request without a
// socket, whose end and destruction are all that is looked at.
import { equal } from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { boundBody } from "./body-timeout.ts";

function request(): IncomingMessage {
  return new IncomingMessage(new Socket());
}

test("30 s for a body, and its connection ends", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const slow = request();
  boundBody(slow);
  t.mock.timers.tick(29_999);
  equal(slow.destroyed, false);
  t.mock.timers.tick(1);
  equal(slow.destroyed, true);
});

test("one that has ended, or is there as a whole, may stay", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const ended = request();
  boundBody(ended);
  ended.emit("end");
  const whole = request();
  whole.complete = true;
  boundBody(whole);
  t.mock.timers.tick(60_000);
  equal(ended.destroyed, false);
  equal(whole.destroyed, false);
});
