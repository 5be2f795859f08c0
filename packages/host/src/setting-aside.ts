// What a member does about a directory that cannot know what it has promised (reliability.md §3.6):
// with peers it sets the directory aside and begins anew, as a guest that rejoins (P3, ADR 12); alone
// it stops, because nobody could give it back what it lost.
import { finishSettingAside, ownerNow, setAside } from "@quorate/storage";
import type { Env, LastKnown, Refusal } from "@quorate/storage";
import { decodeGenesisRecord } from "./genesis/genesis-record.ts";
import type { HostConfig } from "./host-api.ts";
import { MembershipTable } from "./members/membership-table.ts";

type Place = Pick<HostConfig, "directory" | "walDirectory" | "members">;

/** Before anything else looks at the directory; a start goes on where an interrupted one ended. */
export function finishFirst(env: Env, { directory, walDirectory }: Place, done: () => void): void {
  finishSettingAside(env, { directory, walDirectory }, (refused) => {
    if (refused === null) done();
    else env.fatal(refused.exitCode, refused.reason);
  });
}

/** Ends the process in any case; nothing of it may speak any more. */
export function setAsideOrEnd(env: Env, config: Place, refusal: Refusal): void {
  const { directory, walDirectory } = config;
  const { exitCode, reason, rejoins } = refusal;
  if (rejoins === undefined || rejoins === null) return env.fatal(exitCode, reason);
  if (!hasPeers(env, config, rejoins)) {
    const advice =
      "it is the only member, so nobody can help it: restore a backup, or see `quorate recover`";
    return env.fatal(exitCode, `${reason}; ${advice}`);
  }
  setAside(env, { directory, walDirectory, reason }, (refused) => {
    if (refused !== null) env.fatal(refused.exitCode, `${reason}; ${refused.reason}`);
    env.restart(`${reason}; its files are set aside, and it rejoins under another raft id`);
  });
}

/**
 * As far as is known: by the table of members, which tells of all that came and went; without one by
 * the founders, by how the process was started, and by who has ever spoken to it.
 */
function hasPeers(env: Env, config: Place, { tables, peers }: LastKnown): boolean {
  const table = new MembershipTable();
  const section = tables.find(({ name }) => name === table.name);
  if (section !== undefined && table.restore(section.bytes)) return table.members.length > 1;
  const genesis = ownerNow(env, config.directory)?.genesis;
  const founders = genesis === undefined ? null : decodeGenesisRecord(genesis);
  return peers > 0 || config.members.length > 1 || (founders?.members.length ?? 0) > 1;
}
