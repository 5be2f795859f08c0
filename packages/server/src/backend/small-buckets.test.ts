// The small buckets of a snapshot are, byte for byte, what etcd 3.4.23 has in its backend after the same
// requests. Method: the hex below was read from such a file.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode, toHex, utf8Encode } from "@quorate/base";
import type { HeldState } from "@quorate/host";
import { Alarm, AlarmCause, AlarmType } from "@quorate/kv";
import { smallBuckets } from "./small-buckets.ts";

const memberId = "30584da69495d437";

const state: HeldState = {
  index: 15,
  revision: 5,
  compactRevision: 4,
  alarms: [
    new Alarm(memberId, AlarmType.NoSpace, AlarmCause.Operator, "", 1),
    new Alarm(memberId, AlarmType.DiskFailing, AlarmCause.ReadErrors, "", 1),
  ],
  members: [
    {
      memberId,
      name: "e1",
      peerUrls: ["http://127.0.0.1:17712"],
      clientUrls: ["http://127.0.0.1:17711"],
      isLearner: false,
    },
  ],
  removedMembers: ["00000da69495d437"],
  leases: [{ high: 0x5437a228, low: 0xc449d506, ttlSeconds: 1000, remainingTtlSeconds: 0 }],
  auth: {
    enabled: true,
    revision: 6,
    users: [
      { name: "u", passwordHash: new Uint8Array(0), roles: ["r"], noPassword: true },
      { name: "v", passwordHash: latin1Encode("$2a$"), roles: [], noPassword: false },
    ],
    roles: [
      {
        name: "r",
        permissions: [{ type: 2, key: utf8Encode("a"), rangeEnd: utf8Encode("b") }],
      },
    ],
  },
  walkRows: () => ({ next: () => null }),
  release: () => undefined,
};

const member =
  '{"id":3483619689623835703,"peerURLs":["http://127.0.0.1:17712"],"name":"e1",' +
  '"clientURLs":["http://127.0.0.1:17711"]}';

const revision4 = "00000000000000045f0000000000000000";

function contents(of: HeldState): Record<string, readonly (readonly [string, string])[]> {
  const buckets = smallBuckets(of).map(({ name, entries }) => {
    return [name, entries.map(([key, value]) => [toHex(key), toHex(value)])];
  });
  return Object.fromEntries(buckets);
}

const hexOf = (text: string): string => toHex(utf8Encode(text));

test("every bucket as etcd has it", () => {
  deepEqual(contents(state), {
    // An alarm that etcd knows no name for is left out.
    alarm: [["08b7a8d7a4e9b493ac301001", ""]],
    auth: [
      [hexOf("authRevision"), "0000000000000006"],
      [hexOf("authEnabled"), "01"],
    ],
    authRoles: [["72", "0a0172120808021201611a0162"]],
    authUsers: [
      ["75", "0a01751a017222020801"],
      ["76", "0a0176120424326124" + "2200"],
    ],
    cluster: [[hexOf("clusterVersion"), hexOf("3.4.0")]],
    lease: [["5437a228c449d506", "0886aaa7a28cc5e89b5410e807"]],
    members: [[hexOf(memberId), hexOf(member)]],
    members_removed: [[hexOf("da69495d437"), hexOf("removed")]],
    meta: [
      [hexOf("consistent_index"), "000000000000000f"],
      [hexOf("scheduledCompactRev"), revision4],
      [hexOf("finishedCompactRev"), revision4],
    ],
  });
});

test("what was never compacted says nothing of it; a learner says so", () => {
  const learner = { ...state.members[0]!, name: "", clientUrls: [], isLearner: true };
  const buckets = contents({ ...state, compactRevision: -1, members: [learner] });
  deepEqual(buckets["meta"], [[hexOf("consistent_index"), "000000000000000f"]]);
  const json = '{"id":3483619689623835703,"peerURLs":["http://127.0.0.1:17712"],"isLearner":true}';
  deepEqual(buckets["members"], [[hexOf(memberId), hexOf(json)]]);
});
