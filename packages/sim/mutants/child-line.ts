// What a child says of one run, and how long one may take.
import type { RunFailure } from "./hunt-run.ts";

export type ChildLine = { readonly ok: true } | ({ readonly ok: false } & RunFailure);

/** A run takes seconds of the processor; one that takes so many goes round in circles. */
export const cpuSecondsMax = 120;
