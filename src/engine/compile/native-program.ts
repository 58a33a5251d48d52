import { engine, type Tensor, type Variable } from "@tensorflow/tfjs-core";
import { EngineError } from "../engine-error.ts";
import { convolved } from "./convolved.ts";
import { entryNamed } from "./entry-named.ts";
import type { NodeBackend } from "./native-backend.ts";
import { once } from "./once.ts";
import type { Entry, Program, ProgramOptions, Static } from "./program.ts";
import { isTracing } from "./recorder.ts";
import { difference, type Recording } from "./recording.ts";
import type { Residence } from "./residence.ts";
import { trace } from "./trace.ts";

interface Options extends ProgramOptions {
  readonly residence: Residence;
  /** Never runs what was compiled: every call is traced and compared with the first. */
  readonly verify: boolean;
}

/**
 * Traces the first two calls of an entry with the same shapes and statics, one operation at a time; where
 * both did the same, with the same numbers made in JavaScript, later calls run what was written down.
 */
export class NativeProgram implements Program {
  readonly #native: NodeBackend;
  readonly #state: readonly Variable[];
  readonly #entries: Readonly<Record<string, Entry>>;
  readonly #residence: Residence;
  readonly #verify: boolean;
  readonly #traced = new Map<string, Recording>();
  readonly #compiled = new Set<string>();
  #disposed = false;

  constructor(native: NodeBackend, { state, entries, residence, verify }: Options) {
    this.#native = native;
    this.#state = state;
    this.#entries = entries;
    this.#residence = residence;
    this.#verify = verify;
  }

  run(entry: string, inputs: readonly Tensor[], statics: readonly Static[] = []): Tensor[] {
    const form = formOf(entry, inputs, statics);
    if (isTracing() || engine().state.gradientDepth > 0 || this.#disposed) this.#refuse(entry);
    if (this.#compiled.has(form)) return this.#residence.call(form, inputs);
    const run = entryNamed(entry, this.#entries);
    return trace(this.#native, {
      name: entry,
      state: this.#state,
      inputs,
      run: (own) => run(own, statics),
      accept: (recording) => this.#accept(entry, form, recording),
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#residence.dispose();
    this.#traced.clear();
    this.#compiled.clear();
  }

  #accept(entry: string, form: string, recording: Recording): void {
    const first = this.#traced.get(form);
    if (first === undefined) {
      this.#traced.set(form, recording);
      return;
    }
    const found = difference(first, recording);
    if (found !== undefined) throw frozen(entry, found);
    if (this.#verify) return;
    const native = this.#native;
    const short = once(recording);
    // What is taken together on a card was not measured.
    this.#residence.add(form, native.isUsingGpuDevice ? short : convolved(short, native));
    this.#compiled.add(form);
    this.#traced.delete(form);
  }

  #refuse(entry: string): never {
    const [what, hint] = this.#disposed
      ? ["after its program was disposed", "Make a new program."]
      : isTracing()
        ? ["inside another compiled function", "Call there the function that it was made of."]
        : ["inside a gradient, and has none of its own", "Take the gradient inside the entry."];
    throw new EngineError("program-misused", `'${entry}' is called ${what}`, hint);
  }
}

/** Everything that a compiled call depends on but for numbers: equal texts, one form. */
function formOf(entry: string, inputs: readonly Tensor[], statics: readonly Static[]): string {
  let form = entry;
  for (const { dtype, shape } of inputs) form += ` ${dtype}[${shape}]`;
  return statics.length === 0 ? form : `${form} ${JSON.stringify(statics)}`;
}

function frozen(entry: string, found: string): EngineError {
  return new EngineError(
    "frozen-number",
    `'${entry}' differs between two calls with the same shapes and statics: ${found}`,
    "Make what changes an input (a scalar tensor), a variable of the state, or a static.",
  );
}
