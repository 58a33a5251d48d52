import { Variable } from "@tensorflow/tfjs-core";
import { EngineError } from "../engine-error.ts";
import type { Attribute, Binding, NodeBackend, Produced, TensorValues } from "./native-backend.ts";
import type { Constant, Operation, Source } from "./recording.ts";

/** They draw their numbers inside, by a seed of their own. */
const draws = /^(Multinomial|Random|StatelessRandom|ParameterizedTruncated|TruncatedNormal)/;

let tracing = false;

/** A function is being traced in this thread. */
export function isTracing(): boolean {
  return tracing;
}

/** Stands in the addon's place while a function runs: every call goes on to it, and is written down. */
export class Recorder {
  readonly operations: Operation[] = [];
  readonly constants: Constant[] = [];
  readonly shapes = new Map<Source, readonly number[]>();
  readonly #native: NodeBackend;
  readonly #name: string;
  readonly #sources = new Map<number, Source>();
  /** Arrays that became tensors in the call; any other that is handed over now was made before it. */
  readonly #made = new Set<unknown>();
  #refusal: EngineError | undefined;

  constructor(native: NodeBackend, name: string) {
    this.#native = native;
    this.#name = name;
  }

  know(id: number, source: Source, shape: readonly number[]): void {
    this.#sources.set(id, source);
    this.shapes.set(source, shape);
  }

  sourceOf(id: number, what: string): Source {
    const source = this.#sources.get(id);
    if (source !== undefined) return source;
    throw this.refusal(
      `${what} is a tensor from outside: neither input nor state, nor made in the call`,
      "Make it an input, or a variable of the state.",
    );
  }

  refusal(what: string, hint: string): EngineError {
    const told = `'${this.#name}' can't be compiled: ${what}`;
    return new EngineError("not-traceable", told, hint);
  }

  /** A refusal that the function swallowed, or that was lost in a promise, is thrown all the same. */
  during<T>(state: readonly Variable[], action: () => T): T {
    const native = this.#native;
    const binding = native.binding;
    const { assign } = Variable.prototype;
    const { random } = Math;
    const known = new Set(state);
    const refuse = this.#refuse;
    tracing = true;
    native.binding = this.#forward(binding);
    native.move = this.#move(native.move);
    Math.random = () =>
      refuse(`${randomCaller()} draws random numbers in JavaScript`, "Give them as inputs.");
    Variable.prototype.assign = function (value) {
      if (known.has(this)) return assign.call(this, value);
      return refuse(`it assigns '${this.name}', no variable of its state`, "Add it to the state.");
    };
    try {
      const result = action();
      if (this.#refusal) throw this.#refusal;
      return result;
    } catch (error) {
      throw this.#refusal ?? error;
    } finally {
      tracing = false;
      native.binding = binding;
      Reflect.deleteProperty(native, "move");
      Math.random = random;
      Variable.prototype.assign = assign;
    }
  }

  #refuse = (what: string, hint: string): never => {
    this.#refusal ??= this.refusal(what, hint);
    throw this.#refusal;
  };

  #move(move: NodeBackend["move"]): NodeBackend["move"] {
    const made = this.#made;
    return function (this: NodeBackend, id, values, ...rest) {
      made.add(values);
      move.call(this, id, values, ...rest);
    };
  }

  /** A plain object: an addon's own properties can't be changed. */
  #forward(binding: Binding): Binding {
    const own: Partial<Binding> = {
      createTensor: (...args) => this.#createTensor(binding, ...args),
      executeOp: (...args) => this.#executeOp(binding, ...args),
      tensorDataSync: (id) => {
        // It reads indices to check them, and goes on with the tensor.
        if (/kernels[\\/]GatherV2/.test(new Error().stack ?? "")) return binding.tensorDataSync(id);
        return this.#refuse(
          `it reads the numbers of ${this.#describe(id)}, which differ from call to call`,
          "Compute with tensors (tf.where instead of a branch), or read outputs after the call.",
        );
      },
    };
    const named = Object.entries(own).map(([key, value]) => [key, { value }] as const);
    return Object.create(binding, Object.fromEntries(named)) as Binding;
  }

  #createTensor(
    binding: Binding,
    shape: readonly number[],
    dtype: number,
    values: TensorValues,
  ): number {
    const id = binding.createTensor(shape, dtype, values);
    if (!ArrayBuffer.isView(values)) return id;
    // Else the operation that reads it is refused, by name.
    if (!this.#made.has(values)) return id;
    this.know(id, `c${this.constants.length}`, shape);
    this.constants.push({ shape: [...shape], dtype, values: values.slice() });
    return id;
  }

  #executeOp(
    binding: Binding,
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): Produced[] {
    if (draws.test(name)) this.#refuse(`${name} draws random numbers`, "Give them as inputs.");
    const sources = inputs.map((id, i) => {
      const source = this.#sources.get(id);
      if (source !== undefined) return source;
      return this.#refuse(
        `${name} reads as input ${i} a tensor from outside: neither input nor state, nor made in the call`,
        "Make it an input, or a variable of the state.",
      );
    });
    const produced = binding.executeOp(name, attributes, inputs, outputs);
    const node = `n${this.operations.length}`;
    for (const [i, { id, shape }] of produced.entries()) {
      this.know(id, i === 0 ? node : `${node}:${i}`, shape);
    }
    const typed = [...attributes, ...leftOut(binding, name, produced)];
    this.operations.push({ name, attributes: typed, inputs: sources });
    return produced;
  }

  #describe(id: number): string {
    const source = this.#sources.get(id);
    if (source === undefined) return "a tensor from outside";
    if (source.startsWith("in")) return `input ${source.slice(2)}`;
    if (source.startsWith("st")) return `state ${source.slice(2)}`;
    const place = /^n(\d+)/.exec(source)?.[1];
    return place === undefined
      ? "a constant"
      : `what ${this.operations[Number(place)]?.name} gives`;
  }
}

/** Types that tfjs-node leaves to be found out from the inputs: a graph wants to be told. */
function leftOut(binding: Binding, name: string, produced: readonly Produced[]): Attribute[] {
  if (name !== "ExpandDims") return [];
  const type = binding.TF_ATTR_TYPE;
  return [{ name: "T", type, value: produced[0]!.dtype }];
}

/** The operation of tfjs that asked, from the call stack. */
function randomCaller(): string {
  const stack = new Error().stack ?? "";
  const operation = /at (?:Object\.)?(\w+?)_? [^\n]*\n[^\n]*\b(?:executeOp|\w+__op)\b/.exec(
    stack,
  )?.[1];
  return operation === undefined ? "it" : `tf.${operation}`;
}
