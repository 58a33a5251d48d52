import type { Head } from "../checkpoint/actor.ts";
import type { RslRlActor } from "../checkpoint/actor-state.ts";
import type { NamedArray } from "../named-array.ts";
import type { ActivationName } from "../networks/activation.ts";
import type { OutputRange } from "../networks/bounded.ts";
import type { VisionFacts } from "../networks/cnn/vision.ts";
import type { ActionBounds } from "../networks/latent-actor.ts";
import { NORMALISER_EPSILON } from "../networks/normaliser.ts";
import type { GraphNode, PolicyGraph, Port, UnaryOp, Unnamed } from "./policy-graph.ts";
import { seenGraph } from "./seen-graph.ts";

export interface GraphOptions {
  readonly actor: RslRlActor;
  readonly activation: ActivationName;
  /** But for `tanh` it matters only where the network has two outputs per action. */
  readonly head: Head;
  /** Of a network with pictures, whose row of observations is all groups side by side. */
  readonly vision?: VisionFacts | undefined;
}

/**
 * The mean actions of a checkpoint's network as a graph, its normaliser baked in, with the names
 * that rsl_rl's exports have: inputs `obs` [, `h_in`, `c_in`], outputs `actions` [, `h_out`,
 * `c_out`]; memory is `[layers, batch, width]`.
 */
export function buildGraph(options: GraphOptions): PolicyGraph {
  return new Builder(options).build();
}

const SIMPLE: Readonly<Partial<Record<ActivationName, UnaryOp>>> = {
  elu: "elu",
  // CELU with alpha 1 is ELU.
  crelu: "elu",
  selu: "selu",
  relu: "relu",
  lrelu: "leaky-relu",
  tanh: "tanh",
  sigmoid: "sigmoid",
  softplus: "softplus",
};

class Builder {
  readonly #actor: RslRlActor;
  readonly #activation: ActivationName;
  readonly #head: Head;
  readonly #vision: VisionFacts | undefined;
  readonly #constants: Record<string, NamedArray> = {};
  readonly #nodes: GraphNode[] = [];

  constructor({ actor, activation, head, vision }: GraphOptions) {
    this.#actor = actor;
    this.#vision = vision;
    this.#activation = activation;
    this.#head = head;
  }

  build(): PolicyGraph {
    const { inputWidth, actionWidth, rnn } = this.#actor;
    const inputs: Port[] = [{ name: "obs", shape: ["batch", inputWidth] }];
    const outputs: Port[] = [{ name: "actions", shape: ["batch", actionWidth] }];
    let x = this.#normalised("obs");
    if (this.#vision) x = this.#seen(x, this.#vision);
    if (rnn !== undefined) {
      const shape = [rnn.layers, "batch", rnn.width] as const;
      const states = rnn.type === "lstm" ? ["h", "c"] : ["h"];
      inputs.push(...states.map((name) => ({ name: `${name}_in`, shape })));
      outputs.push(...states.map((name) => ({ name: `${name}_out`, shape })));
      x = this.#recurrent(x, states, rnn.layers);
    }
    const flown = this.#heads(this.#decoded(this.#encoded(x)));
    this.#nodes.push({ op: "identity", inputs: [flown], output: "actions" });
    return { inputs, outputs, constants: this.#constants, nodes: this.#nodes };
  }

  #normalised(x: string): string {
    const { normaliser, inputWidth } = this.#actor;
    if (normaliser === undefined) return this.#clamped(x);
    const { epsilon = NORMALISER_EPSILON } = normaliser;
    const divisor = normaliser.std.map((value) => value + epsilon);
    const mean = this.#constant("normaliser.mean", [1, inputWidth], normaliser.mean);
    const scale = this.#constant("normaliser.divisor", [1, inputWidth], divisor);
    return this.#clamped(this.#div(this.#sub(x, mean), scale));
  }

  /** min(max(x, −m), m) = relu(x + m) − relu(x − m) − m, from what every format has. */
  #clamped(x: string): string {
    const { inputClamp } = this.#actor;
    if (inputClamp === undefined) return x;
    const most = this.#scalar("normaliser.clamp", inputClamp);
    const above = this.#unary("relu", this.#add(x, most));
    const beyond = this.#unary("relu", this.#sub(x, most));
    return this.#sub(this.#sub(above, beyond), most);
  }

