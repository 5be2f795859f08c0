// What a simulated network does to traffic. Mutable: nemeses turn these while a run goes on.

export interface NetworkOptions {
  delayMinUs: number;
  delayMaxUs: number;
  /** Chance that one send is lost; its link lives on. */
  lossChance: number;
  /** Chance that one send arrives a second time, up to `duplicateDelayMaxUs` later, out of order. */
  duplicateChance: number;
  duplicateDelayMaxUs: number;
  /** Chance that a send takes ten times as long. */
  tailChance: number;
  /** Bytes on the way to the peer and not acknowledged: what the system takes of a link's queue. */
  windowBytes: number;
  /** Bytes waiting behind the window before `send` says no. */
  queueBytesMax: number;
  /** A dial that gets no answer is tried anew after this (TCP's SYN). */
  dialRetryUs: number;
  connectTimeoutUs: number;
  /** A link whose sends are not acknowledged for this long ends. */
  linkTimeoutUs: number;
  /** After a heal, what was stalled goes out again within this (TCP's backed-off timers). */
  retransmitMaxUs: number;
}

export const networkDefaults: Readonly<NetworkOptions> = {
  delayMinUs: 100,
  delayMaxUs: 2_000,
  lossChance: 0,
  duplicateChance: 0,
  duplicateDelayMaxUs: 0,
  tailChance: 0,
  windowBytes: 262_144,
  queueBytesMax: 67_108_864,
  dialRetryUs: 500_000,
  connectTimeoutUs: 3_000_000,
  linkTimeoutUs: 20_000_000,
  retransmitMaxUs: 200_000,
};
