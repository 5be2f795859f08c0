/** By how late this process is, of its election timeout (load.ts). */
export const LoadLevel = {
  None: 0,
  /** A tenth: heartbeats are late. */
  Late: 1,
  /** A quarter. */
  VeryLate: 2,
  /** Half of it: leadership is in danger. */
  Overloaded: 3,
} as const;
export type LoadLevel = (typeof LoadLevel)[keyof typeof LoadLevel];
