import { fused } from "./fused.ts";
import { dataTypes, type Node } from "./graph-def.ts";
import { guarded } from "./guarded.ts";
import type { Binding } from "./native-backend.ts";
import type { Constant, Recording, Source, TensorType } from "./recording.ts";

type Kinds = Binding;

/** Makes nodes whose names all start alike, so that several recordings fit into one graph. */
export class Parts {
  readonly nodes: Node[] = [];
  readonly #prefix: string;
  readonly #kinds: Kinds;

  constructor(kinds: Kinds, prefix: string) {
    this.#kinds = kinds;
    this.#prefix = prefix;
  }

  /** Constants and operations. */
  body(recording: Recording): void {
    for (const [i, value] of recording.constants.entries()) this.#constant(`c${i}`, value);
    const known = { kinds: this.#kinds, shapes: recording.shapes };
    const operations = guarded(fused(recording, this.#kinds), known);
    for (const { node, name, inputs, attributes } of operations) {
      this.#add({ name: node, op: name, inputs: this.#named(inputs), attributes });
    }
  }

  placeholder(name: string, { dtype, shape }: TensorType): string {
    const attributes = [this.#type("dtype", dtype), this.#shape(shape)];
    return this.#add({ name, op: "Placeholder", inputs: [], attributes });
  }

  /** @param after what must have happened before: names of nodes, as this class gives them */
  identity(name: string, source: Source, dtype: number, after: readonly string[] = []): string {
    const inputs = [...this.#named([source]), ...after.map((node) => `^${node}`)];
    return this.#add({ name, op: "Identity", inputs, attributes: [this.#type("T", dtype)] });
  }

  /** Something to ask for when all that is wanted is what must have happened before. */
  done(name: string, after: readonly string[]): string {
    const inputs = after.map((node) => `^${node}`);
    const tensor = { shape: [], dtype: 10, values: Uint8Array.of(1) };
    return this.#add({ ...this.#constantNode(name, tensor), inputs });
  }

  variable(name: string, { dtype, shape }: TensorType): string {
    const attributes = [this.#type("dtype", dtype), this.#shape(shape)];
    const shared = { name: "shared_name", type: this.#kinds.TF_ATTR_STRING, value: name };
    return this.#add({ name, op: "VarHandleOp", inputs: [], attributes: [...attributes, shared] });
  }

  read(name: string, variable: string, dtype: number): string {
    const attributes = [this.#type("dtype", dtype)];
    return this.#add({ name, op: "ReadVariableOp", inputs: [variable], attributes });
  }

  /** @param variable as `variable` gave it; `source`: within the prefix */
  assign(
    name: string,
    { variable, source, dtype }: { variable: string; source: Source; dtype: number },
    after: readonly string[] = [],
  ): string {
    const inputs = [variable, ...this.#named([source]), ...after.map((node) => `^${node}`)];
    const attributes = [this.#type("dtype", dtype)];
    return this.#add({ name, op: "AssignVariableOp", inputs, attributes });
  }

  /**
   * Numbers that others compute with could as well be fed, so that TensorFlow neither multiplies two of them
   * beforehand nor takes a reciprocal for a quotient: bits would differ. Shapes and axes it must know.
   */
  #constant(name: string, tensor: Constant): string {
    const { dtype, shape } = tensor;
    if (dtype !== dataTypes.float32) return this.#add(this.#constantNode(name, tensor));
    const value = this.#add(this.#constantNode(`${name}/value`, tensor));
    const attributes = [this.#type("dtype", dtype), this.#shape(shape)];
    return this.#add({ name, op: "PlaceholderWithDefault", inputs: [value], attributes });
  }

  #constantNode(name: string, tensor: Constant): Node {
    const attributes = [this.#type("dtype", tensor.dtype), { name: "value", tensor }];
    return { name, op: "Const", inputs: [], attributes };
  }

  #add(node: Node): string {
    const name = this.#prefix + node.name;
    this.nodes.push({ ...node, name });
    return name;
  }

  #named(sources: readonly Source[]): string[] {
    return sources.map((source) => this.#prefix + source);
  }

  #type(name: string, value: number) {
    return { name, type: this.#kinds.TF_ATTR_TYPE, value };
  }

  #shape(value: readonly number[]) {
    return { name: "shape", type: this.#kinds.TF_ATTR_SHAPE, value };
  }
}
