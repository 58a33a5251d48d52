import { elementsOf } from "../../../policies/named-array.ts";
import { withHistory } from "../../../policies/networks/history.ts";
import { createMlp } from "../../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { Normaliser } from "../../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../../policies/networks/recurrent.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import { groupsWidth } from "../fit.ts";
import type { DistillationConfig } from "./settings.ts";

/** @throws RunningError when the simulator lacks an observation group the student should read. */
export function createStudent(config: DistillationConfig, spec: EnvSpec): NetworkPolicy {
  const { student_hidden_dims, activation, student_obs_normalization } = config.policy;
  const { rnn_type, rnn_hidden_dim, rnn_num_layers, history_length } = config.policy;
  const reads = config.obs_groups.student ?? ["policy"];
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
