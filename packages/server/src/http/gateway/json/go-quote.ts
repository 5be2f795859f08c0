// How Go writes characters and strings into its messages.

/** What encoding/json says of a byte that it did not expect. */
export function invalidCharacter(byte: number, context: string): string {
  return `invalid character ${quotedCharacter(byte)} ${context}`;
}

/** Go's quoteChar: a byte above 0x7f stands for the Latin-1 letter of that number. */
function quotedCharacter(byte: number): string {
  if (byte === 0x27) return `'\\''`;
  if (byte === 0x22) return `'"'`;
  return `'${goQuoted(String.fromCharCode(byte)).slice(1, -1)}'`;
}

const shortEscapes: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** Go's %q. */
export function goQuoted(text: string): string {
  let quoted = "";
  for (const letter of text) {
    quoted += shortEscapes[letter] ?? (isPrintable(letter) ? letter : hexEscape(letter));
  }
  return `"${quoted}"`;
}

function isPrintable(letter: string): boolean {
  return letter === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(letter);
}

function hexEscape(letter: string): string {
  const code = letter.codePointAt(0)!;
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
