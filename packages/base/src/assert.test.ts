// assert and its kin: they throw AssertionError exactly when they should, and build messages lazily.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { assert, assertNever, AssertionError, must } from "./assert.ts";

test("assert throws on every falsy value and on no truthy one", () => {
  for (const value of [false, 0, "", null, undefined, Number.NaN]) {
    throws(() => assert(value, "broken"), AssertionError);
  }
  for (const value of [true, 1, "0", [], {}]) assert(value, "must not throw");
});

test("a thunk message is built on failure only", () => {
  let built = 0;
  const message = (): string => `built ${++built}`;
  assert(true, message);
  equal(built, 0);
  throws(() => assert(false, message), { name: "AssertionError", message: "built 1" });
});

test("assertNever names the thing and shows the value", () => {
  throws(() => assertNever(7 as never, "role"), { message: "unexpected role: 7" });
  throws(() => assertNever({ a: 1 } as never), { message: 'unexpected value: {"a":1}' });
  const knot: { self?: unknown } = {};
  knot.self = knot;
  throws(() => assertNever(knot as never), { message: "unexpected value: [object Object]" });
});

test("must lets falsy values through and refuses null and undefined", () => {
  deepEqual(
    [0, "", false].map((value) => must(value, "there")),
    [0, "", false],
  );
  throws(() => must(null, "no leader"), { name: "AssertionError", message: "no leader" });
  throws(() => must(undefined, "no leader"), AssertionError);
});
