import type { StepResult } from "../../protocol/frame.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { EpisodeReport } from "../episode-report.ts";
import { clinicalFigures } from "./clinical-figures.ts";
import { stateReadings } from "./monitor.ts";

const group = "state";
const column = stateReadings.findIndex(({ name }) => name === "bis_true");

/** Clinical figures of each operation, from the true BIS; undefined where the simulator does not show it. */
export function clinicalReport({
  numEnvs,
  controlPeriod,
  observations,
}: EnvSpec): EpisodeReport | undefined {
  const width = observations[group]?.shape[0];
  if (width !== stateReadings.length) return undefined;
  const records = Array.from({ length: numEnvs }, (): number[] => []);
  return {
    note({ frame, final }: StepResult): void {
      const now = frame.observations[group]!;
      for (let row = 0; row < numEnvs; row++) {
        if (frame.started[row] === 0) records[row]!.push(now[row * width + column]!);
      }
      // Where an episode ended, `now` is the next one's first.
      for (const [at, row] of final?.rows.entries() ?? []) {
        records[row]!.push(final!.observations[group]![at * width + column]!);
      }
    },
    end(row: number): Record<string, number | undefined> {
      const bis = records[row]!;
      records[row] = [];
      if (bis.length === 0) return {};
      const figures = clinicalFigures({ bis, period: controlPeriod });
      return {
        time_in_40_60: figures.timeInRange,
        minutes_to_bis_55: figures.timeToTarget,
        bis_nadir: figures.nadir,
        iae_bis_minutes: figures.integratedAbsoluteError,
        mdpe: figures.mdpe,
        mdape: figures.mdape,
        wobble: figures.wobble,
        divergence: figures.divergence,
      };
    },
  };
}
