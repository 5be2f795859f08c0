// Who asked for an entry of the state machine, as its payload says: read by rules of its own, as the twin
// has them, not by those of `kv`.
import { ByteReader } from "@quorate/base";
import { Identity, nobody } from "@quorate/kv";
import { demand } from "../checkers/violation.ts";

export interface ReadEnvelope {
  readonly identity: Identity;
  /** Where the request begins in the payload. */
  readonly at: number;
}

/** A user's name, the auth revision by which it was found out, and then the request. */
export function readEnvelope(payload: Uint8Array): ReadEnvelope {
  const reader = new ByteReader(payload);
  const user = reader.text();
  const revision = reader.varint();
  demand(reader.ok, "committed entries", () => "an entry without an envelope");
  const identity = user === "" && revision === 0 ? nobody : new Identity(user, revision);
  return { identity, at: reader.position };
}
