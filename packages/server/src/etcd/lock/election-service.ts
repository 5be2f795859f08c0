// etcd's Election service (v3election): who stands first in the queue of a name leads, and its value is
// what it proclaims.
import { create, toBinary } from "@bufbuild/protobuf";
import { emptyBytes } from "@quorate/base";
import type { GrpcSink } from "@quorate/grpc";
import type { HostApi } from "@quorate/host";
import type { Identity, KeyValue, ResponseHeader } from "@quorate/kv";
import { election, mvcc } from "@quorate/proto";
import { decode } from "../messages.ts";
import { headerMessage } from "./header.ts";
import { HistoryGone, KeyCalls } from "./key-calls.ts";
import { Queue } from "./queue.ts";
import type { Place } from "./queue.ts";
import { leaseFor } from "./session-lease.ts";
import { Refused, runCall } from "./waiting-call.ts";

const missingLeader = '"leader" field must be provided';
const notLeader = "election: not leader";
const noLeader = "election: no leader";

export class ElectionService {
  readonly #host: HostApi;

  constructor(host: HostApi) {
    this.#host = host;
  }

  campaign(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(election.CampaignRequestSchema, message, sink);
    if (request === null) return;
    runCall(sink, async (gone) => {
      const calls = new KeyCalls(this.#host, identity);
      const queue = new Queue(calls, request.name);
      const lease = await leaseFor(calls, request.lease);
      const { place, header, old } = await queue.enter(lease, request.value);
      try {
        // It stands in the queue already, perhaps with another value.
        const differs = old !== null && Buffer.compare(old.value, request.value) !== 0;
        const updated = differs ? await queue.update(place, request.value) : header;
        if (updated === null) throw new Refused(notLeader);
        await queue.first(place, gone);
      } catch (error) {
        await queue.leave(place);
        throw error;
      }
      const { name } = request;
      const leader = { name, key: place.key, rev: BigInt(place.revision), lease };
      const response = create(election.CampaignResponseSchema, {
        header: headerMessage(header),
        leader: create(election.LeaderKeySchema, leader),
      });
      sink.reply(toBinary(election.CampaignResponseSchema, response));
    });
  }

  proclaim(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(election.ProclaimRequestSchema, message, sink);
    if (request === null) return;
    runCall(sink, async () => {
      const place = placeOf(request.leader);
      const header = await this.#queueOf(identity).update(place, request.value);
      if (header === null) throw new Refused(notLeader);
      const response = create(election.ProclaimResponseSchema, { header: headerMessage(header) });
      sink.reply(toBinary(election.ProclaimResponseSchema, response));
    });
  }

  /** Of a place that is gone, too, the answer is OK: whoever resigns does not lead. */
  resign(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(election.ResignRequestSchema, message, sink);
    if (request === null) return;
    runCall(sink, async () => {
      const header = await this.#queueOf(identity).leave(placeOf(request.leader));
      const response = create(election.ResignResponseSchema, { header: headerMessage(header) });
      sink.reply(toBinary(election.ResignResponseSchema, response));
    });
  }

  leader(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(election.LeaderRequestSchema, message, sink);
    if (request === null) return;
    runCall(sink, async () => {
      const { header, kv } = await this.#queueOf(identity, request.name).holder();
      if (kv === null) throw new Refused(noLeader);
      sink.reply(leaderResponse(header, header.revision, kv));
    });
  }

  /** Every leader and every value of it, from the present one on, until the caller goes away. */
  observe(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decode(election.LeaderRequestSchema, message, sink);
    if (request === null) return;
    runCall(sink, async (gone) => {
      const calls = new KeyCalls(this.#host, identity);
      const queue = new Queue(calls, request.name);
      for (;;) {
        const { header, kv } = await queue.holder();
        const present = kv ?? (await firstPut(calls, queue, header.revision, gone));
        if (present === null) continue;
        sink.write(
          leaderResponse(header, kv === null ? present.modRevision : header.revision, present),
        );
        await tellValues(calls, present, header, gone, sink);
      }
    });
  }

  #queueOf(identity: Identity, name: Uint8Array = emptyBytes): Queue {
    return new Queue(new KeyCalls(this.#host, identity), name);
  }
}

/** The first place that anybody takes; null: look again. */
async function firstPut(
  calls: KeyCalls,
  queue: Queue,
  revision: number,
  gone: AbortSignal,
): Promise<KeyValue | null> {
  let found: KeyValue | null = null;
  await orLookAgain(
    calls.watch(queue.prefix, revision, gone, ({ deleted, kv }) => {
      if (!deleted) found = kv;
      return !deleted;
    }),
  );
  return found;
}

/** What the leader proclaims, until its place is gone. */
async function tellValues(
  calls: KeyCalls,
  present: KeyValue,
  header: ResponseHeader,
  gone: AbortSignal,
  sink: GrpcSink,
): Promise<void> {
  const from = Math.max(header.revision, present.modRevision) + 1;
  const keys = { key: present.key, rangeEnd: emptyBytes };
  await orLookAgain(
    calls.watch(keys, from, gone, ({ deleted, kv }) => {
      if (!deleted) sink.write(leaderResponse(header, kv.modRevision, kv));
      return deleted;
    }),
  );
}

async function orLookAgain(watching: Promise<void>): Promise<void> {
  try {
    await watching;
  } catch (error) {
    if (!(error instanceof HistoryGone)) throw error;
  }
}

function placeOf(leader: election.LeaderKey | undefined): Place {
  if (leader === undefined) throw new Refused(missingLeader);
  return { key: leader.key, revision: Number(leader.rev), lease: leader.lease };
}

function leaderResponse(header: ResponseHeader, revision: number, kv: KeyValue): Uint8Array {
  const response = create(election.LeaderResponseSchema, {
    header: headerMessage(header, revision),
    kv: create(mvcc.KeyValueSchema, {
      key: kv.key,
      createRevision: BigInt(kv.createRevision),
      modRevision: BigInt(kv.modRevision),
      version: BigInt(kv.version),
      value: kv.value,
      lease: BigInt.asIntN(64, (BigInt(kv.leaseHigh) << 32n) | BigInt(kv.leaseLow)),
    }),
  });
  return toBinary(election.LeaderResponseSchema, response);
}
