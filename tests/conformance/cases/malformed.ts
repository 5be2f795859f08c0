// What every method must do with bytes that are no message: refuse, write nothing, go on. Generated
// from a fixed seed, so that a failure names a case that comes again.
import { equal, match } from "node:assert/strict";
import type { DescField, DescMethod, DescService } from "@bufbuild/protobuf";
import { Prng } from "@quorate/base";
import { etcd, etcdServices, health } from "@quorate/proto";
import { countBad, nothingWritten } from "../suite/bad-input.ts";
import type { BadKind } from "../suite/bad-input.ts";
import { malformedMessage } from "../suite/made-messages.ts";
import type { Case } from "../suite/case.ts";
import type { Trial } from "../suite/trial.ts";
import type { Version } from "../suite/version.ts";
import { answerTimeoutMs, pathOf } from "../wire/wire-client.ts";
import { framed } from "../wire/wire-call.ts";
import type { CallEnd } from "../wire/wire-call.ts";

const perMethod = 60;

/** So many at a time, in order; what came back, in order. */
export async function together<Item, Result>(
  items: readonly Item[],
  send: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const atATime = 40;
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += atATime) {
    results.push(...(await Promise.all(items.slice(from, from + atATime).map(send))));
  }
  return results;
}

/** One message to a path, as it is. */
export async function sendRaw(trial: Trial, path: string, message: Uint8Array): Promise<CallEnd> {
  const call = trial.wire.raw(path);
  call.write(framed(message));
  call.halfClose();
  return call.ended(answerTimeoutMs);
}

/** The same, counted as what it is. */
export function sendBad(
  trial: Trial,
  kind: BadKind,
  path: string,
  message: Uint8Array,
): Promise<CallEnd> {
  countBad(trial, "gRPC", kind);
  return sendRaw(trial, path, message);
}

/** From 3.5 on: an older server skips it, whatever it holds. */
function isNew({ name }: DescField): boolean {
  return ["linearizable", "hashedPassword"].includes(name);
}

function malformedCase(service: DescService): Case {
  return {
    rule: "E-BAD",
    name: `${perMethod} malformed messages to each method of ${service.name}`,
    run: (trial) =>
      nothingWritten(trial, async () => {
        for (const method of service.methods) {
          const since = newer[pathOf(method)];
          if (since === undefined || trial.speaks(since)) await tell(trial, method);
        }
      }),
  };
}

async function tell(trial: Trial, method: DescMethod): Promise<void> {
  const random = new Prng(`malformed ${pathOf(method)}`);
  // etcd's health is of another library, which passes over a field whose type is not its own.
  const isLax = method.parent === health.Health;
  const knows = (field: DescField): boolean => !isLax && (trial.speaks("3.5") || !isNew(field));
  const messages = Array.from({ length: perMethod }, () =>
    malformedMessage(random, method.input, knows),
  );
  const ends = await together(messages, ({ bytes }) =>
    sendBad(trial, "malformed protobuf", pathOf(method), bytes),
  );
  for (const [at, { code, text }] of ends.entries()) {
    const { why, bytes } = messages[at]!;
    equal(code, 13, `${method.name}: ${why}: ${Buffer.from(bytes).toString("hex")}: ${text}`);
    match(text, /^grpc: /);
  }
}

/** Older servers do not have them, whatever is said to them. */
const newer: Readonly<Record<string, Version>> = {
  [pathOf(etcd.Auth.method.authStatus)]: "3.5",
  [pathOf(etcd.Maintenance.method.downgrade)]: "3.5",
  [pathOf(etcd.KV.method.rangeStream)]: "3.7",
};

export const malformedCases: readonly Case[] = etcdServices.map(malformedCase);
