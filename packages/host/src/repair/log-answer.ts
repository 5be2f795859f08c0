// What a member answers a peer that has lost entries of its log: from its own log, when that holds the
// entry before them and one behind them that the asker held. Then, by Log Matching (Raft §5.3), those
// between are the very ones that the asker had.
import type { RaftApi } from "@quorate/raft";
import { LogOutcome } from "../peers/log-codec.ts";
import type { LogAnswer, LogAsk } from "../peers/log-codec.ts";

/** Of one answer; one entry may be more. */
const answerBytesMax = 4_194_304;

export function answerLogAsk(
  raft: Pick<RaftApi, "termAt" | "entries" | "status">,
  ask: LogAsk,
): Omit<LogAnswer, "toSession"> {
  const { number, beforeIndex, upToIndex } = ask;
  if (beforeIndex + 1 < raft.status().firstIndex) {
    return { number, outcome: LogOutcome.Compacted, entries: [] };
  }
  const isMine =
    raft.termAt(beforeIndex) === ask.beforeTerm && raft.termAt(upToIndex) === ask.upToTerm;
  if (!isMine) return { number, outcome: LogOutcome.NotMine, entries: [] };
  const entries = raft.entries(beforeIndex + 1, upToIndex, answerBytesMax);
  return { number, outcome: LogOutcome.Have, entries };
}
