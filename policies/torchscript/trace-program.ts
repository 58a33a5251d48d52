import { isDict, isTensor, Opaque, type TorchTensor } from "../checkpoint/torch-value.ts";
import { Flow, STATE } from "./flow.ts";
import { operations } from "./operations.ts";
import { type Expression, parseExpression, type ScriptClass } from "./script-code.ts";

export interface Program {
  readonly classes: ReadonlyMap<string, ScriptClass>;
  /** What `CONSTANTS.c0` … stand for. */
  readonly constants: readonly unknown[];
  /** Observations that its normaliser has seen, where it says so. */
  seen?: number;
}

const DEPTH = 32;
const STATEMENTS = 20_000;

/** What is not one of the programs that are known; the message completes "its code …". */
export class UnknownProgram extends Error {}

/**
 * What a program does to its observations, found out from the text of its `forward` without computing
 * anything: every statement is followed, and one that is not known is refused.
 *
 * @throws UnknownProgram
 */
export function traceProgram(root: Opaque, program: Program): Flow {
  const tracer = new Tracer(program);
  const found = tracer.call(root, "forward", [new Flow([])], 0);
  if (!(found instanceof Flow)) throw new UnknownProgram("gives back something else than actions");
  const [rnn] = found.steps.filter(({ op }) => op === "rnn");
  const states = rnn?.op === "rnn" ? { gru: 1, lstm: 2 }[rnn.type] : 0;
  if (tracer.carried === states) return found;
  throw new UnknownProgram("does not carry its memory from step to step");
}

class Tracer {
  readonly #program: Program;
  #statements = 0;
  /** States that have been put back into the program's own memory. */
  carried = 0;

  constructor(program: Program) {
    this.#program = program;
  }

  call(module: Opaque, method: string, args: readonly unknown[], depth: number): unknown {
    if (depth > DEPTH) throw new UnknownProgram("calls itself");
    const known = this.#primitive(module, method, args);
    if (known !== undefined) return known;
    const found = this.#program.classes.get(module.name)?.methods.get(method);
    const short = shortName(module.name);
    if (found === undefined) throw new UnknownProgram(`has no readable ${method} of ${short}`);
    if (found.parameters.length !== args.length) {
      throw new UnknownProgram(
        `calls ${short} with ${args.length} of ${found.parameters.length} inputs`,
      );
    }
    const count = isDict(module.state) ? module.state.get("count") : undefined;
    const seen = isTensor(count) ? Number(count.data[0]) : count;
    if (typeof seen === "number") this.#program.seen = seen;
    const names = new Map<string, unknown>([["self", module]]);
    found.parameters.forEach((name, i) => {
      names.set(name, args[i]);
    });
    const result = this.#block(found.lines, { names, depth });
    if (result === undefined) throw new UnknownProgram(`of ${short} gives nothing back`);
    return result.value;
  }

  /** Runs of lines of one indentation; gives what is returned, if anything is. */
  #block(lines: readonly string[], scope: Scope): { value: unknown } | undefined {
    for (let i = 0; i < lines.length; i += 1) {
      if (++this.#statements > STATEMENTS) throw new UnknownProgram("is too long");
      const line = lines[i]!.trim();
      const branch = /^if (.+):$/.exec(line);
      if (branch) {
        const [inside, after] = nested(lines, i + 1);
        const other = lines[after]?.trim() === "else:" ? nested(lines, after + 1) : undefined;
        const holds = this.#value(this.#parse(branch[1]!), scope);
        if (typeof holds !== "boolean") throw new UnknownProgram(`decides by ${branch[1]}`);
        const result = this.#block(holds ? inside : (other?.[0] ?? []), scope);
        if (result) return result;
        i = (other?.[1] ?? after) - 1;
      } else if (line.startsWith("return ")) {
        return { value: this.#value(this.#parse(line.slice(7)), scope) };
      } else if (line !== "pass") this.#assign(line, scope);
    }
    return undefined;
  }

  #assign(line: string, scope: Scope): void {
    const kept = /^self\.\w+ = (.+)$/.exec(line);
    if (kept && this.#value(this.#parse(kept[1]!), scope) === STATE) {
      this.carried += 1;
      return;
    }
    const parts = /^(\w+(?:, \w+)*)(,?)(?: : [^=]+)? = (.+)$/.exec(line);
    if (parts === null) throw new UnknownProgram(`says ${line.slice(0, 80)}`);
    const names = parts[1]!.split(", ");
    const value = this.#value(this.#parse(parts[3]!), scope);
    if (names.length === 1 && parts[2] === "") {
      scope.names.set(names[0]!, value);
      return;
    }
    if (!Array.isArray(value) || value.length !== names.length) {
      throw new UnknownProgram(`says ${line.slice(0, 80)}`);
    }
    for (const [i, name] of names.entries()) scope.names.set(name, value[i]);
  }

