// What a call carries to say who asks: a token in its metadata, before that the common name of the
// client's certificate. Tokens are hashed here; nothing behind this file sees one.
import { createHash } from "node:crypto";
import type { GrpcSink } from "@quorate/grpc";
import { CredentialKind } from "@quorate/host";
import type { Credential } from "@quorate/host";
import type { JsonWebTokens } from "./jwt.ts";

/** Never a token's hash. */
const noToken: Credential = { kind: CredentialKind.Token, hash: "" };

/**
 * etcd's clients send the one, HTTP's the other, and some with a scheme in front. Python's sends its token
 * twice, which arrives as one value with a comma: the first is meant, as in etcd. No token has a comma.
 */
export function tokenOf({ metadata }: Pick<GrpcSink, "metadata">): string | null {
  const value = metadata["token"] ?? metadata["authorization"];
  if (value === undefined) return null;
  const text = Array.isArray(value) ? (value[0] ?? "") : value;
  return text.split(",", 1)[0]!.replace(/^Bearer +/i, "");
}

/**
 * SHA-256, 32 chars of latin1. A table of hashes is looked up without comparing in constant time: whoever
 * measures learns of hashes, and needs the 128 random bits before them.
 */
export function hashOfToken(token: string): string {
  return createHash("sha256").update(token, "utf8").digest().toString("latin1");
}

export class Credentials {
  /** Null: tokens are simple ones. */
  readonly #signed: JsonWebTokens | null;

  constructor(signed: JsonWebTokens | null) {
    this.#signed = signed;
  }

  /** Null: the call brings nothing. */
  of(sink: GrpcSink): Credential | null {
    const token = tokenOf(sink);
    if (token === null) {
      const { commonName } = sink.peer;
      return commonName === null ? null : { kind: CredentialKind.Name, user: commonName };
    }
    if (this.#signed === null) return { kind: CredentialKind.Token, hash: hashOfToken(token) };
    const identity = this.#signed.identityOf(token, Date.now() / 1000);
    return identity === null ? noToken : { kind: CredentialKind.Signed, identity };
  }
}
