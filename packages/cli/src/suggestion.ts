// "did you mean": the end of a message about a word that nobody knows.
import { nearest } from "@quorate/base";

export function suggestion(word: string, known: Iterable<string>, prefix: string = ""): string {
  const near = nearest(word, known);
  return near === null ? "" : `; did you mean ${prefix}${near}?`;
}
