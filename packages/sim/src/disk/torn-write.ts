// What the crash of a machine makes of one unsynced write: how much of it reaches the medium, sector
// by sector, and what stands there instead.
import type { SimRandom } from "../sim-random.ts";
import type { ByteImage } from "./byte-image.ts";

export const sectorBytes = 512;

/** Of the page cache. */
const pageBytes = 4096;

/** Each sector is kept with this chance, else dropped, torn or garbage. */
export function mixSectors(
  image: ByteImage,
  position: number,
  bytes: Uint8Array,
  keep: number,
  random: SimRandom,
): void {
  let at = 0;
  while (at < bytes.length) {
    const sectorEnd = (Math.floor((position + at) / sectorBytes) + 1) * sectorBytes;
    const end = Math.min(bytes.length, sectorEnd - position);
    const draw = random.below(1000) / 1000;
    if (draw < keep) {
      image.write(position + at, bytes.subarray(at, end));
    } else if (draw < keep + (1 - keep) * 0.5) {
      // Dropped.
    } else if (draw < keep + (1 - keep) * 0.75) {
      image.write(position + at, bytes.subarray(at, at + random.below(end - at + 1)));
    } else {
      garble(image, sectorEnd - sectorBytes, sectorEnd, position + end, random);
    }
    at = end;
  }
}

// The whole sector is lost, also those of its bytes that this write did not touch; the file does
// not grow by it beyond what was written.
function garble(
  image: ByteImage,
  from: number,
  sectorEnd: number,
  writtenEnd: number,
  random: SimRandom,
): void {
  const end = Math.min(sectorEnd, Math.max(image.length, writtenEnd));
  const noise = new Uint8Array(end - from);
  fillWithNoise(noise, random);
  image.write(from, noise);
}

/**
 * FoundationDB's distribution (reliability.md §1.1): a page is kept, dropped or corrupt, one as
 * likely as the other. Of a corrupt page's sectors a quarter is kept; of the rest two thirds are
 * bad on the left, on the right or all over, half of them with garbage there, and one third dropped.
 */
export function mixPages(
  image: ByteImage,
  position: number,
  bytes: Uint8Array,
  random: SimRandom,
): void {
  for (const [from, to] of pieces(position, bytes.length, pageBytes)) {
    const page = bytes.subarray(from, to);
    const draw = random.below(3);
    if (draw === 0) image.write(position + from, page);
    else if (draw === 1) mixCorruptPage(image, position + from, page, random);
  }
}

function mixCorruptPage(
  image: ByteImage,
  position: number,
  bytes: Uint8Array,
  random: SimRandom,
): void {
  for (const [from, to] of pieces(position, bytes.length, sectorBytes)) {
    if (random.below(4) === 0) {
      image.write(position + from, bytes.subarray(from, to));
    } else if (random.below(3) < 2) {
      const middle = random.between(from, to);
      const [badFrom, badTo] = random.pick([
        [from, middle],
        [middle, to],
        [from, to],
      ] as const);
      const sector = bytes.slice(from, to);
      const bad = sector.subarray(badFrom - from, badTo - from).fill(0);
      if (random.chance(0.5)) fillWithNoise(bad, random);
      else image.read(position + badFrom, bad);
      image.write(position + from, sector);
    }
  }
}

/** [from, to) of a write, cut where the medium's units of this size end. */
function pieces(position: number, length: number, size: number): [number, number][] {
  const cuts: [number, number][] = [];
  for (let from = 0; from < length;) {
    const to = Math.min(length, (Math.floor((position + from) / size) + 1) * size - position);
    cuts.push([from, to]);
    from = to;
  }
  return cuts;
}

function fillWithNoise(bytes: Uint8Array, random: SimRandom): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.u32();
}
