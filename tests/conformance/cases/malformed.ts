// What every service must do with bytes that are no message: refuse, write nothing, go on. Generated
// from a fixed seed, so that a failure names a case that comes again.
import { deepEqual, equal, match } from "node:assert/strict";
import type { DescField, DescMethod } from "@bufbuild/protobuf";
import { Prng } from "@quorate/base";
import { etcd } from "@quorate/proto";
import { malformedMessage } from "../suite/bad-messages.ts";
import type { Case } from "../suite/case.ts";
import type { Trial } from "../suite/trial.ts";
import { answerTimeoutMs, pathOf } from "../wire/wire-client.ts";
import { framed } from "../wire/wire-call.ts";
import type { CallEnd } from "../wire/wire-call.ts";

const perMethod = 120;
const atATime = 40;

/** One message to a path, as it is. */
export async function sendRaw(trial: Trial, path: string, message: Uint8Array): Promise<CallEnd> {
  const call = trial.wire.raw(path);
  call.write(framed(message));
  call.halfClose();
  return call.ended(answerTimeoutMs);
}

/** What a write would change: revision, rows, members, alarms. */
export async function stateOf(trial: Trial): Promise<unknown> {
  const { header, hash } = await trial.ok(etcd.Maintenance.method.hashKV, {});
  const { members } = await trial.ok(etcd.Cluster.method.memberList, {});
  const { errors } = await trial.ok(etcd.Maintenance.method.status, {});
  return [header!.revision, hash, members, errors];
}

/** From 3.5 on: an older server skips it, whatever it holds. */
function isNew({ name }: DescField): boolean {
  return ["linearizable", "hashedPassword"].includes(name);
}

export function malformedCase(service: string, methods: readonly DescMethod[]): Case {
  return {
    rule: "E-BAD",
    name: `${perMethod} malformed messages to each method of ${service}`,
    run: async (trial) => {
      await trial.put("before");
      const before = await stateOf(trial);
      for (const method of methods) {
        const random = new Prng(`malformed ${pathOf(method)}`);
        const messages = Array.from({ length: perMethod }, () =>
          malformedMessage(random, method.input, (field) => trial.speaks("3.5") || !isNew(field)),
        );
        for (let from = 0; from < messages.length; from += atATime) {
          const some = messages.slice(from, from + atATime);
          const sent = some.map(({ bytes }) => sendRaw(trial, pathOf(method), bytes));
          for (const [at, { code, text }] of (await Promise.all(sent)).entries()) {
            const { why, bytes } = some[at]!;
            equal(
              code,
              13,
              `${method.name}: ${why}: ${Buffer.from(bytes).toString("hex")}: ${text}`,
            );
            match(text, /^grpc: /);
          }
        }
      }
      deepEqual(await stateOf(trial), before);
    },
  };
}
