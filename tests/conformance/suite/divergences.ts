// The divergences that the suite expects: the rows of docs/DIVERGENCE.md whose first cell ends with an
// id such as `X-unknown-sort`. A difference that has no row there fails.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Divergence {
  readonly id: string;
  readonly what: string;
  readonly etcd: string;
  readonly quorate: string;
  readonly why: string;
}

const page = join(import.meta.dirname, "../../../docs/DIVERGENCE.md");
const row = /^\|(?<what>.*?) `(?<id>X-[a-z0-9-]+)` \|(?<etcd>.*?)\|(?<quorate>.*?)\|(?<why>.*)\|$/;

export function readDivergences(): ReadonlyMap<string, Divergence> {
  const found = new Map<string, Divergence>();
  for (const line of readFileSync(page, "utf8").split("\n")) {
    const cells = row.exec(line)?.groups;
    if (cells === undefined) continue;
    const { id = "", what = "", etcd = "", quorate = "", why = "" } = cells;
    if (found.has(id)) throw new Error(`docs/DIVERGENCE.md has ${id} twice`);
    const trimmed = [what, etcd, quorate, why].map((cell) => cell.trim()) as Four;
    found.set(id, {
      id,
      what: trimmed[0],
      etcd: trimmed[1],
      quorate: trimmed[2],
      why: trimmed[3],
    });
  }
  return found;
}

type Four = [string, string, string, string];
