// P5: who has to be heard before a promise: by the checkpoint's configuration and by the newest one on the
// disk, applied or not. Method: entries by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConfChange,
  ConfChangeSingle,
  ConfChangeType,
  ConfState,
  ConfTransition,
  encodeConfChange,
  Entry,
  EntryKind,
} from "@quorate/raft";
import { votersOnDisk } from "./voters-on-disk.ts";

const { AddVoter, Remove } = ConfChangeType;
const empty = new Uint8Array(0);
const alone = new ConfState([1], [], [], [], false);

function change(index: number, type: ConfChangeType, node: number): Entry {
  const single = new ConfChangeSingle(type, node);
  const payload = encodeConfChange(new ConfChange(ConfTransition.Auto, [single], empty));
  return new Entry(1, index, EntryKind.ConfChange, 1, 0, payload);
}

test("changes behind the checkpoint count, those in it have been applied", () => {
  const entries = [change(4, AddVoter, 2), new Entry(1, 5, EntryKind.Empty, 1, 0, empty)];
  assert.deepEqual(votersOnDisk(alone, entries, 3), [1, 2]);
  assert.deepEqual(votersOnDisk(alone, entries, 4), [1]);
});

test("whoever a change takes out still counts: it is not applied", () => {
  const three = new ConfState([1, 2, 3], [], [], [], false);
  assert.deepEqual(votersOnDisk(three, [change(4, Remove, 3)], 3), [1, 2, 3]);
});

test("both halves of a joint configuration; a change that does not fit changes nothing", () => {
  const joint = new ConfState([2, 3], [1, 2], [], [], true);
  assert.deepEqual(votersOnDisk(joint, [change(4, AddVoter, 9)], 3), [2, 3, 1]);
});
