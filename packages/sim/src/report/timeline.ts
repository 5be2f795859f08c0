// The story of a run that failed, as a timeline for people: what the world did to the cluster and
// what members said, newest last, in columns of fixed width.
import { type TraceLine, TraceLevel } from "../trace-log.ts";

const linesMax = 40;
const widthMax = 118;
const sourceWidth = 9;

/** `lines`: the newest of a run, oldest first. */
export function timeline(lines: readonly TraceLine[]): string[] {
  const told = lines.filter(isPartOfStory);
  const events = told.filter((line) => !isSmallTalk(line));
  const shown = (events.length < linesMax ? told : events).slice(-linesMax);
  return [`${"ms".padStart(12)} │ ${"who".padEnd(sourceWidth)} │ what`, ...shown.map(formatLine)];
}

function isPartOfStory({ level }: TraceLine): boolean {
  return level > TraceLevel.Debug;
}

/** What every start and every heal brings: left out where there is more to tell. */
function isSmallTalk({ text }: TraceLine): boolean {
  return text.startsWith("peer ") || text.startsWith("all voters answered");
}

function formatLine({ atUs, source, text }: TraceLine): string {
  const at = (atUs / 1000).toFixed(3).padStart(12);
  const line = `${at} │ ${source.padEnd(sourceWidth)} │ ${text}`;
  return line.length <= widthMax ? line : `${line.slice(0, widthMax - 1)}…`;
}
