import { createActorPolicy } from "../../policies/checkpoint/actor-policy.ts";
import {
  checkOwnExample,
  type FlightPlan,
  planFlight,
} from "../../policies/checkpoint/load-teacher.ts";
import { optimiserOrder, reorderOptimiser } from "../../policies/checkpoint/optimiser-order.ts";
import { type RslRlCheckpoint, readRslRl } from "../../policies/checkpoint/rsl-rl.ts";
import { checkWritable, writeRslRlDistillation } from "../../policies/checkpoint/rsl-rl-write.ts";
import { recordExample } from "../../policies/flight-example.ts";
import { buildGraph } from "../../policies/graph/build-graph.ts";
import { modelError, type RunModel } from "../../policies/graph/model-error.ts";
import type { PolicyGraph } from "../../policies/graph/policy-graph.ts";
import { runTfjs } from "../../policies/graph/run-tfjs.ts";
import { writeTfjs } from "../../policies/graph/write-tfjs.ts";
import { groupsEntry } from "../../policies/observation-groups.ts";
import { findOnnxRuntime, openOnnx } from "../../policies/onnx/onnx-runtime.ts";
import { writeOnnx } from "../../policies/onnx/write-onnx.ts";
import { PolicyError } from "../../policies/policy-error.ts";

/** What an export has made, not yet written. */
export interface Made {
  /** Without a name: the output itself is this file; else files in the output folder. */
  readonly files: readonly { readonly name?: string; readonly bytes: Uint8Array | string }[];
  /** run.json, which goes beside a file that is called model_N.pt, unless there is one. */
  readonly manifest?: string;
  /** In the folder `exported`. */
  readonly defaultName: string;
  /** One line: by what it was checked. */
  readonly checked: string;
  readonly maxError?: number;
  readonly notes: readonly string[];
}

export interface ModelRequest {
  readonly file: string;
  readonly checkpoint: RslRlCheckpoint;
  readonly plan: FlightPlan;
  readonly batch: 1 | "dynamic";
}

/** Between an exported model and the policy. */
const tolerance = 1e-5;

/** @throws PolicyError `export-differs` */
export async function exportOnnx(request: ModelRequest): Promise<Made> {
  const { plan, batch } = request;
  const { graph, metadata, notes } = modelOf(request);
  const bytes = writeOnnx(graph, { batch, metadata, producerVersion: "" });
  const made = { files: [{ bytes }], defaultName: `${nameOf(plan)}.onnx`, notes };
  if (findOnnxRuntime() === undefined) {
    const checked = "not checked: onnxruntime-node is not installed, which would fly it";
    return { ...made, checked };
  }
  const session = await openOnnx(bytes, "the exported model");
  const flown = { run: session.run, together: batch === "dynamic" };
  const maxError = await checked(request, graph, flown).finally(session.dispose);
  return { ...made, maxError, checked: verdict("onnxruntime", maxError) };
}

/** @throws PolicyError `export-differs` */
export async function exportTfjs(request: ModelRequest): Promise<Made> {
  const { graph, metadata, notes } = modelOf(request);
  const model = writeTfjs(graph, metadata);
  const run: RunModel = (inputs) => runTfjs(model, inputs);
  const maxError = await checked(request, graph, { run, together: true });
  return {
    files: [
      { name: "model.json", bytes: model.modelJson },
      { name: "weights.bin", bytes: model.weights },
    ],
    defaultName: request.plan.role === "teacher" ? "tfjs-teacher" : "tfjs",
    notes,
    maxError,
    checked: verdict("TensorFlow.js", maxError),
  };
}

/** The whole checkpoint in another version's layout. @throws CheckpointError, PolicyError `no-student` */
export async function exportCheckpoint(
  file: string,
  checkpoint: RslRlCheckpoint,
  version: number,
): Promise<Made> {
  if (checkpoint.kind !== "distillation") {
    throw new PolicyError(
      "no-student",
      `${file} holds one policy: a distillation checkpoint of rsl_rl needs a student and a teacher`,
      "Give a run of distillation; one policy alone goes as --format onnx or tfjs.",
    );
  }
  const { student, teacher } = checkpoint;
  const empty = teacher.actionWidth === 0;
  const flown = empty ? teacher : await planFlight(file, checkpoint, { role: "teacher" });
  checkWritable(version, student, { ...flown, ...teacher });
  const [from, to] = [
    optimiserOrder(checkpoint.version, checkpoint),
    optimiserOrder("5", checkpoint),
  ];
  const optimiser = reorderOptimiser(checkpoint.optimiser, from, to);
  const bytes = writeRslRlDistillation({ ...checkpoint, optimiser }, version);
  // Whoever reads it finds what was read here, or hears of it.
  readRslRl(bytes, "the exported checkpoint");
  return {
    files: [{ bytes }],
    defaultName: `rsl_rl-${version}/model_${checkpoint.iteration}.pt`,
    checked: "checked: it reads back",
    notes: empty ? ["its teacher is no network: rsl_rl loads the student only"] : [],
  };
}

function modelOf({ checkpoint, plan }: ModelRequest) {
  const { actor, activation, head, history, role, vision } = plan;
  const metadata = {
    role,
    activation,
    iteration: `${checkpoint.iteration}`,
    ...groupsEntry(plan.reads),
    ...(history > 1 && { history: `${history}` }),
    ...(vision && { groups: JSON.stringify(vision.groups) }),
  };
  const stacked = `obs is the last ${history} observations side by side, oldest first, zeros before the first of an episode`;
  const seen = vision?.groups.map(({ name, shape }) => `${name} [${shape}]`).join(", ");
  const pictures = `obs is ${seen} side by side, bytes of pictures as numbers from 0 to 255`;
  const notes = [...plan.notes, ...(history > 1 ? [stacked] : []), ...(vision ? [pictures] : [])];
  return { graph: buildGraph({ actor, activation, head, vision }), metadata, notes };
}

function nameOf({ role }: FlightPlan): string {
  return role === "teacher" ? "teacher" : "policy";
}

/** Flies the policy, which is first held against the example in its checkpoint, and the model beside it. */
async function checked(
  { file, checkpoint, plan }: ModelRequest,
  graph: PolicyGraph,
  flown: { readonly run: RunModel; readonly together: boolean },
): Promise<number> {
  const original = createActorPolicy({ ...plan, reads: ["obs"] });
  await checkOwnExample(original, checkpoint, plan.role, file);
  original.dispose();
  // A model has no history of its own: it is given the observations side by side.
  const policy = createActorPolicy({ ...plan, history: 1, reads: ["obs"] });
  const example = await recordExample(policy);
  policy.dispose();
  const error = await modelError(graph, example, flown);
  if (error <= tolerance) return error;
  throw new PolicyError(
    "export-differs",
    `the exported model's actions are off by ${error.toExponential(1)} from those of ${file}, at most ${tolerance} is accepted; nothing was written`,
    "Report this, with the checkpoint.",
  );
}

function verdict(by: string, error: number): string {
  return `checked with ${by}: largest error ${error.toExponential(1)}, at most ${tolerance} accepted`;
}
