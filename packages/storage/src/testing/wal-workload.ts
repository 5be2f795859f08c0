// A random member on a WAL: appends with truncations, votes, sessions, commits, checkpoints, dropped
// segments, snapshots, idle times; crashes where the test says; checks each recovery against the
// model. Only tests import it.
import { assert, Prng } from "@quorate/base";
import { Entry, HardState } from "@quorate/raft";
import { ExitCode } from "../env.ts";
import type { CheckpointEntry } from "../manifest/manifest-api.ts";
import { PeerRecord } from "../storage-api.ts";
import type { Refusal } from "../storage-api.ts";
import type { WalApi, WalOptions } from "../wal/wal-api.ts";
import { ProcessEnd } from "./test-env.ts";
import { WalBench } from "./wal-bench.ts";
import type { Started } from "./wal-bench.ts";
import { difference, possibleHistories, replayRequests } from "./wal-model.ts";
import type { WalRequest } from "./wal-model.ts";

export type Crash = "kill" | "power" | "killThenPower";

export class WalWorkload {
  readonly bench: WalBench;
  #prng: Prng;
  #wal: WalApi | null;
  /** In the order they were made; after a crash, those that it left. */
  #requests: WalRequest[];
  /** The first so many were acknowledged as durable. */
  #certain: number;
  #nextId: number;
  /** A snapshot is being put in force: no entries until it is. */
  #installing: boolean;
  #nowMs: number;

  constructor(seed: number, options: Partial<WalOptions> = {}) {
    this.bench = new WalBench(seed, options);
    this.#prng = new Prng(seed).fork("workload");
    this.#wal = null;
    this.#requests = [];
    this.#certain = 0;
    this.#nextId = 1;
    this.#installing = false;
    this.#nowMs = 0;
  }

  get wal(): WalApi {
    assert(this.#wal !== null, "workload: not started");
    return this.#wal;
  }

  /** Makes requests and lets the disk work in between; true when `stop` said so. */
  run(requestsMax: number, stop: () => boolean): boolean {
    const { env } = this.bench;
    for (let i = 0; i < requestsMax; i++) {
      this.#request();
      for (let steps = this.#prng.below(6); steps > 0; steps--) {
        if (stop()) return true;
        env.step();
      }
    }
    env.run(stop);
    return stop();
  }

  /**
   * The disk refuses the next sync of a segment; true when the process ended over it. Not `writable`:
   * the process can leave no word of that behind, as on a file system that has become read-only.
   */
  runIntoRefusal(requestsMax: number, writable: boolean): boolean {
    this.bench.disk.fail("sync", "/wal-0", "EIO");
    if (!writable) this.bench.disk.fail("open", "", "EROFS");
    try {
      this.run(requestsMax, () => false);
    } catch (end) {
      if (!(end instanceof ProcessEnd)) throw end;
      assert(end.exitCode === ExitCode.WriteFailed, "a failed sync ends with another code");
      return true;
    }
    return false;
  }

  crash(kind: Crash): void {
    this.#wal = null;
    this.#installing = false;
    if (kind === "power") this.bench.disk.powerLoss();
    else this.bench.disk.kill();
  }

  /** Recovers; with crashes of its own after so many disk operations each. Then checks. */
  recover(crashesAfter: readonly number[], then: Crash): void {
    const { disk } = this.bench;
    for (const operations of crashesAfter) {
      const until = disk.performed + operations;
      this.bench.begin(() => {});
      this.bench.env.run(() => disk.performed >= until);
      this.crash(then);
    }
    const outcome = this.bench.outcome();
    assert(outcome.ok, () => `honest crash taken for damage: ${(outcome as Refusal).reason}`);
    this.#adopt(outcome);
  }

  #adopt(started: Started): void {
    const { checkpoint } = this.bench.medium.state;
    let first: string | null = null;
    for (const history of possibleHistories(this.#requests, this.#certain)) {
      const model = replayRequests(history, checkpoint);
      const wrong = difference(model, started.recovered, checkpoint);
      first ??= wrong;
      if (wrong !== null) continue;
      this.#wal = started.wal;
      this.#requests = [...history].map((request) => settle(request, checkpoint));
      // Whatever came back is durable now, the clamped commit index too.
      this.#requests.push(statement(model.hardState));
      this.#certain = this.#requests.length;
      return;
    }
    assert(false, () => `no possible history recovers like this; the longest differs in: ${first}`);
  }

  /** One request of a random kind. */
  #request(): void {
    const draw = this.#prng.below(20);
    if (draw < 11) this.#appendEntries();
    else if (draw < 13) this.#appendVote();
    else if (draw < 14) this.#appendCommit();
    else if (draw < 15) this.#appendPeer();
    else if (draw < 17) this.#pause();
    else if (draw < 18) this.#checkpoint();
    else if (draw < 19) this.wal.dropBelow(this.bench.manifest.state.checkpoint?.index ?? 0);
    else this.#install();
  }

  #state(): ReturnType<typeof replayRequests> {
    // A mark that is being installed counts from the member's point of view.
    const marked = this.#requests.findLast(({ mark }) => mark !== null)?.mark ?? null;
    const { checkpoint } = this.bench.medium.state;
    return replayRequests(this.#requests, this.#installing ? marked : checkpoint);
  }

