// The way from one machine to another, one direction: what is particular about it. Added to what the
// network does to all traffic.
import { noChances, type SendChances } from "./network-options.ts";

export class Way {
  /** All traffic on it takes this many times as long. */
  slowFactor: number;
  /** Distance: added to every delay. */
  addedMinUs: number;
  addedMaxUs: number;
  readonly chances: SendChances;

  constructor() {
    this.slowFactor = 1;
    this.addedMinUs = 0;
    this.addedMaxUs = 0;
    this.chances = { ...noChances };
  }

  mend(): void {
    this.addedMinUs = 0;
    this.addedMaxUs = 0;
    this.mendTrouble();
  }

  /** Whole again; its length stays. */
  mendTrouble(): void {
    this.slowFactor = 1;
    Object.assign(this.chances, noChances);
  }
}
