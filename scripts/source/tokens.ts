// Cuts TypeScript into tokens, well enough to tell code from comments, strings, templates and
// regular expressions: TypeScript 7 offers no parser to call. Not a parser: it accepts anything,
// and knows no grammar beyond what a lexer needs.

export const TokenKind = { Word: 1, Number: 2, String: 3, Regex: 4, Mark: 5, Comment: 6 } as const;
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a String the content between the quotes, escapes left as they are. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

// After one of these words an expression begins, so that a slash starts a regular expression.
const WORDS_BEFORE_EXPRESSION: ReadonlySet<string> = new Set(
  "return typeof case do else in of new delete void throw await yield instanceof".split(" "),
);
const MARKS_LONG: readonly string[] = ["...", "?.", "=>", "**"];

/** All tokens; comments too when asked for. */
export function tokenize(source: string, withComments: boolean = false): Token[] {
  const tokens: Token[] = [];
  new Lexer(source, tokens).run();
  return withComments ? tokens : tokens.filter((token) => token.kind !== TokenKind.Comment);
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[];
  // One entry for each template literal whose `${` is open: how many braces are open inside it.
  readonly #templates: number[];
  #at: number;
  #line: number;
  /** The newest token that is no comment; it decides what a slash means. */
  #last: Token | null;

  constructor(source: string, tokens: Token[]) {
    this.#source = source;
    this.#tokens = tokens;
    this.#templates = [];
    this.#at = 0;
    this.#line = 1;
    this.#last = null;
  }

  run(): void {
    if (this.#source.startsWith("#!")) this.#comment(this.#lineEnd());
    while (this.#at < this.#source.length) this.#next();
  }

  #next(): void {
    const char = this.#source[this.#at]!;
    const word = /[\p{ID_Start}$_#@]/u.test(char) ? this.#match(/[#@]?[\p{ID_Continue}$]*/uy) : "";
    if (char === "\n") {
      this.#line++;
      this.#at++;
    } else if (/\s/.test(char)) {
      this.#at++;
    } else if (word !== "") {
      this.#take(TokenKind.Word, word.length);
    } else if (/[0-9]/.test(char)) {
      this.#take(TokenKind.Number, this.#match(/[0-9][\w.]*/y).length);
    } else if (char === '"' || char === "'") {
      this.#string(char);
    } else if (char === "`") {
      this.#at++;
      this.#template();
    } else if (char === "/") {
      this.#slash();
    } else {
      this.#mark(char);
    }
  }

  #slash(): void {
    const next = this.#source[this.#at + 1];
    if (next === "/") {
      this.#comment(this.#lineEnd());
    } else if (next === "*") {
      const end = this.#source.indexOf("*/", this.#at + 2);
      this.#comment(end < 0 ? this.#source.length : end + 2);
    } else if (this.#expressionMayStart()) {
      const regex = this.#match(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y);
      this.#take(TokenKind.Regex, Math.max(1, regex.length));
    } else {
      this.#take(TokenKind.Mark, 1);
    }
  }

  #mark(char: string): void {
    const long = MARKS_LONG.find((mark) => this.#source.startsWith(mark, this.#at));
    const open = this.#templates.length - 1;
    if (char === "}" && open >= 0 && this.#templates[open] === 0) {
      // The end of `${…}`: the template's text goes on.
      this.#templates.pop();
      this.#take(TokenKind.Mark, 1);
      this.#template();
      return;
    }
    if (open >= 0 && char === "{") this.#templates[open]!++;
    if (open >= 0 && char === "}") this.#templates[open]!--;
    this.#take(TokenKind.Mark, (long ?? char).length);
  }

  #string(quote: string): void {
    const start = this.#at + 1;
    let end = start;
    while (end < this.#source.length && this.#source[end] !== quote && this.#source[end] !== "\n") {
      end += this.#source[end] === "\\" ? 2 : 1;
    }
    this.#add(TokenKind.String, this.#source.slice(start, end));
    this.#advance(end + 1);
  }

  // From behind the backquote, or behind the brace that closed a `${`.
  #template(): void {
    const start = this.#at;
    let end = start;
    while (end < this.#source.length && this.#source[end] !== "`") {
      if (this.#source.startsWith("${", end)) {
        this.#add(TokenKind.String, this.#source.slice(start, end));
        this.#advance(end);
        this.#take(TokenKind.Mark, 2);
        this.#templates.push(0);
        return;
      }
      end += this.#source[end] === "\\" ? 2 : 1;
    }
    this.#add(TokenKind.String, this.#source.slice(start, end));
    this.#advance(end + 1);
  }

  #expressionMayStart(): boolean {
    const last = this.#last;
    if (last === null) return true;
    if (last.kind === TokenKind.Word) return WORDS_BEFORE_EXPRESSION.has(last.text);
    return last.kind === TokenKind.Mark && ![")", "]", "}"].includes(last.text);
  }

  #comment(end: number): void {
    const text = this.#source.slice(this.#at, end);
    this.#tokens.push({ kind: TokenKind.Comment, text, line: this.#line });
    this.#advance(end);
  }

  #take(kind: TokenKind, length: number): void {
    this.#add(kind, this.#source.slice(this.#at, this.#at + length));
    this.#advance(this.#at + length);
  }

  #add(kind: TokenKind, text: string): void {
    this.#last = { kind, text, line: this.#line };
    this.#tokens.push(this.#last);
  }

  #advance(to: number): void {
    for (; this.#at < to; this.#at++) if (this.#source[this.#at] === "\n") this.#line++;
  }

  #match(sticky: RegExp): string {
    sticky.lastIndex = this.#at;
    return sticky.exec(this.#source)?.[0] ?? "";
  }

  #lineEnd(): number {
    const end = this.#source.indexOf("\n", this.#at);
    return end < 0 ? this.#source.length : end;
  }
}
