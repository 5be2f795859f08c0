// One thread that hashes passwords and compares them with hashes, one at a time: a hash of cost 10 takes
// about 0.1 s, in which the event loop of a member must not stand still.
import { parentPort } from "node:worker_threads";
import bcrypt from "bcryptjs";

/** `hash`: null: make one at this cost; else: does the password belong to it? */
export interface BcryptTask {
  readonly password: string;
  readonly hash: string | null;
  readonly cost: number;
}

export interface BcryptResult {
  /** The new hash; empty where one was compared. */
  readonly hash: string;
  readonly matches: boolean;
}

const port = parentPort;
if (port === null) throw new Error("bcrypt-worker.ts runs as a thread only");
port.on("message", ({ password, hash, cost }: BcryptTask) => {
  const result: BcryptResult =
    hash === null
      ? { hash: bcrypt.hashSync(password, cost), matches: false }
      : { hash: "", matches: bcrypt.compareSync(password, hash) };
  port.postMessage(result);
});
