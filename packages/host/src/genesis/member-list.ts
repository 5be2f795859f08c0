// The members that somebody was told to found the cluster with, as text that can be compared and
// shown: one line "name=url,url" each, sorted. Two members found together only when these are equal.
export interface Listed {
  readonly memberId: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

const differenceCharsMax = 400;

export function compareNames(a: Listed, b: Listed): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.memberId < b.memberId ? -1 : a.memberId > b.memberId ? 1 : 0;
}

export function listText(members: readonly Listed[]): string {
  return members
    .map((member) => `${member.name}=${[...member.peerUrls].sort().join(",")}`)
    .sort()
    .join("\n");
}

/** Empty when equal, or when the other list is not known. */
export function listDifference(ours: string, theirs: string): string {
  if (theirs === "" || theirs === ours) return "";
  const here = parse(ours);
  const there = parse(theirs);
  const parts: string[] = [];
  for (const [name, urls] of here) {
    const other = there.get(name);
    if (other === undefined) {
      parts.push(`only this member lists ${name}=${urls}`);
    } else if (other !== urls) {
      parts.push(`${name} is ${urls} for this member, ${other} for that one`);
    }
  }
  for (const [name, urls] of there) {
    if (!here.has(name)) parts.push(`only that member lists ${name}=${urls}`);
  }
  if (parts.length === 0) return "the lists differ in their wording";
  return parts.join("; ").slice(0, differenceCharsMax);
}

function parse(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) members.set(line.slice(0, at), line.slice(at + 1));
  }
  return members;
}
