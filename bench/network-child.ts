/** Measures one engine, prints median milliseconds by case: `network-child.js JOB`, JSON both. */
import { createMlp } from "../policies/networks/mlp.ts";
import { NetworkPolicy } from "../policies/networks/network-policy.ts";
import { createRecurrent } from "../policies/networks/recurrent.ts";
import { Random } from "../policies/random.ts";
import { Distillation } from "../src/algorithms/distillation/distillation.ts";
import { createTd3Bc } from "../src/algorithms/td3_bc/learner.ts";
import { td3BcSettings } from "../src/algorithms/td3_bc/settings.ts";
import { compileWith } from "../src/engine/compile/compile.ts";
import { startEngine } from "../src/engine/start.ts";
import { CompiledPolicies } from "../src/learning/compiled-policies.ts";
import {
  acts,
  type Case,
  learnsOffline,
  type NetworkFigures,
  type NetworkJob,
  nameOf,
} from "./network-cases.ts";
import { median, timed } from "./timing.ts";

const inputWidth = 12;
const outputWidth = 4;
/** Optimiser steps of one update: its upload and its readback are shared among them. */
const updateSteps = 10;
const random = new Random(1);
const stage = {
  ...{ name: "bench", index: 0, of: 1, iteration: 0, length: 1, progress: 0 },
  settings: {},
};

const job = JSON.parse(process.argv[2] ?? "null") as NetworkJob;
try {
  const engine = await startEngine(job.device, { threads: job.threads });
  const milliseconds: Record<string, number> = {};
  for (const one of job.cases) milliseconds[nameOf(one)] = await measureCase(one, job.seconds);
  const figures: NetworkFigures = { engine: engine.description, milliseconds };
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`, () => process.exit(1));
}

async function measureCase(one: Case, seconds: number): Promise<number> {
  const { kind, rows, width } = one;
  if (learnsOffline(one)) return measureOffline(one, seconds);
  const hidden = [width, width, width];
  const mlp = { inputWidth, outputWidth, hidden, activation: "elu", random: random.uniform };
  const unrolls = kind === "unroll";
  const rnn = { type: "gru", width, layers: 1 } as const;
  const policies = Array.from({ length: kind === "both" ? 2 : 1 }, () => {
    const network = unrolls ? createRecurrent({ ...mlp, rnn }) : createMlp(mlp);
    return new NetworkPolicy({ network, reads: ["policy"] });
  });
  const steps = unrolls ? 15 : 1;
  const action = acts(one) ? acting(policies, rows) : updating(policies[0]!, rows, steps);
  const perAction = acts(one) ? 1 : updateSteps;
  const warmUp = acts(one) ? 20 : 2;
  const durations = await timed(action, { warmUp, seconds, least: 3 });
  for (const policy of policies) policy.dispose();
  return (1000 * median(durations)) / perAction;
}

/** Updates as a run takes them: batches of recorded flights, every second with a step of the actor. */
async function measureOffline({ kind, rows, width }: Case, seconds: number): Promise<number> {
  const [observationWidth, actionWidth] = [17, 6];
  const hidden = [width, width];
  const settings = td3BcSettings.parse({
    ...{ actor_hidden_dims: hidden, critic_hidden_dims: hidden },
    layer_norm: kind === "td3_bc with LayerNorm",
  });
  const statistics = {
    mean: new Float32Array(observationWidth),
    std: new Float32Array(observationWidth).fill(1),
    count: 1,
  };
  const high = new Array<number>(actionWidth).fill(1);
  const action = { low: high.map((bound) => -bound), high };
  const site = { reads: ["policy"], observationWidth, action, statistics, seed: 1 };
  const learner = createTd3Bc(settings, { ...site, compile: compileWith(job.compile) });
  const all = updateSteps * rows;
  const arrays = {
    "obs/policy": normal(all * observationWidth),
    "next/policy": normal(all * observationWidth),
    actions: normal(all * actionWidth),
    rewards: normal(all),
    terminated: new Uint8Array(all),
    truncated: new Uint8Array(all),
  };
  const experience = { steps: updateSteps, numEnvs: rows, arrays };
  const update = () => learner.update(experience, stage);
  const durations = await timed(update, { warmUp: 2, seconds, least: 3 });
  learner.dispose();
  return (1000 * median(durations)) / updateSteps;
}

function acting(policies: readonly NetworkPolicy[], rows: number): () => Promise<unknown> {
  const observations = { policy: normal(rows * inputWidth) };
  const frame = { observations, started: new Uint8Array(rows) };
  const together = new CompiledPolicies(compileWith(job.compile), policies);
  return async () => {
    if (job.compile === "off") for (const policy of policies) await policy.act(frame, []);
    else await together.act(frame, [[], []]);
  };
}

/** Time steps of `rows` environments, passed over `updateSteps` times, each pass an optimiser step. */
function updating(policy: NetworkPolicy, rows: number, steps: number): () => Promise<unknown> {
  const learner = new Distillation(policy, {
    compile: compileWith(job.compile),
    settings: { num_learning_epochs: updateSteps, gradient_length: steps, max_grad_norm: 1 },
  });
  const observations = normal(steps * rows * inputWidth);
  const actions = normal(steps * rows * outputWidth);
  const memory = policy.initialMemory(rows).map((state, i) => [`memory/${i}`, state] as const);
  const experience = {
    steps,
    numEnvs: rows,
    arrays: {
      "obs/policy": observations,
      "after/policy": observations.subarray(0, rows * inputWidth),
      "notes/teacher_actions": actions,
      terminated: new Uint8Array(steps * rows),
      truncated: new Uint8Array(steps * rows),
      ...Object.fromEntries(memory),
    },
  };
  return () => learner.update(experience, stage);
}

function normal(length: number): Float32Array {
  return Float32Array.from({ length }, random.normal);
}
