import { elementsOf } from "../../../policies/named-array.ts";
import { isPictureGroup } from "../../../policies/networks/cnn/shapes.ts";
import { createVision, type VisionFacts } from "../../../policies/networks/cnn/vision.ts";
import { withHistory } from "../../../policies/networks/history.ts";
import { createMlp } from "../../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { Normaliser } from "../../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../../policies/networks/recurrent.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import { isPicture } from "../../../protocol/env-spec.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import { RunningError } from "../../running/running-error.ts";
import { groupsWidth } from "../fit.ts";
import { usualGroups } from "../usual-groups.ts";
import type { DistillationConfig } from "./settings.ts";

export function studentGroups(
  { obs_groups }: DistillationConfig,
  spec: EnvSpec,
): readonly string[] {
  if (obs_groups.student !== null) return obs_groups.student;
  const there = (groups: readonly string[]) => groups.every((name) => name in spec.observations);
  return usualGroups.find(there) ?? usualGroups[0];
}

/** Of a student that reads pictures; undefined for others. */
export function visionOf(config: DistillationConfig, spec: EnvSpec): VisionFacts | undefined {
  const reads = studentGroups(config, spec);
  groupsWidth("student", reads, spec);
  const groups = reads.map((name) => {
    const tensor = spec.observations[name]!;
    return { name, shape: isPicture(tensor) ? tensor.shape : [elementsOf(tensor.shape)] };
  });
  if (!groups.some(isPictureGroup)) return undefined;
  const { cnn_channels: channels, cnn_kernel_size: kernel, cnn_stride: stride } = config.policy;
  return { groups, channels, kernel, stride };
}

function createSeeing(
  { policy, seed }: DistillationConfig,
  vision: VisionFacts,
  spec: EnvSpec,
): NetworkPolicy {
  refuseWithPictures(policy);
  const network = createVision({
    ...vision,
    outputWidth: elementsOf(spec.action.shape),
    hidden: policy.student_hidden_dims,
    activation: policy.activation,
    random: new Random(deriveSeed(seed, "student")).uniform,
  });
  return new NetworkPolicy({ network, reads: vision.groups.map(({ name }) => name) });
}

/** @throws RunningError `not-with-pictures` */
function refuseWithPictures(policy: DistillationConfig["policy"]): void {
  const { rnn_type, history_length, student_obs_normalization } = policy;
  const wrong =
    (rnn_type !== null && "rnn_type") ||
    (history_length > 1 && "history_length") ||
    (student_obs_normalization && "student_obs_normalization");
  if (wrong === false) return;
  throw new RunningError(
    "not-with-pictures",
    `The student reads pictures, and policy.${wrong} can't be combined with them.`,
    "Drop it: earlier pictures are shown by env.camera.memory, and bytes are scaled by the network.",
  );
}

/** @throws RunningError when the simulator lacks an observation group the student should read. */
export function createStudent(config: DistillationConfig, spec: EnvSpec): NetworkPolicy {
  const vision = visionOf(config, spec);
  if (vision) return createSeeing(config, vision, spec);
  const { student_hidden_dims, activation, student_obs_normalization } = config.policy;
  const { rnn_type, rnn_hidden_dim, rnn_num_layers, history_length } = config.policy;
  const reads = studentGroups(config, spec);
  const inputWidth = groupsWidth("student", reads, spec);
  const mlp = {
    inputWidth: inputWidth * history_length,
    outputWidth: elementsOf(spec.action.shape),
    hidden: student_hidden_dims,
    activation,
    random: new Random(deriveSeed(config.seed, "student")).uniform,
  };
  const rnn = { type: rnn_type ?? "gru", width: rnn_hidden_dim, layers: rnn_num_layers };
  const network =
    rnn_type === null
      ? withHistory(createMlp(mlp), history_length)
      : createRecurrent({ ...mlp, rnn });
  const normaliser = student_obs_normalization ? new Normaliser(inputWidth) : undefined;
  return new NetworkPolicy({ network, normaliser, reads });
}
