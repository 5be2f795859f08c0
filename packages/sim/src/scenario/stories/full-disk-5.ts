// The disk of one of five fills up with somebody else's files (reliability.md §1.4, ENOSPC). Before a
// write of its own can fail it asks for NOSPACE: puts are refused at every member, reads, deletes and
// compaction go on everywhere, also in the reserve; nobody ends. When there is room again the alarm goes
// by itself. If the member dies instead, its alarm goes as well: who is away fills no disk.
import { latin1Encode } from "@quorate/base";
import {
  AlarmType,
  CompactionRequest,
  DeleteRangeRequest,
  KvError,
  PutRequest,
  TxnRequest,
} from "@quorate/kv";
import { planned } from "../../workloads/workload.ts";
import { AlarmActs } from "../alarm-acts.ts";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const storage = { ...smallFiles, unsavedRowBytesMax: 262_144 };
/** Within the reserve: a segment of the log and twice the unsaved rows. */
const leftBytes = 300_000;
/** A second between two looks, and the way through the log. */
const lookMs = 1_500;

export const fullDisk5: Story = story(
  "full-disk-5",
  { members: 5, host: { ...shortLog, storage } },
  (s) => {
    const acts = new AlarmActs(s);
    const { NoSpace } = AlarmType;
    const leader = s.found();
    const full = s.others(leader)[0]!;
    s.fill(leader, 20, 500);
    s.run(lookMs);
    s.expect("no alarm while there is room", !s.names.some((one) => acts.isActive(one, NoSpace)));

    s.disk(full).leaves(leftBytes);
    acts.waitUntil(s.names, NoSpace, true, lookMs);
    acts.mustRefuse(s.names, KvError.NoSpace);
    const value = latin1Encode("in the branch that is not taken");
    const put = new PutRequest({ key: latin1Encode("refused"), value });
    const either = s.ask(leader, planned(new TxnRequest({ failure: [put] })));
    s.waitFor("a transaction that could put is refused", 3_000, () => either.refused);
    s.expect("for lack of space", either.operation.kvError === KvError.NoSpace);
    // Much more than would fit: the log goes round within what is reserved.
    for (let round = 0; round < 100; round++) {
      const key = latin1Encode(`story/${leader}/${round % 20}`);
      const gone = s.ask(leader, planned(new DeleteRangeRequest({ key })));
      s.waitFor("a delete goes on", 3_000, () => gone.acknowledged);
    }
    for (const name of s.names) {
      const read = s.read(name);
      s.waitFor(`${name} reads`, 3_000, () => read.acknowledged);
    }
    const cut = s.ask(
      leader,
      planned(new CompactionRequest({ revision: s.status(leader).revision })),
    );
    s.waitFor("compaction goes on", 3_000, () => cut.acknowledged);
    acts.mustRefuse(s.names, KvError.NoSpace);

    s.disk(full).mend();
    acts.waitUntil(s.names, NoSpace, false, lookMs);
    for (const name of s.names) s.mustWrite(name, 3_000);

    // An operator's alarm is not the disk's to take back.
    s.disk(full).leaves(leftBytes);
    acts.waitUntil(s.names, NoSpace, true, lookMs);
    acts.activate(full, NoSpace);
    s.run(500);
    s.disk(full).mend();
    s.run(2 * lookMs);
    acts.waitUntil(s.names, NoSpace, true, 0);
    acts.deactivate(full, NoSpace);
    acts.waitUntil(s.names, NoSpace, false, lookMs);

    s.disk(full).leaves(leftBytes);
    acts.waitUntil(s.names, NoSpace, true, lookMs);
    s.kill(full);
    acts.waitUntil(s.others(full), NoSpace, false, 5_000 + 2 * lookMs);
    s.mustWrite(leader, 3_000);
    s.start(full);
    acts.waitUntil(s.names, NoSpace, true, 5_000 + lookMs);
    s.disk(full).mend();
    acts.waitUntil(s.names, NoSpace, false, lookMs);
    s.expect(
      "nobody ended",
      s.names.every((name) => s.running(name)),
    );
  },
);
