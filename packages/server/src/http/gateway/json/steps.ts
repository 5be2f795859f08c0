// The grammar of JSON, one function for each place in it, with what Go's encoding/json says of a byte
// that may not stand there (its scanner's states, so that the texts are the same).

/** Where in an object or an array the scanner is. */
export const Inside = { Key: 1, Value: 2, Array: 3 } as const;
export type Inside = (typeof Inside)[keyof typeof Inside];

/** Takes one byte, returns what takes the next. */
export type Step = (scanner: Scanner, byte: number) => Step;

/** What the steps do to the scanner that they belong to. */
export interface Scanner {
  readonly depth: number;
  readonly inside: Inside | undefined;
  push(inside: Inside, next: Step, byte: number): Step;
  become(inside: Inside, next: Step): Step;
  pop(): Step;
  end(): Step;
  fail(byte: number, context: string): Step;
}

const space = 0x20;

export function isSpace(byte: number): boolean {
  return byte === space || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

export const failed: Step = () => failed;

export const beginValue: Step = (scanner, byte) => {
  if (isSpace(byte)) return beginValue;
  switch (byte) {
    case 0x7b: // {
      return scanner.push(Inside.Key, beginKeyOrEnd, byte);
    case 0x5b: // [
      return scanner.push(Inside.Array, beginElementOrEnd, byte);
    case 0x22: // "
      return inString;
    case 0x2d: // -
      return negative;
    case 0x30: // 0
      return afterInteger;
    case 0x74: // t
      return literals.true;
    case 0x66: // f
      return literals.false;
    case 0x6e: // n
      return literals.null;
    default:
      return isDigit(byte) ? inInteger : scanner.fail(byte, "looking for beginning of value");
  }
};

const beginElementOrEnd: Step = (scanner, byte) => {
  if (isSpace(byte)) return beginElementOrEnd;
  return byte === 0x5d ? endValue(scanner, byte) : beginValue(scanner, byte);
};

const beginKeyOrEnd: Step = (scanner, byte) => {
  if (isSpace(byte)) return beginKeyOrEnd;
  if (byte !== 0x7d) return beginKey(scanner, byte);
  return scanner.become(Inside.Value, endValue)(scanner, byte);
};

const beginKey: Step = (scanner, byte) => {
  if (isSpace(byte)) return beginKey;
  return byte === 0x22
    ? inString
    : scanner.fail(byte, "looking for beginning of object key string");
};

export const endValue: Step = (scanner, byte) => {
  if (scanner.depth === 0) return scanner.end();
  if (isSpace(byte)) return endValue;
  switch (scanner.inside) {
    case Inside.Key:
      return byte === 0x3a
        ? scanner.become(Inside.Value, beginValue)
        : scanner.fail(byte, "after object key");
    case Inside.Value:
      if (byte === 0x2c) return scanner.become(Inside.Key, beginKey);
      return byte === 0x7d ? scanner.pop() : scanner.fail(byte, "after object key:value pair");
    default:
      if (byte === 0x2c) return beginValue;
      return byte === 0x5d ? scanner.pop() : scanner.fail(byte, "after array element");
  }
};

export const inString: Step = (scanner, byte) => {
  if (byte === 0x22) return endValue;
  if (byte === 0x5c) return inEscape;
  return byte < space ? scanner.fail(byte, "in string literal") : inString;
};

const inEscape: Step = (scanner, byte) => {
  if (byte === 0x75) return hexDigits[0]!;
  return `"\\/bfnrt`.includes(String.fromCharCode(byte))
    ? inString
    : scanner.fail(byte, "in string escape code");
};

/** After \u: four of them. */
const hexDigits: readonly Step[] = [1, 2, 3, 4].map((next) => (scanner: Scanner, byte: number) => {
  return /^[0-9a-fA-F]$/.test(String.fromCharCode(byte))
    ? (hexDigits[next] ?? inString)
    : scanner.fail(byte, "in \\u hexadecimal character escape");
});

const negative: Step = (scanner, byte) => {
  if (byte === 0x30) return afterInteger;
  return isDigit(byte) ? inInteger : scanner.fail(byte, "in numeric literal");
};

const inInteger: Step = (scanner, byte) =>
  isDigit(byte) ? inInteger : afterInteger(scanner, byte);

const afterInteger: Step = (scanner, byte) =>
  byte === 0x2e ? afterPoint : afterFraction(scanner, byte);

const afterPoint: Step = (scanner, byte) =>
  isDigit(byte) ? inFraction : scanner.fail(byte, "after decimal point in numeric literal");

const inFraction: Step = (scanner, byte) =>
  isDigit(byte) ? inFraction : afterFraction(scanner, byte);

const afterFraction: Step = (scanner, byte) =>
  byte === 0x65 || byte === 0x45 ? beginExponent : endValue(scanner, byte);

const beginExponent: Step = (scanner, byte) =>
  byte === 0x2b || byte === 0x2d ? afterExponentSign : afterExponentSign(scanner, byte);

const afterExponentSign: Step = (scanner, byte) =>
  isDigit(byte) ? inExponent : scanner.fail(byte, "in exponent of numeric literal");

const inExponent: Step = (scanner, byte) => (isDigit(byte) ? inExponent : endValue(scanner, byte));

/** The steps after the first letter of a word. */
function wordSteps(word: string): Step {
  let next: Step = endValue;
  for (let at = word.length - 1; at > 0; at -= 1) {
    const letter = word.charCodeAt(at);
    const follow = next;
    const context = `in literal ${word} (expecting '${word[at]}')`;
    next = (scanner, byte) => (byte === letter ? follow : scanner.fail(byte, context));
  }
  return next;
}

const literals = { true: wordSteps("true"), false: wordSteps("false"), null: wordSteps("null") };
