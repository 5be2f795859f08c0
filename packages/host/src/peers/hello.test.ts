// The hello and the refusals: codec, what is refused and in which words, bytes that are neither.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { helloBodyBytesMax } from "./frame.ts";
import {
  checkHello,
  decodeHello,
  decodeRefusal,
  encodeHello,
  encodeRefusal,
  Hello,
  helloUrlsMax,
  LinkClass,
  peerProtocolVersion,
  Refusal,
  RefusalCode,
  tokenTag,
  wrongProtocol,
} from "./hello.ts";
import type { HelloFields, HelloRules } from "./hello.ts";

function hello(fields: Partial<HelloFields> = {}): Hello {
  return new Hello({
    linkClass: LinkClass.Control,
    clusterId: "c1",
    token: "t1",
    memberId: "aaaa",
    raftId: 11,
    bootCount: 2,
    session: 2 ** 53 - 1,
    genesisId: 77,
    term: 5,
    lastIndex: 1000,
    levelMax: 1,
    leader: 12,
    toSession: 9,
    toBootCount: 3,
    wallMs: 1_800_000_000_000,
    peerUrls: ["http://10.0.0.1:2380", "https://müller.example:2380"],
    ...fields,
  });
}

function rules(fields: Partial<HelloRules> = {}): HelloRules {
  return {
    clusterId: "c1",
    token: "t1",
    memberId: "self",
    raftId: 10,
    genesisId: 77,
    expectedMemberId: null,
    isMember: (memberId) => memberId === "aaaa" || memberId === "bbbb",
    raftIdOf: (memberId) => (memberId === "aaaa" ? 11 : 0),
    isRemoved: (raftId) => raftId === 99,
    isRemovedMember: (memberId) => memberId === "gone",
    isSuperseded: (clusterId) => clusterId === "c0",
    removedFinal: true,
    successorLives: () => true,
    listed: () => "n1=http://x:1",
    ...fields,
  };
}

test("a hello survives its codec", () => {
  const said = hello();
  assert.deepEqual(decodeHello(encodeHello(said)), said);
});

test("the longest hello that a configuration allows stays within 4 KiB", () => {
  const long = hello({
    token: tokenTag("ü".repeat(100_000)),
    clusterId: "f".repeat(64),
    memberId: "f".repeat(64),
    peerUrls: Array.from({ length: helloUrlsMax }, (_, n) => `http://${"u".repeat(120)}${n}`),
  });
  const bytes = encodeHello(long);
  assert.ok(bytes.length < helloBodyBytesMax / 2);
  assert.deepEqual(decodeHello(bytes), long);
  assert.notEqual(tokenTag("x".repeat(600)), tokenTag(`${"x".repeat(600)}y`));
  assert.equal(tokenTag("etcd-cluster-1"), "etcd-cluster-1");
});

test("of many or long peer URLs a hello tells the first ones", () => {
  const told = (peerUrls: string[]): number => {
    const read = decodeHello(encodeHello(hello({ peerUrls })));
    assert.ok(read instanceof Hello);
    assert.deepEqual(read.peerUrls, peerUrls.slice(0, read.peerUrls.length));
    return read.peerUrls.length;
  };
  assert.equal(told([]), 0);
  assert.equal(told(Array.from({ length: 20 }, (_, n) => `http://a:${n}`)), helloUrlsMax);
  assert.equal(told(["u".repeat(1000), "v".repeat(24), "w"]), 2);
  assert.equal(told(["u".repeat(1025), "v"]), 0);
});

test("a hello of more peer URLs than one may tell is none", () => {
  const bytes = encodeHello(hello({ peerUrls: [] })).slice(0, -1);
  const urls = Array.from({ length: helloUrlsMax + 1 }, () => [1, 0x61]).flat();
  assert.equal(decodeHello(Uint8Array.of(...bytes, helloUrlsMax + 1, ...urls)), null);
  assert.ok(decodeHello(Uint8Array.of(...bytes, helloUrlsMax, ...urls.slice(2))) instanceof Hello);
});

test("cut, extended and random bytes are no hello, and never throw", () => {
  const bytes = encodeHello(hello());
  for (let cut = 2; cut < bytes.length; cut++) {
    assert.equal(decodeHello(bytes.subarray(0, cut)), null);
  }
  assert.equal(decodeHello(Uint8Array.of(...bytes, 0)), null);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
      decodeHello(any);
      decodeRefusal(any);
    }),
    { numRuns: 3000 },
  );
});

test("a hello of another protocol version is told by its version, whatever follows", () => {
  const bytes = encodeHello(hello()).slice();
  bytes[0] = peerProtocolVersion + 1;
  assert.equal(decodeHello(bytes), peerProtocolVersion + 1);
  const refusal = wrongProtocol(peerProtocolVersion + 1);
  assert.equal(refusal.reason, "peer protocol 5 was spoken, this member speaks 4");
});

test("impossible values are no hello", () => {
  const bad: Partial<HelloFields>[] = [
    { raftId: 0 },
    { session: 0 },
    { bootCount: 0 },
    { linkClass: 7 as LinkClass },
  ];
  for (const fields of bad) assert.equal(decodeHello(encodeHello(hello(fields))), null);
});

