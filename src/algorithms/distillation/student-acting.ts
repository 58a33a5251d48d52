import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Acting } from "../../learning/acting.ts";
import type { ParameterGroup } from "../../learning/owners.ts";
import { arraysUnder, loadParameters, readParameters } from "../../learning/parameters.ts";

const statisticsPrefix = "normalisers/student/";

/** The one group of the one owner. */
export function studentGroup({ network: { parameters } }: NetworkPolicy): ParameterGroup {
  return { name: "student", owner: "student", parameters };
}

/** The student's weights and statistics, as a learner's state names them. */
export function studentActing(student: NetworkPolicy): Acting {
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
  };
}
