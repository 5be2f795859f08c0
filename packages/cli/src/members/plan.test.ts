// From a wanted list to a plan: what is added, moved, waited for and removed, and what cannot be meant.
import { deepEqual, equal, throws } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CommandError, UsageError } from "../exit.ts";
import { wantedMembers } from "./commands.ts";
import { findMember, membersTable } from "./member-list.ts";
import type { Member, MemberRole } from "./member-list.ts";
import { checkPile, noPlan, phasesOfPlan, planOf } from "./plan.ts";
import type { Plan } from "./plan.ts";

function member(n: number, role: MemberRole = "voter", name: string = `m${n}`): Member {
  return {
    id: `000000000000000${n}`,
    name,
    role,
    peerUrls: [`http://10.0.0.${n}:2380`],
    clientUrls: role === "unborn" ? [] : [`http://10.0.0.${n}:2379`],
    reachable: role !== "unborn",
  };
}

const three = [member(1), member(2), member(3)];
const wantedText = (...ns: readonly number[]): string =>
  ns.map((n) => `m${n}=http://10.0.0.${n}:2380`).join(",");

function summary(plan: Plan): string {
  return [
    ...plan.additions.map(({ name }) => `+${name}`),
    ...plan.updates.map((change) => `~${change.kind === "update" ? change.id.slice(-1) : ""}`),
    ...plan.comings.map(({ name, id }) => `>${name || id.slice(-1)}`),
    ...plan.removals.map(({ name, id }) => `-${name || id.slice(-1)}`),
  ].join(" ");
}

test("apply: members are known by their names, unnamed ones by their URLs", () => {
  const rows: readonly (readonly [readonly Member[], string, string])[] = [
    [three, wantedText(1, 2, 3), ""],
    [three, wantedText(1, 2, 3, 4, 5), "+m4 +m5"],
    [[...three, member(4), member(5)], wantedText(1, 2, 3), "-m4 -m5"],
    [three, wantedText(1, 4), "+m4 -m2 -m3"],
    [three, `${wantedText(1, 2)},m3=http://10.0.0.9:2380`, "~3"],
    [[...three, member(4, "unborn", "")], wantedText(1, 2, 3, 4), ">4"],
    [[...three, member(4, "learner")], wantedText(1, 2, 4), ">m4 -m3"],
    [[...three, member(4, "unborn")], wantedText(1, 2, 3), "-m4"],
  ];
  for (const [members, text, expected] of rows) {
    equal(summary(planOf(members, wantedMembers(text))), expected, text);
  }
});

test("growing comes before shrinking, each in one step", () => {
  const plan = planOf([...three, member(4), member(5)], wantedMembers(wantedText(1, 2, 6, 7)));
  deepEqual(
    phasesOfPlan([...three, member(4), member(5)], plan).map(({ label, halves }) => [
      label,
      ...halves.map((half) => half.map(({ name }) => name.slice(1)).join("")),
    ]),
    [
      ["before", "12345"],
      ["growing", "12345", "1234567"],
      ["grown", "1234567"],
      ["shrinking", "1234567", "1267"],
      ["after", "1267"],
    ],
  );
  const learner = { name: "m4", peerUrls: ["http://10.0.0.4:2380"], learner: true };
  equal(phasesOfPlan(three, { ...noPlan, additions: [learner] }).length, 1);
});

test("duplicates and an unstarted pile are refused with the next step", () => {
  const refused = (act: () => unknown, message: RegExp): void => {
    throws(act, (error: unknown) => error instanceof CommandError && message.test(error.message));
  };
  const renamed = `${wantedText(1, 2)},m4=http://10.0.0.3:2380`;
  refused(() => planOf(three, wantedMembers(renamed)), /is taken by the member m3.*remove m3/);
  refused(() => findMember(three, "m9"), /"m9"; there are m1, m2, m3/);
  equal(findMember(three, "2").name, "m2");
  const pile = [...three, member(4, "unborn"), member(5, "unborn")];
  const addSix = planOf(pile, wantedMembers(wantedText(1, 2, 3, 4, 5, 6)));
  refused(() => checkPile(pile, addSix), /m4, m5 were added and have never been started/);
  checkPile([member(1)], planOf([member(1)], wantedMembers(wantedText(1, 2, 3))));
});

test("the wanted list: words or a file with comments; nonsense is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-wanted-"));
  try {
    const path = join(folder, "wanted");
    const [one, two] = [wantedText(1), wantedText(2)];
    writeFileSync(path, `# the members\n${one}\n\n ${two} # in the cellar\n`);
    deepEqual(wantedMembers(path), wantedMembers(wantedText(1, 2)));
    writeFileSync(path, "m1\n");
    const nonsense = [path, "nothing-here", "m1=http://x:1,m2=http://x:1", "m1=x", "m1=ftp://x:1"];
    for (const text of nonsense) throws(() => wantedMembers(text), UsageError, text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the list fits 80 columns", () => {
  const name = "rack-07-b3";
  const rows = [
    { ...member(1), name, peerUrls: ["http://192.168.100.101:12380"] },
    { ...member(2), clientUrls: ["http://10.0.0.2:2379", "http://10.1.0.2:2379"] },
    member(4, "unborn", ""),
  ];
  const shown = membersTable(rows);
  equal(Math.max(...shown.split("\n").map((line) => line.length)) <= 80, true, shown);
  equal(
    membersTable(rows.slice(1)),
    `NAME  ID                ROLE    PEER URL       CLIENT URL
m2    0000000000000002  voter   10.0.0.2:2380  10.0.0.2:2379
                                               10.1.0.2:2379
-     0000000000000004  unborn  10.0.0.4:2380  -
`,
  );
});
