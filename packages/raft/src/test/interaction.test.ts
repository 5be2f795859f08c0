// Transcripts of whole exchanges between members, one story per file in ../testdata. Each file says
// in its head which rule it shows.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runTranscript } from "./transcript.ts";

const folder = join(import.meta.dirname, "..", "testdata");

for (const file of readdirSync(folder).toSorted()) {
  test(`transcript ${file}`, () => {
    const { actual, expected } = runTranscript(join(folder, file));
    assert.equal(actual, expected);
  });
}
