import { CheckpointError } from "../policy-error.ts";
import { ByteReader } from "./pickle-bytes.ts";
import { OPCODE_NAMES, Op } from "./pickle-opcodes.ts";
import { TorchTuple, type TorchValue } from "./torch-value.ts";

/** Builds a value from the arguments a pickle gives; the only code a pickle can reach. */
export type Rebuild = (args: readonly unknown[]) => unknown;

export interface PickleRules {
  /**
   * Allowed globals by `module name`: rebuilt by our own functions, or a mark that others look at.
   */
  readonly globals: ReadonlyMap<string, unknown>;
  /** Resolves a persistent id: where the storages of tensors come in. */
  readonly persistent: (id: unknown) => unknown;
  /** Sets attributes on an object that has been rebuilt. */
  readonly build: (target: unknown, state: unknown) => void;
}

const OPERATIONS = 10_000_000;
const MARK = Symbol("mark");

/**
 * Reads a pickle as data: Maps for dicts, arrays for lists, `TorchTuple`s, and whatever `rules`
 * makes. Python's pickle is a program; this machine knows the instructions that make plain values,
 * calls nothing but `rules`,
 * and keeps no value that was not in the bytes, so its memory is bounded by their number.
 *
 * @throws CheckpointError `damaged-pickle`, `forbidden-global`, `unsupported-pickle`
 */
export function readPickle(bytes: Uint8Array, rules: PickleRules, where: string): unknown {
  return new Machine(bytes, rules, where).run();
}

