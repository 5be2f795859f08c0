// The calls on keys that locks and elections are made of, as this member's own client: promises, which a
// caller who goes away ends.
import type { Failure, HostApi, RequestKind } from "@quorate/host";
import { rangeRequest } from "@quorate/host";
import {
  decodeDeleteRangeResponse,
  decodeRangeResponse,
  decodeTxnResponse,
  decodeWatchResponse,
  encodeDeleteRangeRequest,
  encodeRangeRequest,
  encodeTxnRequest,
  encodeWatchRequest,
  OperationKind,
  WatchAsk,
  WatchRequest,
} from "@quorate/kv";
import type {
  DeleteRangeRequest,
  DeleteRangeResponse,
  Identity,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
  WatchEvent,
} from "@quorate/kv";
import { must } from "@quorate/base";

/** A call was refused, or its outcome is unknown. */
export class CallFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super("a call on keys failed");
    this.failure = failure;
  }
}

/** The caller has gone. */
export class CallerGone extends Error {}

/** What was watched is compacted already: whoever asked looks again. */
export class HistoryGone extends Error {}

export class KeyCalls {
  readonly host: HostApi;
  /** On whose behalf. */
  readonly identity: Identity;

  constructor(host: HostApi, identity: Identity) {
    this.host = host;
    this.identity = identity;
  }

  async txn(request: TxnRequest): Promise<TxnResponse> {
    const bytes = await this.#call(OperationKind.Txn, encodeTxnRequest(request));
    return must(decodeTxnResponse(bytes), "an answer to a transaction");
  }

  async range(request: RangeRequest): Promise<RangeResponse> {
    const bytes = await this.#call(rangeRequest, encodeRangeRequest(request));
    return must(decodeRangeResponse(bytes), "an answer to a range");
  }

  async delete(request: DeleteRangeRequest): Promise<DeleteRangeResponse> {
    const bytes = await this.#call(OperationKind.DeleteRange, encodeDeleteRangeRequest(request));
    return must(decodeDeleteRangeResponse(bytes), "an answer to a deletion");
  }

  /**
   * Events of a key, or of a range, from a revision on, until `heard` says that it has enough. Rejects
   * with CallerGone, CallFailed or HistoryGone.
   */
  watch(
    keys: Pick<WatchRequest, "key" | "rangeEnd">,
    startRevision: number,
    gone: AbortSignal,
    heard: (event: WatchEvent) => boolean,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error: Error | null): void => {
        gone.removeEventListener("abort", leave);
        stream.close();
        if (error === null) resolve();
        else reject(error);
      };
      const leave = (): void => end(new CallerGone());
      const sink = {
        buffered: 0,
        needsDrain: false,
        write: (message: Uint8Array): void => {
          const { canceled, events } = must(decodeWatchResponse(message), "a watch response");
          if (canceled) return end(new HistoryGone());
          if (events.some(heard)) end(null);
        },
        fail: (failure: Failure): void => end(new CallFailed(failure)),
      };
      const stream = this.host.watch(sink, false);
      gone.addEventListener("abort", leave);
      if (gone.aborted) return leave();
      const request = new WatchRequest({ ask: WatchAsk.Create, ...keys, startRevision });
      stream.message(encodeWatchRequest(request), this.identity);
    });
  }

  #call(kind: RequestKind, bytes: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const fail = (failure: Failure): void => reject(new CallFailed(failure));
      this.host.request(kind, bytes, false, { reply: resolve, fail }, this.identity);
    });
  }
}
