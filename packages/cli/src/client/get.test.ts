// The options of `quorate get` as fields of the request, and what is refused before any call.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { SortOrder, SortTarget } from "@quorate/kv";
import { UsageError } from "../exit.ts";
import { rangeRequest } from "./get.ts";
import type { GetOptions } from "./get.ts";

const options: GetOptions = {
  prefix: false,
  fromKey: false,
  rev: 0,
  limit: 0,
  keysOnly: false,
  countOnly: false,
  printValueOnly: false,
  consistency: "l",
  order: "",
  sortBy: "",
};

test("every option has its field", () => {
  const request = rangeRequest("a", "b", {
    ...options,
    rev: 3,
    limit: 4,
    keysOnly: true,
    countOnly: true,
    consistency: "s",
    order: "descend",
    sortBy: "Modify",
  });
  deepEqual([...request.key, ...request.rangeEnd], [97, 98]);
  equal(request.revision, 3);
  equal(request.limit, 4);
  equal(request.keysOnly && request.countOnly && request.serializable, true);
  equal(request.sortOrder, SortOrder.Descend);
  equal(request.sortTarget, SortTarget.Mod);
});

test("unknown words are refused with the known ones", () => {
  const rows: [Partial<GetOptions>, string][] = [
    [{ consistency: "x" }, '--consistency: "x" is neither l nor s'],
    [{ order: "up" }, '--order: "up" is none of ASCEND, DESCEND'],
    [{ sortBy: "age" }, '--sort-by: "age" is none of KEY, CREATE, MODIFY, VALUE, VERSION'],
  ];
  for (const [wrong, message] of rows) {
    throws(() => rangeRequest("a", undefined, { ...options, ...wrong }), new UsageError(message));
  }
});
