import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { ConfigError } from "./config-error.ts";
import type { Setting } from "./setting.ts";

/** A configuration is a page or two; more is another kind of file. */
const largestFile = 1 << 20;
const mostSettings = 10_000;
/** A value is about seven: key, colon, blanks, itself, the line's end and its mark. */
const mostTokens = 10 * mostSettings;
const deepest = 16;

/** Reads a YAML file into settings that know their line. @throws ConfigError */
export function readYamlFile(path: string): readonly Setting[] {
  return parseYaml(readText(path), basename(path));
}

function readText(path: string): string {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new Error("it is not a file");
    if (stat.size > largestFile) throw new Error(`${stat.size} bytes are more than ${largestFile}`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError(
      "unreadable-file",
      `The configuration ${path} can't be read: ${(cause as Error).message}`,
      "Name a YAML file, e.g. the params/agent.yaml of a run.",
      { cause },
    );
  }
}

/** @param file stands in origins and messages. @throws ConfigError */
export function parseYaml(source: string, file: string): readonly Setting[] {
  const lines = new LineCounter();
  const document = parse(source, lines, file);
  const walk = new Walk(document, lines, file);
  if (document.contents === null || isNull(document.contents)) return [];
  if (!isMap(document.contents)) {
    throw notYaml(file, "the file is not a list of `key: value` lines");
  }
  walk.block(document.contents, "", 0);
  return walk.settings;
}

function parse(source: string, lines: LineCounter, file: string): Document.Parsed {
  refuseLarge(source, file);
  let document: Document.Parsed;
  try {
    document = parseDocument(source, { lineCounter: lines, logLevel: "error" });
  } catch (cause) {
    throw notYaml(file, "it is nested too deeply", cause);
  }
  const [error] = document.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    throw notYaml(`${file}:${line}`, error.message.split("\n")[0]!.replace(/ at line .*$/, ""));
  }
  return document;
}

/** Before the parser sees it: its search for double keys costs the square of their number. */
function refuseLarge(source: string, file: string): void {
  let tokens = 0;
  for (const _ of new Lexer().lex(source)) {
    tokens += 1;
    if (tokens > mostTokens) throw notYaml(file, `it has more than ${mostSettings} values`);
  }
}

function notYaml(where: string, problem: string, cause?: unknown): ConfigError {
  return new ConfigError(
    "not-yaml",
    `${where}: this is not a YAML configuration: ${problem}`,
    "Write one `key: value` per line, blocks indented by two blanks.",
    { cause },
  );
}

function isNull(node: unknown): boolean {
  return isScalar(node) && node.value === null;
}

/** @returns the value. @throws Error where a list or block holds itself, by an anchor */
function withoutCircles<T>(value: T): T {
  try {
    JSON.stringify(value);
  } catch (cause) {
    throw new Error("a list or block holds itself", { cause });
  }
  return value;
}

class Walk {
  readonly settings: Setting[] = [];
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #file: string;

  constructor(document: Document, lines: LineCounter, file: string) {
    this.#document = document;
    this.#lines = lines;
    this.#file = file;
  }

  block(map: YAMLMap, prefix: string, depth: number): void {
    if (depth > deepest) throw notYaml(this.#file, `more than ${deepest} blocks inside each other`);
    for (const { key, value } of map.items) {
      const name = `${prefix}${isScalar(key) ? String(key.source ?? key.value) : String(key)}`;
      const node = isAlias(value) ? value.resolve(this.#document) : (value as Node | null);
      if (isMap(node) && node.items.length > 0) this.block(node, `${name}.`, depth + 1);
      else this.#leaf(name, node as Node | null, key as Node);
    }
  }

  #leaf(name: string, node: Node | null, key: Node): void {
    const origin = `${this.#file}:${this.#lines.linePos(key.range?.[0] ?? 0).line}`;
    if (this.settings.length >= mostSettings) {
      throw notYaml(origin, `it has more than ${mostSettings} values`);
    }
    this.settings.push({ name, value: this.#value(node, origin), origin });
  }

  #value(node: Node | null, origin: string): unknown {
    if (node === null) return null;
    try {
      return withoutCircles(node.toJS(this.#document, { maxAliasCount: 100 }));
    } catch (cause) {
      throw notYaml(origin, (cause as Error).message, cause);
    }
  }
}
