import type { EnvSpec, TensorSpec } from "../../protocol/spec.ts";
import type { Rules } from "../inside/setting-rules.ts";
import { monitorReadings, stateReadings } from "./monitor.ts";
import { bodyRules, commonRules, type PatientSettings, variabilityRules } from "./settings.ts";

/** Said to whoever connects, and wherever the simulator or its flights are shown. */
export const researchOnly =
  "simulated anaesthesia is for research, not for patients: nothing here may guide the care of anybody";

export interface PatientTask {
  readonly name: string;
  readonly rules: Rules;
}

/** Names in the order in which they are listed. */
export const patientTasks: readonly PatientTask[] = [
  {
    // Somebody else in every episode.
    name: "anaesthesia",
    rules: { ...commonRules, ...bodyRules, ...variabilityRules(1) },
  },
  {
    // Thirteen who are in everybody's papers: environment i begins with the one after i − 1's.
    name: "anaesthesia-13",
    rules: { ...commonRules, ...variabilityRules(0) },
  },
];

/** Spelt as in America. */
export const patientAliases: Readonly<Record<string, string>> = {
  anesthesia: "anaesthesia",
  "anesthesia-13": "anaesthesia-13",
};

export function maxEpisodeSteps({ episodeLength, period }: PatientSettings): number {
  return Math.ceil(episodeLength / period);
}

export function specOf(task: PatientTask, numEnvs: number, settings: PatientSettings): EnvSpec {
  const { limits, period } = settings;
  return {
    task: task.name,
    numEnvs,
    controlPeriod: period,
    maxEpisodeSteps: maxEpisodeSteps(settings),
    autoreset: "same_step",
    observations: { policy: tensorOf(monitorReadings), state: tensorOf(stateReadings) },
    action: {
      dtype: "<f4",
      shape: [2],
      names: ["propofol", "remifentanil"],
      units: ["mg/s", "µg/s"],
      low: [0, 0],
      high: [limits.propofol, limits.remifentanil],
    },
    capabilities: ["bitwise", "snapshot"],
  };
}

function tensorOf(readings: typeof monitorReadings): TensorSpec {
  return {
    dtype: "<f4",
    shape: [readings.length],
    names: readings.map(({ name }) => name),
    units: readings.map(({ unit }) => unit),
  };
}
