import { loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import { isOnnxPath, loadOnnx } from "../../policies/onnx/onnx-policy.ts";
import type { Policy } from "../../policies/policy.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { findCheckpoint } from "../runs/find-checkpoint.ts";

export interface LoadOptions {
  /** Observation groups it gets, concatenated in this order. Default: those it was trained on, else `policy`. */
  readonly reads?: readonly string[];
  /** Between its layers, where neither the file nor an agent.yaml near it says: `elu`, `tanh` … */
  readonly activation?: string;
  /** What two outputs per action are, where nothing near the file says. */
  readonly distribution?: "gaussian" | "beta";
  /** Which network of a distillation checkpoint. Default: the student. */
  readonly role?: "student" | "teacher";
  /** Which input of an ONNX graph takes the observations, which output is the actions; default: the only ones. */
  readonly ports?: { readonly input?: string; readonly output?: string };
  /** Where TensorFlow computes, for the whole process. Default: `cpu`. */
  readonly device?: string;
  /** Folder of experiments, for `latest` and `best`. Default: `logs/rsl_rl`. */
  readonly logRoot?: string;
}

/**
 * The policy in a file (.pt, .pth, .onnx, TorchScript), a run folder, or `latest` or `best` of the newest run.
 *
 *     const policy = await loadPolicy("logs/rsl_rl/quadcopter_distillation/DATE");
 *     const frame = { observations: { policy: Float32Array }, started: Uint8Array.of(1) }; // [numEnvs, width], [numEnvs]
 *     const { actions, memory } = await policy.act(frame, policy.initialMemory(1));
 *
 * What it does not know of the network is never guessed: as in `train` it asks for it.
 *
 * @throws CheckpointError for the file, PolicyError for what flies, RunError for the run, EngineError for the device
 */
export async function loadPolicy(file: string, options: LoadOptions = {}): Promise<Policy> {
  const { reads, ports, device = "cpu", logRoot = "logs/rsl_rl", ...choices } = options;
  const path = await findCheckpoint(file, { logRoot });
  await startEngine(parseDevice(device).device);
  const usual = reads ?? ((own: readonly string[] | undefined) => own ?? ["policy"]);
  if (isOnnxPath(path)) return (await loadOnnx(path, usual, ports)).policy;
  const { policy } = await loadTeacher(path, { ...choices, assume: false, reads });
  return policy;
}
