// A growing number of keys, deleted one by one and in stretches, read by ranges of every shape: whole
// groups and parts of them, with limits, orders and bounds of revisions, now and in the past, keys or
// counts alone.
import { latin1Encode } from "@quorate/base";
import {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  SortOrder,
  SortTarget,
} from "@quorate/kv";
import type { ClientOperation } from "../client/history.ts";
import type { SimRandom } from "../sim-random.ts";
import type { Known } from "./known.ts";
import { Redrawn } from "./redrawn.ts";
import { planned, type PlannedOperation, type Workload } from "./workload.ts";

interface Shape {
  readonly groups: number;
  readonly putChance: number;
  readonly deleteChance: number;
  /** Of keys that were there before; the others are new ones. */
  readonly againChance: number;
  readonly pastChance: number;
  readonly valueBytesMax: number;
}

const groupsMax = 6;
const sortOrders = Object.values(SortOrder);
const sortTargets = Object.values(SortTarget);

export class Ranges implements Workload {
  readonly name: string;
  readonly background: null;
  readonly #known: Known;
  readonly #shapes: Redrawn<Shape>;
  #shape: Shape;
  /** Keys that each group has had. */
  readonly #keys: number[];

  constructor(known: Known) {
    this.name = "ranges";
    this.background = null;
    this.#known = known;
    this.#shapes = new Redrawn(200, drawShape);
    this.#shape = {
      groups: 1,
      putChance: 1,
      deleteChance: 0,
      againChance: 0,
      pastChance: 0,
      valueBytesMax: 16,
    };
    this.#keys = Array.from({ length: groupsMax }, () => 0);
  }

  next(client: number, random: SimRandom): PlannedOperation {
    this.#shape = this.#shapes.next(random);
    const { groups, putChance, deleteChance } = this.#shape;
    const group = random.below(groups);
    if (random.chance(0.01)) {
      const revision = Math.max(1, this.#known.revision - random.below(100));
      return planned(new CompactionRequest({ revision }));
    }
    if (random.chance(putChance) || this.#keys[group] === 0) {
      return this.#put(client, group, random);
    }
    if (random.chance(deleteChance)) return this.#delete(group, random);
    return planned(this.#range(group, random), random.chance(0.15));
  }

  heard(operation: ClientOperation): void {
    this.#known.heard(operation);
  }

  #put(client: number, group: number, random: SimRandom): PlannedOperation {
    const again = this.#keys[group]! > 0 && random.chance(this.#shape.againChance);
    const key = again ? this.#someKey(group, random) : keyOf(group, this.#keys[group]!++);
    const text = this.#known.uniqueText(client);
    const value = latin1Encode(text.padEnd(random.doublings(8, this.#shape.valueBytesMax), "."));
    return planned(new PutRequest({ key, value, prevKv: random.chance(0.2) }));
  }

  #delete(group: number, random: SimRandom): PlannedOperation {
    const { key, rangeEnd } = this.#stretch(group, random);
    const one = random.chance(0.6);
    const prevKv = random.chance(0.5);
    return planned(
      one
        ? new DeleteRangeRequest({ key: this.#someKey(group, random), prevKv })
        : new DeleteRangeRequest({ key, rangeEnd, prevKv }),
    );
  }

  #range(group: number, random: SimRandom): RangeRequest {
    const stretch = random.chance(0.4) ? wholeOf(group) : this.#stretch(group, random);
    const request = new RangeRequest(stretch);
    if (random.chance(this.#shape.pastChance)) request.revision = this.#known.pastRevision(random);
    if (random.chance(0.4)) request.limit = random.doublings(1, 50);
    if (random.chance(0.4)) {
      request.sortOrder = random.pick(sortOrders);
      request.sortTarget = random.pick(sortTargets);
    }
    if (random.chance(0.15)) this.#bound(request, random);
    request.countOnly = random.chance(0.15);
    request.keysOnly = random.chance(0.15);
    return request;
  }

  #bound(request: RangeRequest, random: SimRandom): void {
    const name = random.pick([
      "minModRevision",
      "maxModRevision",
      "minCreateRevision",
      "maxCreateRevision",
    ] as const);
    request[name] = random.between(1, this.#known.revision + 1);
  }

  /** Some keys of a group, one behind the other. */
  #stretch(group: number, random: SimRandom): { key: Uint8Array; rangeEnd: Uint8Array } {
    const from = random.below(this.#keys[group]! + 1);
    const count = random.doublings(1, 30);
    return { key: keyOf(group, from), rangeEnd: keyOf(group, from + count) };
  }

  #someKey(group: number, random: SimRandom): Uint8Array {
    return keyOf(group, random.below(this.#keys[group]!));
  }
}

function drawShape(random: SimRandom): Shape {
  return {
    groups: random.between(1, groupsMax),
    putChance: random.pick([0.2, 0.5, 0.8]),
    deleteChance: random.pick([0, 0.1, 0.4]),
    againChance: random.pick([0, 0.3, 0.8]),
    pastChance: random.pick([0.05, 0.3]),
    valueBytesMax: random.pick([16, 300]),
  };
}

function wholeOf(group: number): { key: Uint8Array; rangeEnd: Uint8Array } {
  return { key: latin1Encode(`n/${group}/`), rangeEnd: latin1Encode(`n/${group}0`) };
}

function keyOf(group: number, number: number): Uint8Array {
  return latin1Encode(`n/${group}/${String(number).padStart(6, "0")}`);
}
