// The releases of etcd that clients can tell apart, from the version that this member says it is
// (--compat-version): what differs for them is chosen by this.

export const Release = { V34: 34, V35: 35, V36: 36 } as const;
export type Release = (typeof Release)[keyof typeof Release];

/** Of "3.4.23", say. Later ones behave as 3.6 does. */
export function releaseOf(etcdVersion: string): Release {
  const minor = Number(etcdVersion.split(".")[1]);
  if (minor >= 6) return Release.V36;
  return minor === 5 ? Release.V35 : Release.V34;
}