test("who joined later knows no token: others hold it to the genesis, and it holds nobody to one", () => {
  const { WrongToken, WrongCluster } = RefusalCode;
  assert.equal(checkHello(rules(), hello({ token: "" })), null);
  assert.equal(checkHello(rules(), hello({ token: "", genesisId: 0 }))?.code, WrongToken);
  assert.equal(checkHello(rules({ genesisId: 0 }), hello({ token: "" }))?.code, WrongToken);
  const joined = rules({ token: "", genesisId: 0 });
  assert.equal(checkHello(joined, hello()), null);
  assert.equal(checkHello(joined, hello({ clusterId: "c2" }))?.code, WrongCluster);
});

test("a removed raft id is told to go only when it may", () => {
  const said = hello({ raftId: 99 });
  assert.equal(checkHello(rules(), said)?.code, RefusalCode.Removed);
  assert.equal(checkHello(rules({ removedFinal: false }), said)?.code, RefusalCode.Leaving);
});

test("a removed member is told so under whatever raft id it comes, with a genesis or without", () => {
  for (const genesisId of [0, hello().genesisId]) {
    const said = hello({ memberId: "gone", raftId: 12345, genesisId });
    assert.equal(checkHello(rules(), said)?.code, RefusalCode.Removed);
    assert.match(checkHello(rules(), said)!.reason, /^member gone was removed from the cluster$/);
    assert.equal(checkHello(rules({ removedFinal: false }), said)?.code, RefusalCode.Removed);
  }
});

test("a removed raft id that was replaced: gone while its successor lives, REGRESSED when nobody does", () => {
  const said = hello({ raftId: 99 });
  const { Removed, Leaving, Regressed } = RefusalCode;
  const refusal = (lives: boolean | null, final = true): Refusal =>
    checkHello(
      rules({ raftIdOf: () => 100, removedFinal: final, successorLives: () => lives }),
      said,
    )!;
  assert.equal(refusal(null).code, Leaving);
  assert.equal(refusal(true).code, Removed);
  assert.match(refusal(true).reason, /raft id 99 was removed .*, replaced by raft id 100$/);
  assert.equal(refusal(false).code, Regressed);
  assert.match(
    refusal(false).reason,
    /replaced by raft id 100, which nobody hears: it is REGRESSED/,
  );
  for (const lives of [null, true, false]) assert.equal(refusal(lives, false).code, Leaving);
});

test("what is refused, and in which words", () => {
  const rows: [Partial<HelloFields>, Partial<HelloRules>, number, string][] = [
    [{ token: "t2" }, {}, RefusalCode.WrongToken, 'cluster token is "t1" here, not "t2"'],
    [{ clusterId: "c2" }, {}, RefusalCode.WrongCluster, 'cluster id is "c1" here, not "c2"'],
    [{ memberId: "self" }, {}, RefusalCode.OwnId, "this member has the same id self itself"],
    [{ raftId: 10 }, {}, RefusalCode.OwnId, "this member has the same id aaaa itself"],
    [
      {},
      { expectedMemberId: "bbbb" },
      RefusalCode.WrongMember,
      "member aaaa answers at the address of bbbb",
    ],
    [{ genesisId: 78 }, {}, RefusalCode.AnotherGenesis, 'genesis is "77" here, not "78"'],
    [
      { raftId: 99 },
      {},
      RefusalCode.Removed,
      "raft id 99 was removed from the cluster, replaced by raft id 11",
    ],
    [
      { raftId: 99, memberId: "gone" },
      {},
      RefusalCode.Removed,
      "raft id 99 was removed from the cluster",
    ],
    [
      { memberId: "cccc", genesisId: 0 },
      {},
      RefusalCode.UnknownMember,
      "member cccc is not among the members of the cluster",
    ],
    [
      { memberId: "cccc", genesisId: 5 },
      { genesisId: 0 },
      RefusalCode.UnknownMember,
      "member cccc is not among the members of the cluster",
    ],
  ];
  for (const [fields, rule, code, reason] of rows) {
    const refusal = checkHello(rules(rule), hello(fields));
    assert.equal(refusal?.code, code, reason);
    assert.equal(refusal?.reason, reason);
  }
});

test("what is not refused", () => {
  const rows: [Partial<HelloFields>, Partial<HelloRules>][] = [
    [{}, {}],
    [{}, { expectedMemberId: "aaaa" }],
    // Not started yet, on either side: genesis talk must be possible.
    [{ genesisId: 0 }, {}],
    [{}, { genesisId: 0 }],
    // A member that no record names, of the same genesis: this configuration may lag behind (P2).
    [{ memberId: "cccc" }, {}],
    [{ raftId: 555 }, {}],
  ];
  for (const [fields, rule] of rows) {
    assert.equal(checkHello(rules(rule), hello(fields)), null, JSON.stringify(fields));
  }
});

test("a refusal survives its codec and fits, however long its reason and list", () => {
  const refusal = new Refusal(RefusalCode.WrongCluster, "because", "n1=http://x:1\nn2=http://y:2");
  assert.deepEqual(decodeRefusal(encodeRefusal(refusal)), refusal);
  const long = new Refusal(RefusalCode.WrongToken, "ä".repeat(9000), "ö".repeat(9000));
  const bytes = encodeRefusal(long);
  assert.ok(bytes.length <= helloBodyBytesMax);
  assert.equal(decodeRefusal(bytes)?.listed, "");
});
