import { CheckpointError } from "../policy-error.ts";
import { forbidden } from "./forbidden-globals.ts";
import { ByteReader } from "./pickle-bytes.ts";
import { OPCODE_NAMES, Op } from "./pickle-opcodes.ts";
import { PickleStack } from "./pickle-stack.ts";
import { describe, Opaque, TorchTuple, type TorchValue } from "./torch-value.ts";

/** Builds a value from the arguments a pickle gives; the only code a pickle can reach. */
export type Rebuild = (args: readonly unknown[]) => unknown;

export interface PickleRules {
  /**
   * Known globals by `module name`: rebuilt by our own functions, or a mark that others look at. Objects
   * of all others become `Opaque`.
   */
  readonly globals: ReadonlyMap<string, unknown>;
  /** Resolves a persistent id: where the storages of tensors come in. */
  readonly persistent: (id: unknown) => unknown;
  /** Sets attributes on an object that has been rebuilt. */
  readonly build: (target: unknown, state: unknown) => void;
}

const OPERATIONS = 2_000_000;
/** More is no name of a class. */
const NAME = 512;

/**
 * Reads a pickle as data: Maps for dicts, arrays for lists, `TorchTuple`s, whatever `rules` makes, and
 * `Opaque` for anything else. Python's pickle is a program; this machine knows the instructions that make
 * values, calls nothing but `rules`, and keeps no value that was not in the bytes, so its memory is bounded by their number.
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
  readonly #stack = new PickleStack((what) => this.#damaged(what));

  constructor(bytes: Uint8Array, rules: PickleRules, where: string) {
    this.#in = new ByteReader(bytes, (what) => this.#damaged(what));
    this.#rules = rules;
    this.#where = where;
  }

  run(): unknown {
    for (let count = 0; count < OPERATIONS; count++) {
      const op = this.#in.u8();
      if (op === Op.STOP) return this.#stack.pop();
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
        return this.#stack.push(null);
      case Op.NEWTRUE:
        return this.#stack.push(true);
      case Op.NEWFALSE:
        return this.#stack.push(false);
      case Op.BININT:
        return this.#stack.push(this.#in.i32());
      case Op.BININT1:
        return this.#stack.push(this.#in.u8());
      case Op.BININT2:
        return this.#stack.push(this.#in.u16());
      case Op.LONG1:
        return this.#stack.push(this.#in.long(this.#in.u8()));
      case Op.LONG4:
        return this.#stack.push(this.#in.long(this.#in.u32()));
      case Op.BINFLOAT:
        return this.#stack.push(this.#in.f64());
      case Op.SHORT_BINUNICODE:
        return this.#stack.push(this.#in.text(this.#in.u8()));
      case Op.BINUNICODE:
        return this.#stack.push(this.#in.text(this.#in.u32()));
      case Op.BINUNICODE8:
        return this.#stack.push(this.#in.text(this.#in.u64()));
      default:
        return this.#bytes(op);
    }
  }

  /** Python's bytes, and its strings of before 3. */
  #bytes(op: number): boolean {
    switch (op) {
      case Op.SHORT_BINBYTES:
        return this.#blob("bytes", this.#in.u8());
      case Op.BINBYTES:
        return this.#blob("bytes", this.#in.u32());
      case Op.BINBYTES8:
        return this.#blob("bytes", this.#in.u64());
      case Op.BYTEARRAY8:
        return this.#blob("bytearray", this.#in.u64());
      case Op.SHORT_BINSTRING:
        return this.#stack.push(latin1(this.#in.bytes(this.#in.u8())));
      case Op.BINSTRING:
        return this.#stack.push(latin1(this.#in.bytes(this.#in.u32())));
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
        return this.#stack.recall(this.#in.u8());
      case Op.LONG_BINGET:
        return this.#stack.recall(this.#in.u32());
      case Op.BINPUT:
        return this.#stack.remember(this.#in.u8());
      case Op.LONG_BINPUT:
        return this.#stack.remember(this.#in.u32());
      case Op.MEMOIZE:
        return this.#stack.remember(this.#stack.remembered);
      case Op.POP:
        return this.#stack.drop();
      case Op.POP_MARK:
        this.#stack.popToMark();
        return true;
      case Op.DUP:
        return this.#stack.push(this.#stack.top());
      default:
        return false;
    }
  }

  #container(op: number): boolean {
    switch (op) {
      case Op.MARK:
        return this.#stack.mark();
      case Op.EMPTY_LIST:
        return this.#stack.push([]);
      case Op.EMPTY_DICT:
        return this.#stack.push(new Map());
      case Op.EMPTY_TUPLE:
        return this.#stack.push(new TorchTuple([]));
      case Op.TUPLE1:
        return this.#stack.tuple(1);
      case Op.TUPLE2:
        return this.#stack.tuple(2);
      case Op.TUPLE3:
        return this.#stack.tuple(3);
      case Op.TUPLE:
        return this.#stack.push(new TorchTuple(this.#stack.popToMark() as TorchValue[]));
      case Op.APPEND:
        return this.#stack.append([this.#stack.pop()]);
      case Op.APPENDS:
        return this.#stack.append(this.#stack.popToMark());
      case Op.SETITEM:
        return this.#stack.setItems([this.#stack.pop(), this.#stack.pop()].reverse());
      case Op.SETITEMS:
        return this.#stack.setItems(this.#stack.popToMark());
      case Op.EMPTY_SET:
        return this.#stack.push(new Opaque("set"));
      case Op.ADDITEMS:
        this.#stack.popToMark();
        if (this.#stack.top() instanceof Opaque) return true;
        throw this.#damaged("items for something that is not a set");
      case Op.FROZENSET:
        this.#stack.popToMark();
        return this.#stack.push(new Opaque("frozenset"));
      default:
        return false;
    }
  }

  #object(op: number): boolean {
    switch (op) {
      case Op.GLOBAL:
        return this.#stack.push(this.#global(this.#in.line(), this.#in.line()));
      case Op.STACK_GLOBAL: {
        const [name, module] = [this.#stack.pop(), this.#stack.pop()];
        return this.#stack.push(this.#global(module, name));
      }
      case Op.BINPERSID:
        return this.#stack.push(this.#rules.persistent(this.#stack.pop()));
      case Op.REDUCE:
      case Op.NEWOBJ: {
        const [args, made] = [this.#stack.pop(), this.#stack.pop()];
        return this.#stack.push(this.#make(made, args));
      }
      case Op.NEWOBJ_EX: {
        const [, args, made] = [this.#stack.pop(), this.#stack.pop(), this.#stack.pop()];
        return this.#stack.push(this.#make(made, args));
      }
      case Op.OBJ: {
        const [made, ...args] = this.#stack.popToMark();
        return this.#stack.push(this.#make(made, new TorchTuple(args as TorchValue[])));
      }
      case Op.INST: {
        const made = this.#global(this.#in.line(), this.#in.line());
        return this.#stack.push(
          this.#make(made, new TorchTuple(this.#stack.popToMark() as TorchValue[])),
        );
      }
      case Op.BUILD: {
        const [state, target] = [this.#stack.pop(), this.#stack.top()];
        if (target instanceof Opaque) target.state = state;
        else this.#rules.build(target, state);
        return true;
      }
      default:
        return false;
    }
  }

  /** What a global stands for: something of ours, or its name. */
  #global(module: unknown, name: unknown): unknown {
    if (typeof module !== "string" || typeof name !== "string") {
      throw this.#damaged(`a class named by ${describe(module)} and ${describe(name)}`);
    }
    if (module.length > NAME || name.length > NAME) throw this.#damaged("a class without an end");
    const key = `${module} ${name}`;
    if (this.#rules.globals.has(key)) return this.#rules.globals.get(key);
    if (forbidden(module, name)) throw this.#forbidden(`${module}.${name}`);
    return new Opaque(`${module}.${name}`);
  }

  #make(made: unknown, args: unknown): unknown {
    if (args instanceof TorchTuple) {
      if (typeof made === "function") return (made as Rebuild)(args.items);
      if (made instanceof Opaque) return new Opaque(made.name, { args: args.items });
    }
    throw this.#damaged("a call of something that can't be called");
  }

  #blob(name: string, length: number): boolean {
    return this.#stack.push(new Opaque(name, { bytes: this.#in.bytes(length) }));
  }

  #protocol(version: number): boolean {
    if (version >= 2 && version <= 5) return true;
    throw this.#damaged(`pickle protocol ${version}, expected 2 to 5`);
  }

  #forbidden(name: string): CheckpointError {
    return new CheckpointError(
      "forbidden-global",
      `${this.#where}: the file asks for ${name}, which no data needs; nothing was run`,
      "Distrust the file: it tries to run a program where others load it.",
    );
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

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
