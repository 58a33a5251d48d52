import type { Tensor, Variable } from "@tensorflow/tfjs-core";
import { Parts } from "./graph-parts.ts";
import type { NodeBackend } from "./native-backend.ts";
import { type Recording, statesRead } from "./recording.ts";
import type { Residence } from "./residence.ts";
import { Session } from "./session.ts";
import { typeOf } from "./trace.ts";
import { replaceValue } from "./variable-data.ts";

interface Form {
  readonly session: Session;
  /** Variables it reads, fed behind the inputs. */
  readonly reads: readonly Variable[];
  readonly names: string;
  readonly fetches: string;
  readonly outputs: number;
  /** Variables it assigns, fetched behind the outputs. */
  readonly assigns: readonly Variable[];
}

/**
 * The state travels with every call, in and out. On the processor that is a reference each way, not a
 * copy: the variables are always current, forms need to know nothing of each other, and each has a session
 * of its own.
 */
export class FedState implements Residence {
  readonly #native: NodeBackend;
  readonly #state: readonly Variable[];
  readonly #forms = new Map<string, Form>();

  constructor(native: NodeBackend, state: readonly Variable[]) {
    this.#native = native;
    this.#state = state;
  }

  add(form: string, recording: Recording): void {
    const native = this.#native;
    const state = this.#state;
    const places = statesRead(recording);
    const parts = new Parts(native.binding, "");
    const { inputs, outputs, assigned } = recording;
    const names = [
      ...inputs.map((type, i) => parts.placeholder(`in${i}`, type)),
      ...places.map((i) => parts.placeholder(`st${i}`, typeOf(native, state[i]!))),
    ];
    parts.body(recording);
    const fetches = [
      ...outputs.map(({ source, dtype }, i) => parts.identity(`out${i}`, source, dtype)),
      ...[...assigned].map(([i, source]) =>
        parts.identity(`new${i}`, source, typeOf(native, state[i]!).dtype),
      ),
    ];
    this.#forms.set(form, {
      session: new Session(native, parts.nodes),
      reads: places.map((i) => state[i]!),
      names: names.join(),
      fetches: fetches.join(),
      outputs: outputs.length,
      assigns: [...assigned.keys()].map((i) => state[i]!),
    });
  }

  call(form: string, inputs: readonly Tensor[]): Tensor[] {
    const native = this.#native;
    const { session, reads, names, fetches, outputs, assigns } = this.#forms.get(form)!;
    const feeds = native.getInputTensorIds([...inputs, ...reads]);
    const produced = session.run(feeds, names, fetches);
    for (const [i, variable] of assigns.entries()) {
      replaceValue(native, variable, produced[outputs + i]!);
    }
    return produced.slice(0, outputs).map((one) => native.createOutputTensor(one));
  }

  dispose(): void {
    for (const { session } of this.#forms.values()) session.close();
    this.#forms.clear();
  }
}
