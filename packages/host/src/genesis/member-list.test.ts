// What two members say to each other when they were given different lists.
import assert from "node:assert/strict";
import { test } from "node:test";
import { listDifference, listText } from "./member-list.ts";
import type { Listed } from "./member-list.ts";

function list(...members: [name: string, ...urls: string[]][]): string {
  const listed: Listed[] = members.map(([name, ...peerUrls]) => ({
    memberId: name,
    name,
    peerUrls,
  }));
  return listText(listed);
}

test("differences by rows", () => {
  const ours = list(["n1", "http://a:1"], ["n2", "http://b:1", "http://c:1"]);
  const rows: [string, string][] = [
    [list(["n2", "http://c:1", "http://b:1"], ["n1", "http://a:1"]), ""],
    ["", ""],
    [list(["n1", "http://a:1"]), "only this member lists n2=http://b:1,http://c:1"],
    [
      list(["n1", "http://a:2"], ["n2", "http://b:1", "http://c:1"]),
      "n1 is http://a:1 for this member, http://a:2 for that one",
    ],
    [
      list(["n1", "http://a:1"], ["n2", "http://b:1", "http://c:1"], ["n3", "http://d:1"]),
      "only that member lists n3=http://d:1",
    ],
    [
      list(["m1", "http://a:1"], ["n2", "http://b:1", "http://c:1"]),
      "only this member lists n1=http://a:1; only that member lists m1=http://a:1",
    ],
    [`${ours}\n`, "the lists differ in their wording"],
  ];
  for (const [theirs, difference] of rows) assert.equal(listDifference(ours, theirs), difference);
});
