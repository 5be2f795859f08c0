// Marks that only damage passes (reliability.md §3.3): a row of the table each. At these no process
// needs to crash, since none goes on from them.

/** A long run passes each of them. */
export const damageMarks: readonly string[] = [3, 4, 5, 6, 7, 8, 9, 10, 11].map(
  (row) => `wal.recover.row${row}`,
);

/** A bug of the software, a newer binary's directory: no damage leads there. */
export const unreachableMarks: readonly string[] = [
  "wal.recover.row0",
  "wal.recover.row12",
  "wal.recover.row14",
];
