// Hashes of passwords: etcd's bcrypt, off the main thread, at most two at once, behind a bounded queue.
// Nothing here logs, and no error carries what it was given.
import { Worker } from "node:worker_threads";
import type { BcryptResult, BcryptTask } from "./bcrypt-worker.ts";

/** etcd's --bcrypt-cost: what the algorithm allows, and its default. */
export const bcryptCostMin = 4;
export const bcryptCostMax = 31;
export const bcryptCostDefault = 10;
/** Of a password in UTF-8: bcrypt would cut off the rest without a word. */
export const passwordBytesMax = 72;

const threadsMax = 2;
/** Those that wait; two threads work that off in about 6 s, less than a request may take. */
const waitingMax = 128;
const base64Dot = ".";

/** Null: there is no room to wait, or the thread has failed. */
type Done = (result: BcryptResult | null) => void;

interface Thread {
  readonly worker: Worker;
  /** What it works at; null: nothing. */
  done: Done | null;
}

export class Passwords {
  readonly #cost: number;
  readonly #threads: Thread[];
  readonly #waiting: { readonly task: BcryptTask; readonly done: Done }[];
  readonly #noUsersHash: string;

  constructor(cost: number) {
    this.#cost = cost;
    this.#threads = [];
    this.#waiting = [];
    this.#noUsersHash = `$2b$${String(cost).padStart(2, "0")}$${base64Dot.repeat(53)}`;
  }

  /** Null: too much is asked for at once. */
  hash(password: string, done: (hash: string | null) => void): void {
    const task = { password, hash: null, cost: this.#cost };
    this.#run(task, (result) => done(result?.hash ?? null));
  }

  /** `hash` null: of nobody, which takes as long and never matches. Result null: as above. */
  matches(password: string, hash: string | null, done: (matches: boolean | null) => void): void {
    const task = { password, hash: hash ?? this.#noUsersHash, cost: this.#cost };
    this.#run(task, (result) => {
      done(result === null ? null : hash !== null && result.matches);
    });
  }

  #run(task: BcryptTask, done: Done): void {
    const idle = this.#threads.find((thread) => thread.done === null);
    const thread = idle ?? (this.#threads.length < threadsMax ? this.#start() : null);
    if (thread !== null) {
      thread.done = done;
      thread.worker.ref();
      thread.worker.postMessage(task);
    } else if (this.#waiting.length < waitingMax) {
      this.#waiting.push({ task, done });
    } else {
      done(null);
    }
  }

  #start(): Thread {
    const file = import.meta.url.endsWith(".ts") ? "./bcrypt-worker.ts" : "./bcrypt-worker.js";
    const worker = new Worker(new URL(file, import.meta.url));
    const thread: Thread = { worker, done: null };
    worker.on("message", (result: BcryptResult) => this.#finish(thread, result));
    // A hash that is none, or no memory: the next task gets a new thread.
    worker.on("error", () => undefined);
    worker.on("exit", () => {
      this.#threads.splice(this.#threads.indexOf(thread), 1);
      this.#finish(thread, null);
    });
    this.#threads.push(thread);
    return thread;
  }

  #finish(thread: Thread, result: BcryptResult | null): void {
    const { done } = thread;
    thread.done = null;
    // A process may end while none of its threads has work.
    thread.worker.unref();
    done?.(result);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#run(next.task, next.done);
  }
}
