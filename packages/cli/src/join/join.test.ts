// What join makes of a cluster's members: added or there already, and the flags of serve.
import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "../members/member-list.ts";
import { serveFlags, toBeAdded } from "./join.ts";

function member(n: number, name: string, role: Member["role"] = "voter"): Member {
  const peerUrls = [`http://h${n}:2380`];
  return { id: `000000000000000${n}`, name, role, peerUrls, clientUrls: [], reachable: true };
}

function place(n: number, name: string): Parameters<typeof toBeAdded>[1] {
  return { name, peerUrls: [`http://h${n}:2380`], clientUrls: [`http://h${n}:2379`] };
}

test("added unless it is there unborn; refused where the place or the name is another's", () => {
  const members = [member(1, "a"), member(2, "b", "unborn"), member(3, "", "unborn")];
  equal(toBeAdded(members, place(4, "d")), true);
  equal(toBeAdded(members, place(2, "b")), false);
  equal(toBeAdded(members, place(3, "c")), false);
  throws(() => toBeAdded(members, place(2, "x")), /was added as b: say --name b/);
  throws(() => toBeAdded(members, place(1, "a")), /has been started before/);
  throws(() => toBeAdded(members, place(4, "a")), /the name a is taken/);
});

test("serve is told all members, unnamed ones by their ids, and itself once", () => {
  const members = [member(1, "a"), member(2, "", "unborn"), member(3, "c")];
  const flags = serveFlags(members, place(3, "c"), "/d");
  const list =
    "--initial-cluster=a=http://h1:2380,0000000000000002=http://h2:2380,c=http://h3:2380";
  equal(flags.includes(list), true, flags.join(" "));
  equal(flags.includes("--initial-cluster-state=existing"), true);
  equal(flags.includes("--data-dir=/d"), true);
});