  #seen(row: string, vision: VisionFacts): string {
    const { layers } = this.#actor;
    return seenGraph(row, vision, {
      node: (node) => this.#node(node),
      activated: (x) => this.#activated(x),
      constant: (name, { shape, data } = layers[name]!) => this.#constant(name, shape, data),
    });
  }

  /** Features; see `createActor`. */
  #encoded(x: string): string {
    const { encoder, features } = this.#actor;
    if (features) return this.#activated(this.#linear(x, "features.weight", "features.bias"));
    return encoder ? this.#unary("tanh", this.#mlp("encoder", encoder.hidden, x)) : x;
  }

  #decoded(features: string): string {
    const { hidden, latent } = this.#actor;
    const x = this.#mlp("mlp", hidden, features);
    if (latent === undefined) return x;
    const scale = this.#scalar("latent.scale", latent.scale);
    const z = this.#mul(this.#unary("tanh", x), scale);
    const chosen = this.#node({ op: "joined", inputs: [features, z] });
    return this.#mlp("decoder", latent.hidden, chosen);
  }

  #mlp(name: string, hidden: readonly number[], input: string): string {
    const first = this.#linear(input, `${name}.0.weight`, `${name}.0.bias`);
    return hidden.reduce((x, _, i) => {
      const at = `${name}.${2 * (i + 1)}`;
      return this.#linear(this.#activated(x), `${at}.weight`, `${at}.bias`);
    }, first);
  }

  #activated(x: string): string {
    const simple = SIMPLE[this.#activation];
    if (simple !== undefined) return this.#unary(simple, x);
    if (this.#activation === "swish") return this.#mul(x, this.#unary("sigmoid", x));
    if (this.#activation === "mish") {
      return this.#mul(x, this.#unary("tanh", this.#unary("softplus", x)));
    }
    if (this.#activation !== "gelu") return x;
    const root = this.#unary("erf", this.#mul(x, this.#scalar("root_half", Math.SQRT1_2)));
    const half = this.#mul(x, this.#scalar("half", 0.5));
    return this.#mul(half, this.#add(root, this.#one()));
  }

  /** Gates as torch.nn.GRU and LSTM state them; see the networks of this room. */
  #recurrent(input: string, states: readonly string[], layers: number): string {
    const next: string[][] = states.map(() => []);
    let x = input;
    for (let layer = 0; layer < layers; layer++) {
      const before = states.map((name) => this.#layer(`${name}_in`, layer));
      const after =
        states.length === 1 ? this.#gru(x, before, layer) : this.#lstm(x, before, layer);
      after.forEach((state, i) => {
        next[i]!.push(state);
      });
      x = after[0]!;
    }
    states.forEach((name, i) => {
      const { width = 0 } = this.#actor.rnn ?? {};
      this.#nodes.push({ op: "stack", inputs: next[i]!, output: `${name}_out`, width });
    });
    return x;
  }

  #gru(x: string, [h]: readonly string[], layer: number): string[] {
    const [fromX, fromH] = this.#products(x, h!, layer);
    const [xr, xz, xn] = this.#gates(fromX!, 3) as [string, string, string];
    const [hr, hz, hn] = this.#gates(fromH!, 3) as [string, string, string];
    const r = this.#unary("sigmoid", this.#add(xr, hr));
    const z = this.#unary("sigmoid", this.#add(xz, hz));
    const n = this.#unary("tanh", this.#add(xn, this.#mul(r, hn)));
    return [this.#add(n, this.#mul(z, this.#sub(h!, n)))];
  }

  #lstm(x: string, [h, c]: readonly string[], layer: number): string[] {
    const [fromX, fromH] = this.#products(x, h!, layer);
    const stacked = this.#gates(this.#add(fromX!, fromH!), 4);
    const [i, f, g, o] = stacked as [string, string, string, string];
    const kept = this.#mul(this.#unary("sigmoid", f), c!);
    const taken = this.#mul(this.#unary("sigmoid", i), this.#unary("tanh", g));
    const cell = this.#add(kept, taken);
    return [this.#mul(this.#unary("sigmoid", o), this.#unary("tanh", cell)), cell];
  }

  #products(x: string, h: string, layer: number): readonly string[] {
    const rnn = "rnn.rnn.";
    return [
      this.#linear(x, `${rnn}weight_ih_l${layer}`, `${rnn}bias_ih_l${layer}`),
      this.#linear(h, `${rnn}weight_hh_l${layer}`, `${rnn}bias_hh_l${layer}`),
    ];
  }

  #gates(x: string, count: number): string[] {
    const width = this.#actor.rnn?.width ?? 0;
    return Array.from({ length: count }, (_, i) => this.#columns(x, i * width, (i + 1) * width));
  }

  #layer(memory: string, index: number): string {
    const { width = 0 } = this.#actor.rnn ?? {};
    return this.#node({ op: "layer", inputs: [memory], index, width });
  }

  /** The mean action; see `createActor`. */
  #heads(x: string): string {
    const { outputWidth, actionWidth } = this.#actor;
    const first = outputWidth === actionWidth ? x : this.#columns(x, 0, actionWidth);
    if (this.#head.kind === "tanh") return this.#squashed(first, this.#head);
    if (this.#head.kind === "clipped") return this.#clipped(first, this.#head);
    if (outputWidth === actionWidth) return x;
    if (this.#head.kind !== "beta") return first;
    const { low, high } = this.#head;
    const parameter = (half: string) => this.#add(this.#unary("softplus", half), this.#one());
    const alpha = parameter(first);
    const beta = parameter(this.#columns(x, actionWidth, outputWidth));
    const mean = this.#div(alpha, this.#add(alpha, beta));
    const stretched = this.#mul(mean, this.#scalar("range", high - low));
    return this.#add(stretched, this.#scalar("low", low));
  }

  #squashed(x: string, range: OutputRange): string {
    return this.#scaled(this.#unary("tanh", x), range);
  }

  /** min(max(x, l), h) = l + relu(x − l) − relu(x − h), from what every format has. */
  #clipped(x: string, { low, high, ...range }: OutputRange & ActionBounds): string {
    const action = this.#scaled(x, range);
    const [least, most] = [this.#row("action.low", low), this.#row("action.high", high)];
    const above = this.#unary("relu", this.#sub(action, least));
    const beyond = this.#unary("relu", this.#sub(action, most));
    return this.#add(this.#sub(above, beyond), least);
  }

  #scaled(x: string, { center, half }: OutputRange): string {
    return this.#add(
      this.#mul(x, this.#row("action.half", half)),
      this.#row("action.center", center),
    );
  }

  #row(name: string, data: readonly number[]): string {
    return this.#constant(name, [1, data.length], Float32Array.from(data));
  }

  #linear(x: string, weight: string, bias: string): string {
    for (const name of [weight, bias]) {
      const { shape, data } = this.#actor.layers[name]!;
      this.#constant(name, shape, data);
    }
    return this.#node({ op: "linear", inputs: [x, weight, bias] });
  }

  #columns(x: string, from: number, to: number): string {
    return this.#node({ op: "columns", inputs: [x], from, to });
  }

  #unary(op: UnaryOp, x: string): string {
    return this.#node({ op, inputs: [x] });
  }

  #add(a: string, b: string): string {
    return this.#node({ op: "add", inputs: [a, b] });
  }

  #sub(a: string, b: string): string {
    return this.#node({ op: "sub", inputs: [a, b] });
  }

  #mul(a: string, b: string): string {
    return this.#node({ op: "mul", inputs: [a, b] });
  }

  #div(a: string, b: string): string {
    return this.#node({ op: "div", inputs: [a, b] });
  }

  #one(): string {
    return this.#scalar("one", 1);
  }

  #scalar(name: string, value: number): string {
    return this.#constant(name, [], Float32Array.of(value));
  }

  #constant(name: string, shape: readonly number[], data: Float32Array): string {
    this.#constants[name] = { shape, data };
    return name;
  }

  #node(node: Unnamed): string {
    const output = `${node.op}_${this.#nodes.length}`;
    this.#nodes.push({ ...node, output } as GraphNode);
    return output;
  }
}
