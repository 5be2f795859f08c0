// Ranges of keys, searched by a key: a treap ordered by (start, end), each node with the greatest end
// below it. Equal ranges share one node, so a thousand watchers of one prefix cost one visit.
// Priorities come from a fixed sequence: equal histories give equal trees.

/** Anything that stands for one range; `end` null: no end. */
export interface Interval {
  readonly key: string;
  readonly end: string | null;
}

class Node<T extends Interval> {
  readonly item: T;
  readonly priority: number;
  left: Node<T> | null;
  right: Node<T> | null;
  /** Greatest end of this node and all below; null: one has no end. */
  endMax: string | null;

  constructor(item: T, priority: number) {
    this.item = item;
    this.priority = priority;
    this.left = null;
    this.right = null;
    this.endMax = item.end;
  }
}

export class IntervalTree<T extends Interval> {
  #root: Node<T> | null;
  #size: number;
  #seed: number;

  constructor() {
    this.#root = null;
    this.#size = 0;
    this.#seed = 1;
  }

  get size(): number {
    return this.#size;
  }

  find(key: string, end: string | null): T | null {
    let node = this.#root;
    while (node !== null) {
      const order = compare(key, end, node.item);
      if (order === 0) return node.item;
      node = order < 0 ? node.left : node.right;
    }
    return null;
  }

  /** No item of this very range is in it. */
  add(item: T): void {
    // xorshift32
    this.#seed ^= this.#seed << 13;
    this.#seed ^= this.#seed >>> 17;
    this.#seed ^= this.#seed << 5;
    this.#root = insert(this.#root, new Node(item, this.#seed >>> 0));
    this.#size += 1;
  }

  /** The item of this very range is in it. */
  remove(item: T): void {
    this.#root = remove(this.#root, item);
    this.#size -= 1;
  }

  each(visit: (item: T) => void): void {
    each(this.#root, visit);
  }

  /** Calls `visit` for each range that holds the key, in order of (start, end). */
  stab(key: string, visit: (item: T) => void): void {
    stab(this.#root, key, visit);
  }
}

/** No end is above every end. */
function compareEnds(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}

function compare(key: string, end: string | null, item: Interval): number {
  if (key !== item.key) return key < item.key ? -1 : 1;
  return compareEnds(end, item.end);
}

function update<T extends Interval>(node: Node<T>): void {
  let max = node.item.end;
  for (const child of [node.left, node.right]) {
    if (child !== null && compareEnds(child.endMax, max) > 0) max = child.endMax;
  }
  node.endMax = max;
}

function insert<T extends Interval>(node: Node<T> | null, fresh: Node<T>): Node<T> {
  if (node === null) return fresh;
  if (compare(fresh.item.key, fresh.item.end, node.item) < 0) {
    node.left = insert(node.left, fresh);
    if (node.left.priority > node.priority) return rotateRight(node);
  } else {
    node.right = insert(node.right, fresh);
    if (node.right.priority > node.priority) return rotateLeft(node);
  }
  update(node);
  return node;
}

function remove<T extends Interval>(node: Node<T> | null, item: T): Node<T> | null {
  if (node === null) return null;
  const order = compare(item.key, item.end, node.item);
  if (order === 0) return join(node.left, node.right);
  if (order < 0) node.left = remove(node.left, item);
  else node.right = remove(node.right, item);
  update(node);
  return node;
}

/** All of `left` is below all of `right`. */
function join<T extends Interval>(left: Node<T> | null, right: Node<T> | null): Node<T> | null {
  if (left === null) return right;
  if (right === null) return left;
  const top = left.priority > right.priority ? left : right;
  if (top === left) left.right = join(left.right, right);
  else right.left = join(left, right.left);
  update(top);
  return top;
}

function rotateRight<T extends Interval>(node: Node<T>): Node<T> {
  const top = node.left!;
  node.left = top.right;
  top.right = node;
  update(node);
  update(top);
  return top;
}

function rotateLeft<T extends Interval>(node: Node<T>): Node<T> {
  const top = node.right!;
  node.right = top.left;
  top.left = node;
  update(node);
  update(top);
  return top;
}

function each<T extends Interval>(node: Node<T> | null, visit: (item: T) => void): void {
  if (node === null) return;
  each(node.left, visit);
  visit(node.item);
  each(node.right, visit);
}

function stab<T extends Interval>(
  node: Node<T> | null,
  key: string,
  visit: (item: T) => void,
): void {
  if (node === null) return;
  if (node.endMax !== null && node.endMax <= key) return;
  stab(node.left, key, visit);
  if (node.item.key > key) return;
  if (node.item.end === null || node.item.end > key) visit(node.item);
  stab(node.right, key, visit);
}
