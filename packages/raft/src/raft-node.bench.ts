// A leader and two followers without disk or network: processor time per entry (three cores
// together), messages and batches per turn, for turns of 1, 16, 64 and 256 proposals of 256 B.
// About 5 s:
//   node --conditions=@quorate/source packages/raft/src/raft-node.bench.ts
import { raftDefaults } from "./config.ts";
import { Proposal } from "./entry.ts";
import type { Message } from "./message.ts";
import { RaftNode } from "./raft-node.ts";
import { Ready } from "./ready.ts";
import { ConfState, HardState } from "./types.ts";

const ENTRIES = 200_000;
const COMPACT_EVERY = 10_000;
const payload = new Uint8Array(256);
const ids = [1, 2, 3];
const conf = new ConfState(ids, [], [], [], false);

class Bench {
  readonly nodes: RaftNode[];
  readonly ready: Ready;
  readonly queue: Message[];
  messages: number;
  batches: number;

  constructor() {
    this.ready = new Ready();
    this.queue = [];
    this.messages = 0;
    this.batches = 0;
    this.nodes = ids.map(
      (id) =>
        new RaftNode(
          { ...raftDefaults, id, session: id, random: { below: () => 0 } },
          {
            hardState: new HardState(0, 0, 0),
            confState: conf,
            snapshotIndex: 0,
            snapshotTerm: 0,
            entries: [],
            applied: 0,
            wallMs: 0,
            level: 1,
          },
        ),
    );
    this.nodes[0]!.campaign();
    this.settle();
  }

  settle(): void {
    for (let busy = true; busy;) {
      busy = false;
      for (const node of this.nodes) busy = this.#drain(node) || busy;
      const now = this.queue.splice(0);
      for (const message of now) this.nodes[message.to - 1]!.step(message);
      this.messages += now.length;
      busy = busy || now.length > 0;
    }
  }

  #drain(node: RaftNode): boolean {
    const { ready } = this;
    let worked = false;
    while (node.hasReady() && node.takeReady(ready)) {
      worked = true;
      for (const message of ready.messages) this.queue.push(message);
      for (const message of ready.messagesAfterPersist) this.queue.push(message);
      const last = ready.committed.at(-1);
      if (ready.persist.seq > 0) {
        this.batches++;
        node.persisted(ready.persist.seq);
      }
      if (last !== undefined) node.applied(last.index);
    }
    return worked;
  }

  run(perTurn: number): void {
    const leader = this.nodes[0]!;
    for (let done = 0; done < ENTRIES; done += perTurn) {
      const proposals: Proposal[] = [];
      for (let i = 0; i < perTurn; i++) proposals.push(new Proposal(16, payload));
      leader.propose(proposals);
      this.settle();
      if (done % COMPACT_EVERY < perTurn) {
        for (const node of this.nodes) node.compacted(node.core.log.applied);
      }
    }
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

for (const perTurn of [1, 16, 64, 256]) {
  const bench = new Bench();
  bench.run(perTurn);
  bench.messages = 0;
  bench.batches = 0;
  const before = cpuMs();
  bench.run(perTurn);
  const ms = cpuMs() - before;
  const turns = ENTRIES / perTurn;
  console.log(
    `${String(perTurn).padStart(3)} a turn: ${((ms * 1e6) / ENTRIES).toFixed(0)} ns an entry,` +
      ` ${(bench.messages / turns).toFixed(1)} messages and` +
      ` ${(bench.batches / turns).toFixed(1)} batches a turn`,
  );
}
