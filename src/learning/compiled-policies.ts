import * as tf from "@tensorflow/tfjs-core";
import { around } from "../../policies/around.ts";
import { NetworkPolicy } from "../../policies/networks/network-policy.ts";
import type { Flown, Memory, Policy } from "../../policies/policy.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Compile, Program } from "../engine/compile/program.ts";

/** Several networks act on one frame, in one call: a student and its teacher, an ensemble. */
export class CompiledPolicies {
  readonly #policies: readonly NetworkPolicy[];
  readonly #program: Program;

  /** Their networks stay the caller's. */
  constructor(compile: Compile, policies: readonly NetworkPolicy[]) {
    this.#policies = policies;
    this.#program = compile({
      state: policies.flatMap(({ network }) => network.parameters.map(({ value }) => value)),
      entries: { act: (inputs, counts) => this.#forward(inputs, counts as readonly number[]) },
    });
  }

  /** @param memories of each policy, as its `act` gave it */
  async act(frame: Frame, memories: readonly Memory[]): Promise<Flown[]> {
    const uploads = this.#policies.map((policy, i) => policy.upload(frame, memories[i]!));
    const inputs = uploads.flat();
    const counts = uploads.map((upload) => upload.length);
    const outputs = this.#program.run("act", inputs, counts);
    const arrays = await Promise.all(outputs.map((output) => output.data<"float32">()));
    tf.dispose([...inputs, ...outputs]);
    let at = 0;
    return this.#policies.map(({ network }) => {
      const [actions, ...memory] = arrays.slice(at, at + 1 + network.memoryWidths.length);
      at += 1 + network.memoryWidths.length;
      return { actions: actions!, memory };
    });
  }

  dispose(): void {
    this.#program.dispose();
  }

  #forward(inputs: readonly tf.Tensor[], counts: readonly number[]): tf.Tensor[] {
    let at = 0;
    return this.#policies.flatMap((policy, i) => {
      const own = inputs.slice(at, at + counts[i]!) as tf.Tensor2D[];
      at += own.length;
      return policy.forward(own);
    });
  }
}

/**
 * The same policy, its `act` one call where it is a network and somebody compiles. `dispose` frees what was compiled:
 * the policy stays the caller's.
 */
export function compiledPolicy(policy: Policy, compile: Compile | undefined): Policy {
  const network = compile && policy instanceof NetworkPolicy;
  const alone = network ? new CompiledPolicies(compile, [policy]) : undefined;
  return around(policy, {
    act: async (frame, memory) =>
      alone ? (await alone.act(frame, [memory]))[0]! : policy.act(frame, memory),
    dispose: () => alone?.dispose(),
  });
}
