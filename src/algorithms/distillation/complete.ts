import { resolve } from "node:path";
import { findAgentConfig } from "../../../policies/checkpoint/agent-config.ts";
import { readCheckpointFile } from "../../../policies/checkpoint/checkpoint-file.ts";
import { type ConfiguredGroups, planFlight } from "../../../policies/checkpoint/load-teacher.ts";
import { isOnnxPath } from "../../../policies/onnx/onnx-policy.ts";
import { slatePilots } from "../../../policies/pilots/slates.ts";
import { ConfigError } from "../../config/config-error.ts";
import { findCheckpoint } from "../../runs/find-checkpoint.ts";
import type { DistillationConfig } from "./settings.ts";

/** Teachers that are no files. */
const PILOTS: readonly string[] = ["hover", "pid", "simulator", ...slatePilots];
/** What a run calls the one group that there is: in another simulator it may be called otherwise. */
const GENERIC = ["policy", "obs", "actor"];

/**
 * What only the teacher's file can say: which file is meant, and the observation groups that its own run was
 * configured with, where nobody names others. A file that can't be flown is refused here already, before a
 * simulator is waited for. A run that goes on has its teacher in its checkpoint.
 *
 * @throws ConfigError `other-groups` when the groups that are named contradict the teacher's own
 * @throws CheckpointError, PolicyError as `planFlight`
 */
export async function complete(
  config: DistillationConfig,
  { resumed }: { readonly resumed: boolean },
): Promise<DistillationConfig> {
  const { checkpoint: given, log_root: logRoot } = config;
  if (resumed || given === null || PILOTS.includes(given)) return config;
  const checkpoint = await findCheckpoint(given, { logRoot });
  const own = await configuredGroups(checkpoint, config);
  // Whoever reads agent.yaml later may stand somewhere else.
  const found = { ...config, checkpoint: resolve(checkpoint) };
  if (own === undefined || isGeneric(own.groups)) return found;
  const { teacher } = config.obs_groups;
  if (teacher === null) {
    return { ...found, obs_groups: { ...config.obs_groups, teacher: own.groups } };
  }
  if (contradict(teacher, own.groups)) throw otherGroups(checkpoint, teacher, own);
  return found;
}

/** Groups by the configuration beside the file, once it is known that the file can be flown. */
async function configuredGroups(
  path: string,
  { policy }: DistillationConfig,
): Promise<ConfiguredGroups | undefined> {
  if (!isOnnxPath(path)) {
    const plan = await planFlight(path, await readCheckpointFile(path), {
      activation: policy.teacher_activation ?? undefined,
      assume: policy.assume_activation,
      distribution: policy.teacher_distribution ?? undefined,
    });
    return plan.configured;
  }
  const config = await findAgentConfig(path, "actor");
  return config?.groups && { groups: config.groups, path: config.path };
}

function isGeneric(groups: readonly string[]): boolean {
  return groups.length === 1 && GENERIC.includes(groups[0]!);
}

/** Other names may stand for the same groups in another simulator; the same names in another order or number can't. */
function contradict(named: readonly string[], own: readonly string[]): boolean {
  const same = named.length === own.length && named.every((group, i) => group === own[i]);
  if (same) return false;
  return named.every((group) => own.includes(group)) || own.every((group) => named.includes(group));
}

function otherGroups(path: string, named: readonly string[], own: ConfiguredGroups): ConfigError {
  return new ConfigError(
    "other-groups",
    `The teacher ${path} was trained on the observation groups [${own.groups.join(", ")}], in this order, by ${own.path}; obs_groups.teacher is [${named.join(", ")}]`,
    "Leave obs_groups.teacher out: it is then read from that file.",
  );
}
