import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Acting } from "../../learning/acting.ts";
import type { ParameterGroup } from "../../learning/owners.ts";
import { arraysUnder, loadParameters, readParameters } from "../../learning/parameters.ts";

const statisticsPrefix = "normalisers/student/";

/** The one group of the one owner. */
export function studentGroup({ network: { parameters } }: NetworkPolicy): ParameterGroup {
  return { name: "student", owner: "student", parameters };
}

/**
 * The student's weights and statistics, as a learner's state names them.
 *
 * @param options remembers: whether past rollouts are learned from again. A student that learns from its newest
 *   flight alone, and flies with weights of before the last one, corrects what it has corrected already: it needs
 *   half as many iterations more. While the teacher flies, or with a buffer, that is no loss.
 */
export function studentActing(
  student: NetworkPolicy,
  { remembers = false }: { readonly remembers?: boolean } = {},
): Acting {
  const { normaliser } = student;
  const groups = [studentGroup(student)];
  return {
    async give() {
      const statistics = Object.entries(normaliser?.save() ?? {});
      const named = statistics.map(([name, array]) => [statisticsPrefix + name, array] as const);
      return { ...(await readParameters(groups)), ...Object.fromEntries(named) };
    },
    take(arrays) {
      loadParameters(groups, arrays);
      normaliser?.load(arraysUnder(statisticsPrefix, arrays));
    },
    mayLag: ({ settings }) => remembers || settings.teacher_share === 1,
  };
}