  #append(request: WalRequest): void {
    this.#requests.push(request);
    const count = this.#requests.length;
    this.wal.append(request, () => {
      if (request.mustSync) this.#certain = Math.max(this.#certain, count);
    });
  }

  #appendEntries(): void {
    if (this.#installing) return;
    const { hardState, baseIndex, entries } = this.#state();
    const last = baseIndex + entries.length;
    const truncate = this.#prng.chance(0.2);
    const room = last - hardState.commit;
    const firstIndex = last + 1 - (truncate ? this.#prng.below(room + 1) : 0);
    const term = Math.max(1, hardState.term + (truncate ? 1 : 0));
    const count = 1 + this.#prng.below(4);
    const added: Entry[] = [];
    // Now and then more than a segment holds.
    const bulk = this.#prng.chance(0.05) ? 7000 : 300;
    for (let i = 0; i < count; i++) added.push(this.#entry(term, firstIndex + i, bulk));
    const commit = hardState.commit + this.#prng.below(firstIndex + count - hardState.commit);
    const vote = term === hardState.term ? hardState.vote : 0;
    this.#append({
      hardState: new HardState(term, vote, commit),
      firstIndex,
      entries: added,
      peers: this.#prng.chance(0.1) ? [this.#peer()] : [],
      mustSync: true,
      mark: null,
    });
  }

  #entry(term: number, index: number, bytes: number): Entry {
    const size = this.#prng.chance(0.1) ? this.#prng.below(9000) : this.#prng.below(bytes);
    const payload = new Uint8Array(size).fill(this.#prng.below(256));
    return new Entry(term, index, 16, 1, this.#nextId++, payload);
  }

  #peer(): PeerRecord {
    return new PeerRecord(100 + this.#prng.below(5), this.#nextId++, this.#prng.u53());
  }

  #appendVote(): void {
    const { hardState } = this.#state();
    const next = new HardState(hardState.term + 1, this.#prng.below(5), hardState.commit);
    this.#append({ ...statement(next), mustSync: true });
  }

  #appendCommit(): void {
    const { hardState, baseIndex, entries } = this.#state();
    const room = baseIndex + entries.length - hardState.commit;
    const commit = hardState.commit + this.#prng.below(room + 1);
    this.#append(statement(new HardState(hardState.term, hardState.vote, commit)));
  }

  #appendPeer(): void {
    const { hardState } = this.#state();
    this.#append({ ...statement(hardState), peers: [this.#peer()], mustSync: true });
  }

  #pause(): void {
    this.#nowMs += this.#prng.below(120);
    this.wal.tick(this.#nowMs);
  }

  /** Never above the locally durable index, nor above what is committed. */
  #checkpoint(): void {
    if (this.#installing) return;
    const durable = replayRequests(
      this.#requests.slice(0, this.#certain),
      this.bench.medium.state.checkpoint,
    );
    const index = Math.min(durable.hardState.commit, durable.baseIndex + durable.entries.length);
    const at = index - durable.baseIndex;
    const term = at === 0 ? durable.baseTerm : durable.entries[at - 1]!.term;
    this.wal.copyDurableSeq(() => {});
    this.#nameCheckpoint(index, term, () => {});
  }

  #nameCheckpoint(index: number, term: number, done: () => void): void {
    const durableSeq = this.wal.durableSeq;
    const entry: CheckpointEntry = {
      id: this.#nextId++,
      index,
      term,
      tablesName: "",
      tablesBytes: 0,
      tablesCrc: 0,
      durableSeq,
    };
    this.bench.manifest.change((state) => {
      const newer = (state.checkpoint?.index ?? 0) <= index;
      return newer ? { ...state, checkpoint: entry } : state;
    }, done);
  }

  /**
   * A snapshot ahead of the log, or of another leader's log: mark, then manifest; a vote may come
   * between (P9).
   */
  #install(): void {
    if (this.#installing || !this.#prng.chance(0.3)) return;
    const { hardState, baseIndex, entries } = this.#state();
    const last = baseIndex + entries.length;
    const index = hardState.commit + 1 + this.#prng.below(last - hardState.commit + 20);
    const term = hardState.term + (index <= last || this.#prng.chance(0.5) ? 1 : 0);
    if (term === 0) return;
    const marked = new HardState(term, hardState.term === term ? hardState.vote : 0, index);
    const mark = { index, term, checkpointId: this.#nextId++, hardState: marked, keepsLog: false };
    this.#installing = true;
    this.#requests.push({ ...statement(marked), mustSync: true, mark });
    const count = this.#requests.length;
    this.wal.snapshotMark(mark, () => {
      this.#certain = Math.max(this.#certain, count);
      this.#nameCheckpoint(index, term, () => {
        this.#installing = false;
      });
    });
  }
}

/** A hard state and nothing else. */
function statement(hardState: HardState): WalRequest {
  return { hardState, firstIndex: 0, entries: [], peers: [], mustSync: false, mark: null };
}

/** What the start after a crash made of it for good: a mark that was void stays void. */
function settle(request: WalRequest, checkpoint: CheckpointEntry | null): WalRequest {
  const isVoid = request.mark !== null && request.mark.index > (checkpoint?.index ?? 0);
  return isVoid ? { ...request, mark: null } : request;
}
