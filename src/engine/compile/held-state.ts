import type { Tensor, Variable } from "@tensorflow/tfjs-core";
import { Parts } from "./graph-parts.ts";
import type { NodeBackend, TensorData } from "./native-backend.ts";
import { type Recording, statesRead, type TensorType } from "./recording.ts";
import type { Residence } from "./residence.ts";
import { Session } from "./session.ts";
import { typeOf } from "./trace.ts";
import { deferValue, look, versionOf } from "./variable-data.ts";

interface Form {
  readonly recording: Recording;
  readonly names: string;
  readonly fetches: string;
  readonly outputs: number;
  readonly reads: readonly number[];
  readonly assigns: readonly number[];
}

/**
 * The state stays in variables of one session, for a card, where feeding and fetching are copies to and from
 * the host. Of a tfjs variable that an entry assigned, the value is fetched when somebody looks at it; one that
 * somebody else assigned is handed over before the next call. A new form makes a new session of all forms, which
 * takes over the state in the same way.
 */
export class HeldState implements Residence {
  readonly #native: NodeBackend;
  readonly #state: readonly Variable[];
  readonly #types: readonly TensorType[];
  readonly #forms = new Map<string, Form>();
  /** The version of each variable that the session has too. */
  readonly #same = new Map<number, object>();
  /** What was assigned in the session last. */
  readonly #deferred = new Map<number, TensorData>();
  #session: Session | undefined;

  constructor(native: NodeBackend, state: readonly Variable[]) {
    this.#native = native;
    this.#state = state;
    this.#types = state.map((variable) => typeOf(native, variable));
  }

  add(form: string, recording: Recording): void {
    this.#release();
    const prefix = `f${this.#forms.size}/`;
    const { inputs, outputs, assigned } = recording;
    const fetches = outputs.map((_, i) => `${prefix}out${i}`);
    this.#forms.set(form, {
      recording,
      names: inputs.map((_, i) => `${prefix}in${i}`).join(),
      fetches: fetches.join() || `${prefix}done`,
      outputs: outputs.length,
      reads: statesRead(recording),
      assigns: [...assigned.keys()],
    });
    const shared = new Parts(this.#native.binding, "");
    for (const [i, type] of this.#types.entries()) {
      const variable = shared.variable(`v${i}`, type);
      const given = shared.placeholder(`w${i}`, type);
      const to = { variable, source: given, dtype: type.dtype };
      shared.done(`w${i}/done`, [shared.assign(`w${i}/as`, to)]);
      shared.read(`r${i}`, variable, type.dtype);
    }
    const own = [...this.#forms.values()].flatMap((one, f) => this.#nodesOf(one, `f${f}/`));
    this.#session = new Session(this.#native, [...shared.nodes, ...own]);
  }

  call(form: string, inputs: readonly Tensor[]): Tensor[] {
    const { names, fetches, outputs, reads, assigns } = this.#forms.get(form)!;
    const native = this.#native;
    for (const place of new Set([...reads, ...assigns])) this.#rescue(place);
    for (const place of reads) this.#handOver(place);
    const produced = this.#session!.run(native.getInputTensorIds(inputs), names, fetches);
    for (const place of assigns) this.#defer(place);
    if (outputs === 0) native.binding.deleteTensor(produced.pop()!.id);
    return produced.map((one) => native.createOutputTensor(one));
  }

  dispose(): void {
    this.#release();
    this.#forms.clear();
  }

  #nodesOf({ recording, reads }: Form, prefix: string) {
    const parts = new Parts(this.#native.binding, prefix);
    for (const [i, type] of recording.inputs.entries()) parts.placeholder(`in${i}`, type);
    // All are read before any is assigned, and assigned before anything is given back.
    const read = reads.map((i) => parts.read(`st${i}`, `v${i}`, this.#types[i]!.dtype));
    parts.body(recording);
    const assigned = [...recording.assigned].map(([i, source]) => {
      const to = { variable: `v${i}`, source, dtype: this.#types[i]!.dtype };
      return parts.assign(`as${i}`, to, read);
    });
    for (const [i, { source, dtype }] of recording.outputs.entries()) {
      parts.identity(`out${i}`, source, dtype, assigned);
    }
    parts.done("done", assigned);
    return parts.nodes;
  }

  /** Before the session's value of a variable is written over: does anybody hold it, and has not looked? */
  #rescue(place: number): void {
    const data = this.#deferred.get(place);
    if (data === undefined) return;
    const current = this.#native.tensorMap.get(this.#state[place]!.dataId);
    if (data.refCount > 1 || data !== current) look(data);
  }

  #handOver(place: number): void {
    const native = this.#native;
    const variable = this.#state[place]!;
    if (this.#same.get(place) === versionOf(native, variable)) return;
    const ids = native.getInputTensorIds([variable]);
    const [done] = this.#session!.run(ids, `w${place}`, `w${place}/done`);
    native.binding.deleteTensor(done!.id);
    this.#same.set(place, versionOf(native, variable));
  }

  #defer(place: number): void {
    const native = this.#native;
    const variable = this.#state[place]!;
    const session = this.#session!;
    const fetch = () => session.run([], "", `r${place}`)[0]!.id;
    this.#deferred.set(place, deferValue(native, variable, fetch));
    this.#same.set(place, versionOf(native, variable));
  }

  #release(): void {
    for (const data of this.#deferred.values()) look(data);
    this.#deferred.clear();
    this.#same.clear();
    this.#session?.close();
    this.#session = undefined;
  }
}
