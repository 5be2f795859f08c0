// `quorate recover collect`: what is left of a cluster, one line a directory.
import { table } from "@quorate/base";
import { byNewest, isSurvivor, quorumOf, type Survivor } from "@quorate/host";
import { exitCodes } from "../exit.ts";
import { parseDirectory, readDirectory } from "./read-directories.ts";

export function collect(directories: readonly string[]): void {
  const lines = [["MEMBER", "TERM", "COMMIT", "LAST ENTRY", "ROLE", "DIRECTORY"]];
  const problems: string[] = [];
  const survivors: Survivor[] = [];
  for (const given of directories.map(parseDirectory)) {
    const read = readDirectory(given);
    if (isSurvivor(read)) {
      survivors.push(read);
      lines.push(lineOf(read));
    } else {
      problems.push(read.reason);
    }
  }
  process.stdout.write(`${table(lines)}\n`);
  for (const line of membersOf(survivors)) process.stdout.write(`${line}\n`);
  for (const problem of problems) process.stdout.write(`! ${problem}\n`);
  if (problems.length > 0) process.exitCode = exitCodes.failed;
}

function lineOf(survivor: Survivor): string[] {
  const { name, memberId, term, commit, lastIndex, lastTerm, isVoter, inspected } = survivor;
  return [
    name || memberId,
    String(term),
    String(commit),
    `${lastIndex} of term ${lastTerm}`,
    isVoter ? "voter" : "learner",
    inspected.directory,
  ];
}

/** As the one with the newest log knows them. */
function membersOf(survivors: readonly Survivor[]): string[] {
  const newest = survivors.toSorted(byNewest)[0];
  if (newest === undefined) return [];
  const { membership, clusterId } = newest;
  const { voters } = membership.confState;
  const here = new Set(survivors.map(({ raftId }) => raftId));
  const missing = membership.members.filter(({ raftId }) => !here.has(raftId));
  const lines = [
    "",
    `Cluster ${clusterId}: ${voters.length} voters, a quorum is ${quorumOf(voters.length)}.`,
  ];
  for (const { name, memberId, peerUrls } of missing) {
    lines.push(`Not given: ${name || memberId} (${peerUrls.join(", ")})`);
  }
  return lines;
}
