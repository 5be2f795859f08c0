// What the tests of one client of etcd consist of, so that all clients share the clusters they are
// tried on. A suite knows addresses and nothing of whose servers are behind them.

export type Cluster = readonly string[];

export interface ClientSuite {
  readonly name: string;
  /** Why it cannot be run here; null: it can. */
  readonly missing: string | null;
  /** What it can do by what it is; all at the same time, so each has keys of its own. */
  readonly cases: Readonly<Record<string, (cluster: Cluster) => Promise<void>>>;
  /** What everybody notices: compactions, alarms. Runs while no other suite does. */
  readonly alone: (cluster: Cluster) => Promise<void>;
  /**
   * Begins what must outlive a member; what it gives back is called once `doomed` is dead, and shows
   * that nothing was lost.
   */
  readonly outlives: (cluster: Cluster, doomed: string) => Promise<() => Promise<void>>;
  /** While authentication is on, and `accounts` are all there are; null: it logs in by TLS alone. */
  readonly auth: ((cluster: Cluster) => Promise<void>) | null;
  /** With a certificate for a server that asks for one, and without. */
  readonly tls: (secure: SecureServer) => Promise<void>;
  /** There, too, while authentication is on. */
  readonly authByTls: (secure: SecureServer) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface SecureServer {
  /** "127.0.0.1:port". */
  readonly address: string;
  /** Files in PEM: who has signed the server's certificate, and the client's own. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}