class Machine {
  readonly #in: ByteReader;
  readonly #rules: PickleRules;
  readonly #where: string;
  #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(bytes: Uint8Array, rules: PickleRules, where: string) {
    this.#in = new ByteReader(bytes, (what) => this.#damaged(what));
    this.#rules = rules;
    this.#where = where;
  }

  run(): unknown {
    for (let count = 0; count < OPERATIONS; count++) {
      const op = this.#in.u8();
      if (op === Op.STOP) return this.#pop();
      if (!(this.#atom(op) || this.#memory(op) || this.#container(op) || this.#object(op))) {
        throw this.#unsupported(op);
      }
    }
    throw this.#damaged(`more than ${OPERATIONS} instructions`);
  }

  /** Numbers, strings and constants. */
  #atom(op: number): boolean {
    switch (op) {
      case Op.NONE:
        return this.#push(null);
      case Op.NEWTRUE:
        return this.#push(true);
      case Op.NEWFALSE:
        return this.#push(false);
      case Op.BININT:
        return this.#push(this.#in.i32());
      case Op.BININT1:
        return this.#push(this.#in.u8());
      case Op.BININT2:
        return this.#push(this.#in.u16());
      case Op.LONG1:
        return this.#push(this.#in.long(this.#in.u8()));
      case Op.LONG4:
        return this.#push(this.#in.long(this.#in.u32()));
      case Op.BINFLOAT:
        return this.#push(this.#in.f64());
      case Op.SHORT_BINUNICODE:
        return this.#push(this.#in.text(this.#in.u8()));
      case Op.BINUNICODE:
        return this.#push(this.#in.text(this.#in.u32()));
      case Op.BINUNICODE8:
        return this.#push(this.#in.text(this.#in.u64()));
      default:
        return false;
    }
  }

  /** The memo, and what frames the program. */
  #memory(op: number): boolean {
    switch (op) {
      case Op.PROTO:
        return this.#protocol(this.#in.u8());
      case Op.FRAME:
        this.#in.u64();
        return true;
      case Op.BINGET:
        return this.#recall(this.#in.u8());
      case Op.LONG_BINGET:
        return this.#recall(this.#in.u32());
      case Op.BINPUT:
        return this.#remember(this.#in.u8());
      case Op.LONG_BINPUT:
        return this.#remember(this.#in.u32());
      case Op.MEMOIZE:
        return this.#remember(this.#memo.size);
      default:
        return false;
    }
  }

  #container(op: number): boolean {
    switch (op) {
      case Op.MARK:
        return this.#push(MARK);
      case Op.EMPTY_LIST:
        return this.#push([]);
      case Op.EMPTY_DICT:
        return this.#push(new Map());
      case Op.EMPTY_TUPLE:
        return this.#push(new TorchTuple([]));
      case Op.TUPLE1:
        return this.#tuple(1);
      case Op.TUPLE2:
        return this.#tuple(2);
      case Op.TUPLE3:
        return this.#tuple(3);
      case Op.TUPLE:
        return this.#push(new TorchTuple(this.#popToMark() as TorchValue[]));
      case Op.APPEND:
        return this.#append([this.#pop()]);
      case Op.APPENDS:
        return this.#append(this.#popToMark());
      case Op.SETITEM:
        return this.#setItems([this.#pop(), this.#pop()].reverse());
      case Op.SETITEMS:
        return this.#setItems(this.#popToMark());
      default:
        return false;
    }
  }

  #object(op: number): boolean {
    switch (op) {
      case Op.GLOBAL:
        return this.#global(this.#in.line(), this.#in.line());
      case Op.STACK_GLOBAL: {
        const [name, module] = [this.#pop(), this.#pop()];
        return this.#global(String(module), String(name));
      }
      case Op.BINPERSID:
        return this.#push(this.#rules.persistent(this.#pop()));
      case Op.REDUCE:
        return this.#reduce();
      case Op.BUILD: {
        const state = this.#pop();
        this.#rules.build(this.#top(), state);
        return true;
      }
      default:
        return false;
    }
  }

  #global(module: string, name: string): boolean {
    const key = `${module} ${name}`;
    if (!this.#rules.globals.has(key)) {
      throw new CheckpointError(
        "forbidden-global",
        `${this.#where}: the file asks for ${module}.${name}, which is not on the list of what a checkpoint may hold; nothing was run`,
        "Save the checkpoint with tensors, numbers, strings, lists and dicts only, or distrust the file.",
      );
    }
    return this.#push(this.#rules.globals.get(key));
  }

  #reduce(): boolean {
    const args = this.#pop();
    const rebuild = this.#pop();
    if (typeof rebuild !== "function" || !(args instanceof TorchTuple)) {
      throw this.#damaged("a call of something that can't be called");
    }
    return this.#push((rebuild as Rebuild)(args.items));
  }

  #protocol(version: number): boolean {
    if (version >= 2 && version <= 5) return true;
    throw this.#damaged(`pickle protocol ${version}, expected 2 to 5`);
  }

  #push(value: unknown): boolean {
    this.#stack.push(value);
    return true;
  }

  #pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #top(): unknown {
    const value = this.#stack.at(-1);
    if (this.#stack.length === 0 || value === MARK) throw this.#damaged("a value is missing");
    return value;
  }

  #popToMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#damaged("a mark is missing");
    const items = this.#stack.splice(mark);
    items.shift();
    return items;
  }

  #tuple(length: number): boolean {
    const items = Array.from({ length }, () => this.#pop()).reverse();
    return this.#push(new TorchTuple(items as TorchValue[]));
  }

  #append(items: readonly unknown[]): boolean {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#damaged("an append to something that is not a list");
    for (const item of items) list.push(item);
    return true;
  }

  #setItems(items: readonly unknown[]): boolean {
    const dict = this.#top();
    if (!(dict instanceof Map)) throw this.#damaged("an entry for something that is not a dict");
    if (items.length % 2 !== 0) throw this.#damaged("a key without a value");
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (!["string", "number", "boolean", "bigint"].includes(typeof key)) {
        throw this.#damaged("a dict key that is neither text nor number");
      }
      dict.set(key, items[i + 1]);
    }
    return true;
  }

  #remember(index: number): boolean {
    this.#memo.set(index, this.#top());
    return true;
  }

  #recall(index: number): boolean {
    if (!this.#memo.has(index)) throw this.#damaged(`memo ${index} is empty`);
    return this.#push(this.#memo.get(index));
  }

  #unsupported(op: number): CheckpointError {
    const name = OPCODE_NAMES.get(op) ?? `0x${op.toString(16)}`;
    return new CheckpointError(
      "unsupported-pickle",
      `${this.#where}: pickle instruction ${name} at byte ${this.#in.at - 1} is not one that torch.save writes for plain data`,
      "Save the checkpoint with torch.save and its default protocol, or distrust the file.",
    );
  }

  #damaged(what: string): CheckpointError {
    return new CheckpointError(
      "damaged-pickle",
      `${this.#where}: ${what}, at byte ${this.#in.at} of the pickle`,
      "The file is truncated or damaged: copy or download it again.",
    );
  }
}
