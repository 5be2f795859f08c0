// Pages of a bbolt file (docs/spec/bolt-format.md): their header, the two kinds of elements, the meta
// page with its checksum. Pure; numbers are little-endian, as on every machine that etcd runs on.

/** What we write. Files of machines with larger pages are read as well. */
export const pageBytes = 4096;
export const pageBytesMin = 512;
export const pageBytesMax = 65_536;

export const pageHeaderBytes = 16;
export const elementBytes = 16;
export const bucketHeaderBytes = 16;

export const PageKind = { Branch: 0x01, Leaf: 0x02, Meta: 0x04, Freelist: 0x10 } as const;
export type PageKind = (typeof PageKind)[keyof typeof PageKind];

/** Of a leaf element whose value is a bucket. */
export const bucketFlag = 0x01;

const magic = 0xed0cdaed;
const version = 2;
const metaBytes = 64;
const checksumAt = 56;

/*
 *  0  8  page id
 *  8  2  kind
 * 10  2  count of elements
 * 12  4  overflow: pages that follow and belong to it
 */
export interface PageHeader {
  readonly id: number;
  readonly kind: number;
  readonly count: number;
  readonly overflow: number;
}

export interface Meta {
  readonly pageBytes: number;
  /** Of the bucket of buckets. */
  readonly root: number;
  readonly freelist: number;
  /** Pages of the file: ids are below it. */
  readonly pages: number;
  readonly txid: number;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function writePageHeader(view: DataView, header: PageHeader): void {
  setU64(view, 0, header.id);
  view.setUint16(8, header.kind, true);
  view.setUint16(10, header.count, true);
  view.setUint32(12, header.overflow, true);
}

export function readPageHeader(view: DataView): PageHeader {
  return {
    id: getU64(view, 0),
    kind: view.getUint16(8, true),
    count: view.getUint16(10, true),
    overflow: view.getUint32(12, true),
  };
}

/*
 *  0  4  magic
 *  4  4  version: 2
 *  8  4  bytes of a page
 * 12  4  flags: 0
 * 16  8  root page of the bucket of buckets
 * 24  8  its sequence: 0
 * 32  8  page of the free list
 * 40  8  pages of the file
 * 48  8  transaction id
 * 56  8  FNV-1a, 64 bits, over [0, 56)
 */
export function writeMetaPage(page: Uint8Array, meta: Meta): void {
  const id = meta.txid % 2;
  writePageHeader(viewOf(page), { id, kind: PageKind.Meta, count: 0, overflow: 0 });
  const body = page.subarray(pageHeaderBytes, pageHeaderBytes + metaBytes);
  const view = viewOf(body);
  view.setUint32(0, magic, true);
  view.setUint32(4, version, true);
  view.setUint32(8, meta.pageBytes, true);
  setU64(view, 16, meta.root);
  setU64(view, 32, meta.freelist);
  setU64(view, 40, meta.pages);
  setU64(view, 48, meta.txid);
  view.setBigUint64(checksumAt, fnv1a64(body.subarray(0, checksumAt)), true);
}

/** `page`: its first bytes. What is wrong with it as a line. */
export function readMetaPage(page: Uint8Array): Meta | string {
  if (page.length < pageHeaderBytes + metaBytes) return "the file ends within it";
  const body = page.subarray(pageHeaderBytes, pageHeaderBytes + metaBytes);
  const view = viewOf(body);
  if (view.getUint32(0, true) !== magic) return "not the magic number of bbolt";
  if (view.getUint32(4, true) !== version) return `version ${view.getUint32(4, true)} is not known`;
  if (view.getBigUint64(checksumAt, true) !== fnv1a64(body.subarray(0, checksumAt))) {
    return "its checksum is wrong";
  }
  return {
    pageBytes: view.getUint32(8, true),
    root: getU64(view, 16),
    freelist: getU64(view, 32),
    pages: getU64(view, 40),
    txid: getU64(view, 48),
  };
}

/** Above 2^53 rounded: such a page is in no file, and every comparison stays right. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

export function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

const fnvOffset = 0xcbf29ce484222325n;
const fnvPrime = 0x100000001b3n;

export function fnv1a64(bytes: Uint8Array): bigint {
  let hash = fnvOffset;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * fnvPrime);
  return hash;
}