  #parse(text: string): Expression {
    try {
      return parseExpression(text);
    } catch {
      throw new UnknownProgram(`says ${text.slice(0, 80)}`);
    }
  }

  #value(expression: Expression, scope: Scope): unknown {
    switch (expression.kind) {
      case "value":
        return expression.value;
      case "list":
        return expression.items.map((item) => this.#value(item, scope));
      case "name":
        if (scope.names.has(expression.name)) return scope.names.get(expression.name);
        throw new UnknownProgram(`uses ${expression.name}`);
      case "item": {
        const [of, index] = [
          this.#value(expression.of, scope),
          this.#value(expression.index, scope),
        ];
        if (Array.isArray(of) && typeof index === "number" && index in of) return of[index];
        throw new UnknownProgram("takes an item of something unknown");
      }
      case "attribute":
        return this.#attribute(expression, scope);
      case "call":
        return this.#called(expression, scope);
    }
  }

  #attribute(expression: Expression & { kind: "attribute" }, scope: Scope): unknown {
    const path = dotted(expression);
    const constant = /^CONSTANTS\.c(\d+)$/.exec(path ?? "");
    if (constant) return this.#program.constants[Number(constant[1])];
    const named = path && torchFunction(path);
    if (named) return new Named(named);
    const of = this.#value(expression.of, scope);
    return this.#member(of, expression.name);
  }

  #member(of: unknown, name: string): unknown {
    const state = of instanceof Opaque ? of.state : undefined;
    if (isDict(state) && state.has(name)) return state.get(name);
    throw new UnknownProgram(`uses ${name} of something unknown`);
  }

  #called({ callee, args }: Expression & { kind: "call" }, scope: Scope): unknown {
    const path = dotted(callee) ?? "";
    const values = () => args.map((arg) => this.#value(arg, scope));
    if (path === "getattr") {
      const [of, name] = values();
      if (typeof name !== "string") throw new UnknownProgram("uses a member without a name");
      return this.#member(of, name);
    }
    const alias = callee.kind === "name" ? scope.names.get(callee.name) : undefined;
    const torch = alias instanceof Named ? alias.name : torchFunction(path);
    if (torch !== undefined) {
      const result = operations.get(torch)?.(values());
      if (torch === "copy_" && result === STATE) this.carried += 1;
      if (result !== undefined) return result;
      throw new UnknownProgram(`computes torch.${torch} in a way that is not known`);
    }
    if (callee.kind === "attribute") {
      const of = this.#value(callee.of, scope);
      if (of instanceof Opaque) return this.call(of, callee.name, values(), scope.depth + 1);
    }
    throw new UnknownProgram(`calls ${path.slice(0, 80) || "something unknown"}`);
  }

  /** Modules whose code is long and whose meaning is their name. */
  #primitive(module: Opaque, method: string, args: readonly unknown[]): unknown {
    const [flow] = args;
    const name = shortName(module.name);
    const state = isDict(module.state) ? module.state : new Map();
    if (!(flow instanceof Flow)) return undefined;
    if (name === "_FirstSliceDeterministicOutput") return flow.after({ op: "first-half" });
    if (name === "_BetaDeterministicOutput") {
      const [scale, low] = [state.get("range_scale"), state.get("range_offset")];
      if (typeof scale !== "number" || typeof low !== "number") return undefined;
      return flow.after({ op: "beta", low, high: low + scale });
    }
    const isTorch = module.name.startsWith("__torch__.torch.nn.modules.");
    if (!isTorch || (name !== "GRU" && name !== "LSTM")) return undefined;
    const constants = this.#program.classes.get(module.name)?.constants;
    // So scripting calls what tensors take; a traced one has short code, and its results in any order.
    if (method !== "forward__0") return undefined;
    const held = name === "GRU" ? [args[1]] : args[1];
    if (!Array.isArray(held) || held.length === 0 || !held.every(isTensor)) {
      throw new UnknownProgram("starts its memory anew at every step");
    }
    const odd = constants?.get("bidirectional") === "True" || constants?.get("bias") === "False";
    if (odd || Number(constants?.get("proj_size") ?? 0) > 0) {
      throw new UnknownProgram(`has a ${name} of an unusual kind`);
    }
    const weights = [...state].filter(
      ([key, value]) => /_l\d+/.test(String(key)) && isTensor(value),
    );
    const type = name === "GRU" ? "gru" : "lstm";
    const next = flow.after({
      op: "rnn",
      type,
      weights: new Map(weights) as ReadonlyMap<string, TorchTensor>,
    });
    return [next, type === "gru" ? STATE : [STATE, STATE]];
  }
}

/** A function of torch that has been given another name. */
class Named {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** `torch.tanh` and `__torch__.torch.nn.functional.elu`: their last words. */
function torchFunction(path: string): string | undefined {
  return /^(?:torch|ops\.prim|__torch__\.torch\.nn\.functional(?:\.___torch_mangle_\d+)?)\.(\w+)$/.exec(
    path,
  )?.[1];
}

interface Scope {
  readonly names: Map<string, unknown>;
  readonly depth: number;
}

/** `__torch__.torch.nn.modules.container.___torch_mangle_16.Sequential` → `Sequential`. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function dotted(expression: Expression): string | undefined {
  if (expression.kind === "name") return expression.name;
  if (expression.kind !== "attribute") return undefined;
  const of = dotted(expression.of);
  return of === undefined ? undefined : `${of}.${expression.name}`;
}

/** The lines from `from` on that are further in than the one before, and where they end. */
function nested(lines: readonly string[], from: number): [readonly string[], number] {
  const indent = (line: string) => line.length - line.trimStart().length;
  const outer = indent(lines[from - 1]!);
  let end = from;
  while (end < lines.length && indent(lines[end]!) > outer) end += 1;
  return [lines.slice(from, end), end];
}
