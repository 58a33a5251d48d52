/** What a method of an exported program says: its parameters and its statements, line by line. */
export interface Method {
  /** Names without `self`. */
  readonly parameters: readonly string[];
  /** With their indentation. */
  readonly lines: readonly string[];
}

export interface ScriptClass {
  readonly methods: ReadonlyMap<string, Method>;
  /** `name : Final[type] = value`, as text. */
  readonly constants: ReadonlyMap<string, string>;
}

/** A call, an attribute or a literal of the straight-line language that torch.jit writes. */
export type Expression =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "value"; readonly value: number | string | boolean | null }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "attribute"; readonly of: Expression; readonly name: string }
  | { readonly kind: "item"; readonly of: Expression; readonly index: Expression }
  | { readonly kind: "call"; readonly callee: Expression; readonly args: readonly Expression[] };

/** The classes of a program's code by their full names, from its files by path below `code/`. */
export function readClasses(files: ReadonlyMap<string, string>): ReadonlyMap<string, ScriptClass> {
  const classes = new Map<string, ScriptClass>();
  for (const [path, text] of files) {
    const module = path.replace(/\.py$/, "").replaceAll("/", ".");
    const parts = text.split(/^class (\w+)\(.*\):$/m);
    for (let i = 1; i + 1 < parts.length; i += 2) {
      classes.set(`${module}.${parts[i]}`, readClass(parts[i + 1]!));
    }
  }
  return classes;
}

function readClass(body: string): ScriptClass {
  const [head = "", ...rest] = body.split(/^ {2}def /m);
  const constants = [...head.matchAll(/^ {2}(\w+) : Final\[.+\] = (.+)$/gm)].map(
    ([, name, value]) => [name!, value!] as const,
  );
  const methods = rest.flatMap((text): [string, Method][] => {
    const start = /^(\w+)\(self[^,)]*,?([^)]*)\) -> .*:$/m.exec(text);
    if (start === null || start.index !== 0) return [];
    const parameters = [...start[2]!.matchAll(/(\w+): /g)].map(([, name]) => name!);
    const lines = text.slice(start[0].length).split("\n");
    return [[start[1]!, { parameters, lines: lines.filter((line) => line.trim() !== "") }]];
  });
  return { methods: new Map(methods), constants: new Map(constants) };
}

const TOKEN =
  /\s*(?:(-?\d+(?:\.\d*)?(?:e[-+]?\d+)?)|([A-Za-z_]\w*)|("(?:[^"\\]|\\.)*")|([()[\].,=]))/y;
const DEPTH = 200;

/** @throws SyntaxError for what is none of these expressions */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text);
  const parsed = parser.list("");
  return parsed.length === 1 ? parsed[0]! : { kind: "list", items: parsed };
}

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    const tokens: string[] = [];
    TOKEN.lastIndex = 0;
    const whole = text.trimEnd();
    while (TOKEN.lastIndex < whole.length) {
      const [, ...found] = TOKEN.exec(whole) ?? fail(text);
      tokens.push(found.find((part) => part !== undefined)!);
    }
    this.#tokens = tokens;
  }

  /** Expressions between commas up to `end`, which is taken too; names of arguments are left out. */
  list(end: string): Expression[] {
    const items: Expression[] = [];
    while (this.#peek() !== end) {
      if (this.#tokens[this.#at + 1] === "=") this.#at += 2;
      items.push(this.#expression());
      if (this.#peek() === ",") this.#at += 1;
      else if (this.#peek() !== end) fail(this.#peek());
    }
    this.#at += 1;
    return items;
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? "";
  }

  #next(): string {
    this.#at += 1;
    return this.#tokens[this.#at - 1] ?? fail("the end");
  }

  #expression(): Expression {
    if (++this.#depth > DEPTH) fail("deeply nested");
    let found = this.#primary();
    for (;;) {
      const token = this.#peek();
      if (token === ".") {
        this.#at += 1;
        found = { kind: "attribute", of: found, name: this.#next() };
      } else if (token === "(") {
        this.#at += 1;
        found = { kind: "call", callee: found, args: this.list(")") };
      } else if (token === "[") {
        this.#at += 1;
        const [index] = this.list("]");
        found = { kind: "item", of: found, index: index ?? fail("[]") };
      } else break;
    }
    this.#depth -= 1;
    return found;
  }

  #primary(): Expression {
    const token = this.#next();
    if (token === "(") {
      const from = this.#at;
      const items = this.list(")");
      const tuple = items.length !== 1 || this.#tokens[this.#at - 2] === "," || from === this.#at;
      return tuple ? { kind: "list", items } : items[0]!;
    }
    if (token === "[") return { kind: "list", items: this.list("]") };
    if (/^-?\d/.test(token)) return { kind: "value", value: Number(token) };
    if (token.startsWith('"')) return { kind: "value", value: token.slice(1, -1) };
    const constant = new Map([
      ["True", true],
      ["False", false],
      ["None", null],
    ]).get(token);
    if (constant !== undefined) return { kind: "value", value: constant };
    return /^\w/.test(token) ? { kind: "name", name: token } : fail(token);
  }
}

function fail(what: string): never {
  throw new SyntaxError(`${what.slice(0, 60)} can't be read`);
}
