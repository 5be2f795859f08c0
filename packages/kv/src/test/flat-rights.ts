// What a request needs, flattened, and whether permissions give it: the dumb twin of AuthGate and
// Rights. It walks requests as data, without knowing their kinds apart from field names, and walks through
// permissions step by step.
import { latin1Decode } from "@quorate/base";
import { PermissionType } from "../auth/user.ts";
import type { Permission } from "../auth/user.ts";

export interface Needed {
  readonly write: boolean;
  readonly key: string;
  readonly rangeEnd: string;
}

/** Of a request or any part of one, in no particular order. */
export function neededBy(part: unknown): Needed[] {
  if (part === null || typeof part !== "object" || part instanceof Uint8Array) return [];
  if (Array.isArray(part)) return part.flatMap(neededBy);
  const fields = part as Record<string, unknown>;
  const inside = Object.values(fields).flatMap(neededBy);
  if (!(fields["key"] instanceof Uint8Array)) return inside;
  const key = latin1Decode(fields["key"]);
  const rangeEnd = fields["rangeEnd"] instanceof Uint8Array ? latin1Decode(fields["rangeEnd"]) : "";
  const isDelete = "prevKv" in fields && "rangeEnd" in fields;
  const write = isDelete || "ignoreLease" in fields;
  const own: Needed[] = [{ write, key, rangeEnd }];
  if (write && fields["prevKv"] === true) own.push({ write: false, key, rangeEnd });
  return [...inside, ...own];
}

export function isGiven(needed: Needed, permissions: readonly Permission[]): boolean {
  const other = needed.write ? PermissionType.Read : PermissionType.Write;
  const useful = permissions.filter(({ type }) => type !== other);
  const spans = useful.map(({ key, rangeEnd }) => ({ from: key, to: endOf(key, rangeEnd) }));
  const end = endOf(needed.key, needed.rangeEnd);
  let at: string | null = needed.key;
  for (let left = spans.length; left > 0 && at !== null; left -= 1) {
    for (const { from, to } of spans) {
      if (at !== null && from <= at && (to === null || to > at)) at = to;
    }
  }
  return at === null || (at !== needed.key && end !== null && end <= at);
}

function endOf(key: string, rangeEnd: string): string | null {
  if (rangeEnd === "") return `${key}\0`;
  return rangeEnd === "\0" ? null : rangeEnd;
}
