import { createActorPolicy } from "../../../policies/checkpoint/actor-policy.ts";
import { checkOwnExample } from "../../../policies/checkpoint/load-teacher.ts";
import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Policy } from "../../../policies/policy.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import type { SavedRun } from "../algorithm.ts";
import { checkLoadedFit } from "../fit.ts";
import { savedTeacher } from "./load-teacher.ts";
import type { DistilledPolicies } from "./run-checkpoint.ts";

/** The student and the teacher that a checkpoint holds, for evaluation. */
export async function policiesOf(
  { own, path }: SavedRun,
  spec: EnvSpec,
): Promise<{ readonly student: Policy; readonly teacher: Policy }> {
  const saved = own as DistilledPolicies;
  const student = await savedStudent(saved, { spec, path });
  try {
    const { policy: teacher } = await savedTeacher(saved, { spec, path });
    return { student, teacher };
  } catch (error) {
    student.dispose();
    throw error;
  }
}

async function savedStudent(
  { student: facts, file }: DistilledPolicies,
  { spec, path }: { readonly spec: EnvSpec; readonly path: string },
): Promise<NetworkPolicy> {
  const policy = createActorPolicy({ ...facts, actor: file.student });
  checkLoadedFit("The run's student", policy, spec);
  await checkOwnExample(policy, file, "student", path);
  return policy;
}
