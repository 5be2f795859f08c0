// Whom a member dials, and where: its table alone once that names it; before, what it was told on joining.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { MembershipTable } from "./membership-table.ts";
import { addressIn, addressOfUrl, ownUrls, peerList } from "./peer-list.ts";

const id = (n: number): string => `000000000000000${n}`;
const at = (n: number, url: string) => ({ memberId: id(n), name: `m${n}`, peerUrls: [url] });

function dialled(selfRaftId: number, introduced: readonly ReturnType<typeof at>[]): string[] {
  const table = new MembershipTable();
  const founders = [at(1, "http://old1:2380"), at(2, "http://old2:2380")];
  const members = founders.map((m, index) => ({ ...m, raftId: 11 + index }));
  table.found({ genesisId: 7, members });
  const parts = { selfMemberId: id(2), selfRaftId, table, introduced, addressOf: addressOfUrl };
  return peerList(parts).map((m) => `${m.name} ${m.raftId} ${m.addresses.join()}`);
}

test("until the table names this member it dials where it was told that the others are", () => {
  const introduced = [
    at(1, "https://new1:2380"),
    at(2, "http://me:2380"),
    at(3, "http://new3:2380"),
  ];
  deepEqual(dialled(99, introduced), ["m1 11 https://new1:2380", "m3 0 new3:2380"]);
  deepEqual(dialled(99, []), ["m1 11 old1:2380"]);
  deepEqual(dialled(12, introduced), ["m1 11 old1:2380"], "named: the table is newer");
});

test("a member tells others that it is where its table has it, and where it was started", () => {
  const table = new MembershipTable();
  const members = [{ ...at(1, "http://old1:2380"), raftId: 11 }];
  table.found({ genesisId: 7, members });
  const listed = [{ ...at(1, "http://new1:2380"), peerAddresses: ["10.0.0.1:1"] }];
  deepEqual(ownUrls(id(1), listed, table), ["http://old1:2380", "http://new1:2380"]);
  deepEqual(ownUrls(id(1), listed, new MembershipTable()), ["http://new1:2380"]);
  deepEqual(ownUrls(id(2), listed, table), []);
  equal(addressIn(listed, "http://new1:2380"), "10.0.0.1:1");
  equal(addressIn(listed, "https://old1:2380"), "https://old1:2380");
});
