/** Entry kinds of the host itself; the state machine's end below. On disk: never reuse. */
export const HostEntryKind = {
  /** A member's own name and client URLs (etcd's "publish"). */
  Attributes: 64,
  /** Changes of member records that leave the configuration as it is. */
  Members: 65,
  /** Never in the log: a request to change the members, forwarded to the leader (member-request.ts). */
  MemberRequest: 66,
  /** The end of a recovery after the loss of a quorum (recover/recovered-entry.ts). */
  Recovered: 67,
} as const;
