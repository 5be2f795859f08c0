// What the door and the queue cost a write that has room, in batches as turns have them. Run with
// node --conditions=@quorate/source; prints nanoseconds a write, asserts nothing.
import { OperationKind } from "@quorate/kv";
import { hostDefaults } from "../host-api.ts";
import { Proposals, Waiter } from "../proposals.ts";
import { Load } from "./load.ts";

const batch = 64;
const rounds = 50_000;
const sink = { reply: () => undefined, fail: () => undefined };
const payload = new Uint8Array(256);
const nothing = new Uint8Array(0);

function run(withLoad: boolean): number {
  const { requestsMax, requestBytesInFlightMax } = hostDefaults;
  const proposals = new Proposals(requestsMax, requestBytesInFlightMax);
  const clock = { monotonicMs: () => performance.now() };
  const raft = { leader: () => 1 };
  const load = new Load({ config: hostDefaults, clock, proposals, raft, applyPending: () => 0 });
  const refuse = (waiter: Waiter): void => proposals.reply(waiter, nothing);
  let plain: Waiter[] = [];
  const started = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    for (let n = 0; n < batch; n += 1) {
      const waiter = new Waiter(OperationKind.Put, payload, sink, round + 100);
      if (!withLoad) {
        if (proposals.admit(waiter)) plain.push(waiter);
      } else if (
        !load.refusesWrite(waiter.kind) &&
        proposals.admit(waiter, load.shareOf(waiter.kind))
      ) {
        load.queue.add(waiter);
      }
    }
    if (withLoad) load.tick(1);
    const taken = withLoad ? load.queue.take(load.room(), clock.monotonicMs, refuse) : plain;
    plain = [];
    for (const waiter of taken) proposals.reply(waiter, nothing);
    proposals.expire(round);
  }
  return ((performance.now() - started) * 1e6) / (rounds * batch);
}

for (let time = 0; time < 3; time += 1) {
  const without = run(false);
  const withLoad = run(true);
  console.log(`a write: ${without.toFixed(0)} ns without, ${withLoad.toFixed(0)} ns with it`);
}
