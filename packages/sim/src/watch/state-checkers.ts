// The checkers of what members are and promise (reliability.md §2.1), one of each for a whole run.
import { raftDefaults } from "@quorate/raft";
import { AppliedOnce } from "../checkers/applied-once.ts";
import { CommitRule } from "../checkers/commit-rule.ts";
import { CommittedLog } from "../checkers/committed-log.ts";
import { ConfigurationLaw } from "../checkers/configuration-law.ts";
import { DigestEquality } from "../checkers/digest-equality.ts";
import { DurableBeforeAck } from "../checkers/durable-before-ack.ts";
import { ElectionSafety } from "../checkers/election-safety.ts";
import { FrontierOrder } from "../checkers/frontiers.ts";
import { LeaderAppendOnly } from "../checkers/leader-append-only.ts";
import { LeaderCompleteness } from "../checkers/leader-completeness.ts";
import { LogMatching } from "../checkers/log-matching.ts";
import { OneGenesis } from "../checkers/one-genesis.ts";
import { OneVote } from "../checkers/one-vote.ts";
import { RaftIds } from "../checkers/raft-ids.ts";
import { SessionIsolation } from "../checkers/session-isolation.ts";
import { VoteQuorum } from "../checkers/vote-quorum.ts";
import { WastedWork } from "../checkers/wasted-work.ts";

/** What a leader may send a follower in vain: a whole window, and probes while nothing comes through. */
const wastedBytesMax = raftDefaults.inflightBytesMax;

export class StateCheckers {
  readonly committed: CommittedLog;
  readonly elections: ElectionSafety;
  readonly logs: LogMatching;
  readonly completeness: LeaderCompleteness;
  readonly frontiers: FrontierOrder;
  readonly digests: DigestEquality;
  /** Members whose state the world has changed behind their backs, until they have another one. */
  readonly twisted: Set<string>;
  readonly genesis: OneGenesis;
  readonly durable: DurableBeforeAck;
  readonly appendOnly: LeaderAppendOnly;
  readonly votes: OneVote;
  readonly voteQuorum: VoteQuorum;
  readonly commits: CommitRule;
  readonly sessions: SessionIsolation;
  readonly configurations: ConfigurationLaw;
  readonly raftIds: RaftIds;
  readonly appliedOnce: AppliedOnce;
  readonly wastedWork: WastedWork;

  constructor() {
    this.committed = new CommittedLog();
    this.elections = new ElectionSafety();
    this.logs = new LogMatching();
    this.completeness = new LeaderCompleteness(this.committed);
    this.frontiers = new FrontierOrder();
    this.digests = new DigestEquality();
    this.twisted = new Set();
    this.genesis = new OneGenesis();
    this.durable = new DurableBeforeAck();
    this.appendOnly = new LeaderAppendOnly();
    this.votes = new OneVote();
    this.voteQuorum = new VoteQuorum();
    this.commits = new CommitRule();
    this.sessions = new SessionIsolation();
    this.configurations = new ConfigurationLaw();
    this.raftIds = new RaftIds();
    this.appliedOnce = new AppliedOnce();
    this.wastedWork = new WastedWork(wastedBytesMax);
  }
}
