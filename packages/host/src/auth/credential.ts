// What a call brings along to say who asks, as far as it can be checked without the state.
import type { Identity, TokenHash } from "@quorate/kv";

export const CredentialKind = {
  /** Said to be a token that this cluster gave out. */
  Token: 1,
  /** A user, and the auth revision under which that was found out: signed by whoever may sign. */
  Signed: 2,
  /** A user's name, vouched for by the connection itself. */
  Name: 3,
} as const;
export type CredentialKind = (typeof CredentialKind)[keyof typeof CredentialKind];

export type Credential =
  | { readonly kind: typeof CredentialKind.Token; readonly hash: TokenHash }
  | { readonly kind: typeof CredentialKind.Signed; readonly identity: Identity }
  | { readonly kind: typeof CredentialKind.Name; readonly user: string };

/** What a caller must be, while authentication is on. */
export const Need = {
  /** A user; what it may do is decided where it is done. */
  User: 1,
  /** Has the root role, as all members know it. */
  Admin: 2,
  /** The same; where no leader can be asked, as this member knows it: of what needs no leader either. */
  AdminHere: 3,
} as const;
export type Need = (typeof Need)[keyof typeof Need];
