// The two reads by which health is told: one of this member's own state, one that a quorum confirms.
import { FailureCode, rangeRequest } from "@quorate/host";
import type { Failure, HostApi } from "@quorate/host";
import { encodeRangeRequest, RangeRequest } from "@quorate/kv";
import { errorOf } from "../../etcd/errors.ts";

/** "": it went through; else why not. */
export type OnRead = (error: string) => void;

const anyKey = encodeRangeRequest(
  new RangeRequest({ key: Uint8Array.of(0), limit: 1, keysOnly: true, serializable: true }),
);

export function serializableRead(host: HostApi, done: OnRead): void {
  host.request(rangeRequest, anyKey, true, {
    reply: () => done(""),
    // What the state machine itself refuses (who asks may not, say) shows that it can be asked.
    fail: (failure) => done(failure.code === FailureCode.Kv ? "" : wordsOf(failure)),
  });
}

export function linearizableRead(host: HostApi, done: OnRead): void {
  host.readBarrier({ reply: () => done(""), fail: (failure) => done(wordsOf(failure)) });
}

function wordsOf(failure: Failure): string {
  const { text } = errorOf(failure);
  return failure.missing.length === 0 ? text : `${text}; not heard: ${failure.missing.join(", ")}`;
}
