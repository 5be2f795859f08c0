// What a child says of one run.
import type { RunFailure } from "./hunt.ts";

export type ChildLine = { readonly ok: true } | ({ readonly ok: false } & RunFailure);
