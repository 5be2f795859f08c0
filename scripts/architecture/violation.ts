// The kinds of violation that the architecture check knows, and the shape of one.

export const ViolationKind = {
  /** architecture.json contradicts itself or the folders. */
  Page: "page",
  Upward: "upward",
  Sideways: "sideways",
  NotListed: "not-listed",
  Undeclared: "undeclared",
  LeavesPackage: "leaves-package",
  OwnIndex: "own-index",
  OwnName: "own-name",
  Internal: "internal",
  Missing: "missing-file",
  Unfollowable: "unfollowable",
  NodeImport: "node-import",
  Impure: "impure",
  PackageCycle: "package-cycle",
  FileCycle: "file-cycle",
} as const;
export type ViolationKind = (typeof ViolationKind)[keyof typeof ViolationKind];

export interface Violation {
  readonly kind: ViolationKind;
  readonly path: string;
  readonly line: number;
  readonly text: string;
}
