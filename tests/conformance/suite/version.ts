// Versions of etcd's API, as far as cases tell them apart.

/** As "3.5". */
export type Version = `3.${number}`;

/** Whether a server of this version, as "3.5.21", has what came with the other. */
export function speaks(version: string, since: Version): boolean {
  const minor = (text: string): number => Number(text.split(".")[1] ?? 0);
  return minor(version) >= minor(since);
}
