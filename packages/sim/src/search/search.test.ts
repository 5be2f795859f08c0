// The search against one without memory, order or hints on thousands of tiny histories of a register,
// good and bad ones; and its limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SimRandom } from "../sim-random.ts";
import { World } from "../world.ts";
import { Search, type SearchModel, type Timed, Verdict } from "./search.ts";
import { StateHash } from "./state-hash.ts";

const statesMax = 1_000_000;

/** Writes its value, or saw it. */
interface RegisterOperation extends Timed {
  readonly value: number;
}

class Register implements SearchModel<RegisterOperation> {
  readonly hash = new StateHash();
  readonly #values = [0];

  apply({ value, changes }: RegisterOperation): boolean {
    if (!changes) return this.#values.at(-1) === value;
    this.hash.toggle(1, 2, this.#values.at(-1)!);
    this.#values.push(value);
    this.hash.toggle(1, 2, value);
    return true;
  }

  undo({ value, changes }: RegisterOperation): void {
    if (!changes) return;
    this.hash.toggle(1, 2, value);
    this.#values.pop();
    this.hash.toggle(1, 2, this.#values.at(-1)!);
  }
}

/** Every order there is. */
function bruteForce(operations: readonly RegisterOperation[], model: Register): boolean {
  if (operations.every(({ returnedAt }) => returnedAt === Infinity)) return true;
  return operations.some((operation) => {
    const rest = operations.filter((other) => other !== operation);
    const isLate = rest.some(({ returnedAt }) => returnedAt < operation.calledAt);
    if (isLate || !model.apply(operation)) return false;
    const works = bruteForce(rest, model);
    model.undo(operation);
    return works;
  });
}

function verdictOf(operations: readonly RegisterOperation[]): Verdict {
  return new Search(operations, new Register(), statesMax).run().verdict;
}

function drawHistory(random: SimRandom): RegisterOperation[] {
  let written = 0;
  return Array.from({ length: random.between(2, 7) }, (_, id) => {
    const at = 10 * id;
    const changes = random.chance(0.5);
    const isUnheard = changes && random.chance(0.2);
    const times = {
      calledAt: at - random.below(25),
      returnedAt: isUnheard ? Infinity : at + 1 + random.below(25),
    };
    if (changes && !(isUnheard && random.chance(0.5))) written = id;
    const value = changes ? id : random.chance(0.3) ? random.below(id + 1) : written;
    return { id, ...times, changes, value, hint: random.below(10) };
  });
}

test("5,000 tiny histories: the search and every order there is agree, whatever the hints", () => {
  const verdicts = { yes: 0, no: 0 };
  for (let seed = 0; seed < 5_000; seed++) {
    const operations = drawHistory(new World(seed).random("history"));
    const expected = bruteForce(operations, new Register());
    const wanted = expected ? Verdict.Linearizable : Verdict.NotLinearizable;
    assert.equal(verdictOf(operations), wanted, `seed ${seed}: ${JSON.stringify(operations)}`);
    verdicts[expected ? "yes" : "no"]++;
  }
  assert.ok(verdicts.yes > 1_000 && verdicts.no > 800, JSON.stringify(verdicts));
});

test("a search that is not done within its states says so, and no verdict", () => {
  const write = (id: number): RegisterOperation => {
    return { id, calledAt: id, returnedAt: 100 + id, hint: 0, changes: true, value: id + 1 };
  };
  const writes = Array.from({ length: 12 }, (_, id) => write(id));
  const read = { ...write(12), calledAt: 200, returnedAt: 201, changes: false, value: 99 };
  const limited = new Search([...writes, read], new Register(), 1_000).run();
  assert.equal(limited.verdict, Verdict.Exceeded);
  const whole = new Search([...writes, read], new Register(), statesMax).run();
  assert.equal(whole.verdict, Verdict.NotLinearizable);
  assert.deepEqual([whole.deepest, whole.stuck], [12, [12]]);
  assert.ok(whole.states > 1_000, `${whole.states}`);
});
