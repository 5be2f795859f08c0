// What `quorate inspect` says of each part of a directory: the lines of a terminal of 80 columns, and
// the same as JSON.
import { table } from "@quorate/base";
import type {
  Finding,
  InspectedCheckpoint,
  InspectedDirectory,
  InspectedRows,
  InspectedWal,
} from "@quorate/storage";

export interface Report {
  readonly text: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
  readonly findings: readonly Finding[];
  /** Lines that say what to do. */
  readonly advice: readonly string[];
}

type LogFound = NonNullable<InspectedWal["log"]>;

export function walReport(inspected: InspectedDirectory, wal: InspectedWal): Report {
  const { segments, batches, unreadableBlocks, last, durableSeq, log, damage, row } = wal;
  const head = ["SEGMENT", "BYTES", "BATCHES", "STATE"];
  const rows = segments.map(({ name, bytes, named, problem, firstSeq, lastSeq }) => [
    name,
    String(bytes),
    firstSeq === 0 ? "-" : `${firstSeq}-${lastSeq}`,
    problem !== "" ? problem : named ? "good" : "not yet named",
  ]);
  const text = [...directoryLines(inspected), table([head, ...rows]), ""];
  text.push(`batches     ${batches} found, the good log ends with ${last?.seq ?? "none"}`);
  text.push(`durable     up to batch ${durableSeq}`);
  if (log !== null) {
    const { term, vote, commit } = log.hardState;
    text.push(
      `entries     ${log.startIndex + 1} to ${log.lastIndex}, the last of term ${log.lastTerm}`,
    );
    if (log.missing > 0) text.push(`lost        ${log.missing} of them`);
    text.push(`hard state  term ${term}, vote ${vote === 0 ? "none" : vote}, commit ${commit}`);
  }
  if (unreadableBlocks > 0) text.push(`unreadable  ${unreadableBlocks} blocks`);
  text.push(`verdict     ${damage.class === "clean" ? "clean" : `${damage.class} (row ${row})`}`);
  const json = {
    ...directoryJson(inspected),
    segments,
    batches,
    unreadableBlocks,
    durableSeq,
    lastBatch: last?.seq ?? null,
    log: log === null ? null : logJson(log),
    class: damage.class,
    where: damage.where,
    row,
  };
  const findings = wal.finding === null ? [] : [wal.finding];
  return { text, json, findings, advice: wal.advice === "" ? [] : [`  ${wal.advice}`] };
}

function logJson({ hardState, startIndex, lastIndex, lastTerm, missing }: LogFound): object {
  const { term, vote, commit } = hardState;
  return { term, vote, commit, firstIndex: startIndex + 1, lastIndex, lastTerm, missing };
}

export function rowsReport(
  inspected: InspectedDirectory,
  segments: readonly InspectedRows[],
): Report {
  const head = ["SEGMENT", "BYTES", "ROWS", "REVISIONS", "STATE"];
  const rows = segments.map(({ entry, rows: count, firstMain, lastMain, finding }) => [
    entry.name,
    String(entry.bytes),
    String(count),
    count === 0 ? "-" : `${firstMain}-${lastMain}`,
    finding !== null ? "damaged" : entry.sealed ? "sealed" : "growing",
  ]);
  const total = segments.reduce((sum, segment) => sum + segment.rows, 0);
  const text = [
    ...directoryLines(inspected),
    table([head, ...rows]),
    "",
    rowsLine(inspected, total),
  ];
  const json = {
    ...directoryJson(inspected),
    rows: total,
    segments: segments.map(({ entry, rows: count, firstMain, lastMain, finding }) => ({
      ...entry,
      rows: count,
      firstRevision: firstMain,
      lastRevision: lastMain,
      problem: finding?.what ?? null,
    })),
  };
  const findings = segments.flatMap(({ finding }) => (finding === null ? [] : [finding]));
  return { text, json, findings, advice: findings.length === 0 ? [] : [`  ${damagedAdvice}`] };
}

function rowsLine({ manifest }: InspectedDirectory, total: number): string {
  const { checkpoint } = manifest;
  if (checkpoint === null) return "rows        no checkpoint yet: all writes stand in the log only";
  return `rows        ${total}, up to entry ${checkpoint.index}; later writes stand in the log only`;
}

export function checkpointReport(
  inspected: InspectedDirectory,
  { tables, finding }: InspectedCheckpoint,
): Report {
  const { manifest } = inspected;
  const { checkpoint, generation, rowSegments } = manifest;
  const text = [...directoryLines(inspected), `manifest    generation ${generation}`];
  if (checkpoint === null) {
    text.push("checkpoint  none yet");
  } else {
    const { id, index, term, tablesName, durableSeq } = checkpoint;
    text.push(
      `checkpoint  ${id}: entry ${index} of term ${term}, log durable to batch ${durableSeq}`,
    );
    text.push(`tables      ${tablesName}, ${checkpoint.tablesBytes} bytes`);
  }
  text.push(`rows        ${rowSegments.length} segments`);
  if (tables !== null) {
    const rows = tables.info.tables.map(({ name, bytes }) => [name, String(bytes.length)]);
    text.push("", table([["TABLE", "BYTES"], ...rows]));
    const peers = tables.peers.map(({ raftId, bootCount }) => [String(raftId), String(bootCount)]);
    if (peers.length > 0) text.push("", table([["PEER (RAFT ID)", "START"], ...peers]));
  }
  const json = {
    ...directoryJson(inspected),
    manifest,
    tables: tables?.info.tables.map(({ name, bytes }) => ({ name, bytes: bytes.length })) ?? null,
    peers: tables?.peers ?? null,
  };
  const findings = finding === null ? [] : [finding];
  return { text, json, findings, advice: findings.length === 0 ? [] : [`  ${damagedAdvice}`] };
}

const damagedAdvice =
  "keep the directory; bring this member back with an empty one, so that the others replace it";

function directoryLines({ identity, leftovers, strangers }: InspectedDirectory): string[] {
  const { clusterId, memberId, raftId, bootCount, regressed } = identity;
  const lines = [`cluster     ${clusterId}, member ${memberId}, raft id ${raftId}`];
  lines.push(
    `starts      ${bootCount}${regressed ? ", REGRESSED: an older copy, serves no more" : ""}`,
  );
  if (leftovers.length > 0) lines.push(`left over   ${leftovers.join(" ")}`);
  if (strangers.length > 0) lines.push(`unknown     ${strangers.join(" ")}`);
  return [...lines, ""];
}

function directoryJson({ identity, leftovers, strangers }: InspectedDirectory): object {
  const { clusterId, memberId, raftId, bootCount, regressed } = identity;
  return { clusterId, memberId, raftId, starts: bootCount, regressed, leftovers, strangers };
}
