// What a simulated network does to traffic. Mutable: nemeses turn these while a run goes on, for the
// whole network here, for single ways in way.ts.

/**
 * What may happen to one send, with what chance each. TCP itself does none of the first three: they
 * stand for what the contract of Link allows (single sends vanish or repeat, storage/env.ts), which
 * is harsher than any real path, so whoever survives this survives proxies that buffer and resend.
 */
export interface SendChances {
  /** It is lost; its link lives on. */
  lossChance: number;
  /** It arrives a second time, up to `duplicateDelayMaxUs` later, out of order. */
  duplicateChance: number;
  /** It and what follows on its link come up to `lateMaxUs` later: other links overtake it. */
  lateChance: number;
  /** TCP's 16-bit sum misses one damaged segment in 65,536, and a box that rewrites segments damages
   * them with a right sum: up to three bits of the send are flipped. */
  flipChance: number;
  /** A part of it arrives, cut anywhere, then both sides hear of a reset. */
  resetChance: number;
  /** Its direction of its link stands still for up to `clogMaxUs`; nothing is lost, no end is told. */
  clogChance: number;
}

export const noChances: Readonly<SendChances> = {
  lossChance: 0,
  duplicateChance: 0,
  lateChance: 0,
  flipChance: 0,
  resetChance: 0,
  clogChance: 0,
};

export interface NetworkOptions extends SendChances {
  delayMinUs: number;
  delayMaxUs: number;
  duplicateDelayMaxUs: number;
  lateMaxUs: number;
  clogMaxUs: number;
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
  /**
   * Above 0, links are TCP's own: a lost send comes again after this, doubled as often as it is lost
   * anew, and what a cut has stalled goes out when its doubled timer is due after the heal, with
   * everything later behind it (RFC 6298; SRTT + max(200 ms, 4 RTTVAR)). 0: as said above.
   */
  rtoUs: number;
}

export const networkDefaults: Readonly<NetworkOptions> = {
  ...noChances,
  delayMinUs: 100,
  delayMaxUs: 2_000,
  duplicateDelayMaxUs: 0,
  lateMaxUs: 0,
  clogMaxUs: 0,
  tailChance: 0,
  windowBytes: 262_144,
  queueBytesMax: 67_108_864,
  dialRetryUs: 500_000,
  connectTimeoutUs: 3_000_000,
  linkTimeoutUs: 20_000_000,
  retransmitMaxUs: 200_000,
  rtoUs: 0,
};
