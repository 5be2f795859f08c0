// etcd's HashKV in slices between turns, so that hashing a large store delays nothing else.
import { KvError } from "@quorate/kv";
import type { HashKvTask, KvApi } from "@quorate/kv";
import type { Env } from "@quorate/storage";

const hashRowsPerTurn = 20_000;

/** `kv` null, or `serving` false on the way: there is no state to hash at that revision. */
export function hashInSlices(
  env: Env,
  kv: KvApi | null,
  revision: number,
  serving: () => boolean,
  done: (result: HashKvTask | KvError) => void,
): void {
  const task = kv === null ? KvError.FutureRevision : kv.hashKv(revision);
  if (typeof task === "number") {
    env.schedule(() => done(task));
    return;
  }
  const step = (): void => {
    if (!serving()) {
      done(KvError.FutureRevision);
    } else if (task.step(hashRowsPerTurn)) {
      done(task.error === KvError.None ? task : task.error);
    } else {
      env.schedule(step);
    }
  };
  env.schedule(step);
}
