import type { Settings } from "../../protocol/settings.ts";
import type { Rule, Rules } from "../inside/setting-rules.ts";
import { typicalPressure } from "./models/arterial-pressure.ts";
import { propofolLimit, remifentanilLimit } from "./models/pumps.ts";

const number = (fallback: number, least: number, most: number): Rule => ({
  ...{ kind: "number", fallback, least, most },
});

const range = (fallback: readonly [number, number], least: number, most: number): Rule => ({
  ...{ kind: "interval", fallback, least, most },
});

/** Settings of every task of anaesthesia. Bounds keep the models where they hold. */
export const commonRules = {
  /** s between two decisions. */
  control_period_s: number(10, 1, 60),
  episode_length_s: number(3600, 60, 14_400),
  /** mg/s and µg/s: as fast as the pumps go. */
  "limits.propofol": number(propofolLimit, 0.01, 100),
  "limits.remifentanil": number(remifentanilLimit, 0.01, 100),
  /** Whether the operation is felt; without it anaesthesia is all there is. */
  "disturbance.surgery": { kind: "flag", fallback: true },
  /** Drawn for every episode: times the profile, and s by which it comes later. */
  "disturbance.strength": range([1, 1], 0, 3),
  "disturbance.delay_s": range([0, 0], 0, 3600),
  /** Standard deviations of what the monitor shows: BIS after its filter, and mmHg. */
  "noise.bis": number(1.48, 0, 20),
  "noise.map": number(5, 0, 50),
  /** mmHg without drugs, drawn for every episode. */
  map_base: range([typicalPressure, typicalPressure], 40, 160),
} satisfies Rules;

/** Times the published spread between patients; 0: everybody answers as the typical patient of that body. */
export const variabilityRules = (fallback: number): Rules => ({
  "variability.kinetics": number(fallback, 0, 2),
  "variability.response": number(fallback, 0, 2),
});

/** Bodies that are drawn: years, cm, kg/m². */
export const bodyRules: Rules = {
  "random.age": range([18, 70], 18, 90),
  "random.height": range([150, 190], 140, 210),
  "random.body_mass_index": range([18.5, 32], 15, 45),
};

type Range = readonly [low: number, high: number];

/** The settings as the simulator wants them. */
export interface PatientSettings {
  readonly period: number;
  readonly episodeLength: number;
  readonly limits: { readonly propofol: number; readonly remifentanil: number };
  readonly surgery: boolean;
  readonly strength: Range;
  readonly delay: Range;
  readonly noise: { readonly bis: number; readonly pressure: number };
  readonly pressure: Range;
  readonly variability: { readonly kinetics: number; readonly response: number };
  /** Absent: bodies come from a table. */
  readonly bodies?: { readonly age: Range; readonly height: Range; readonly bodyMassIndex: Range };
}

export function patientSettings(all: Settings): PatientSettings {
  const number = (name: string) => all[name] as number;
  const range = (name: string) => all[name] as unknown as Range;
  return {
    period: number("control_period_s"),
    episodeLength: number("episode_length_s"),
    limits: {
      propofol: number("limits.propofol"),
      remifentanil: number("limits.remifentanil"),
    },
    surgery: all["disturbance.surgery"] === true,
    strength: range("disturbance.strength"),
    delay: range("disturbance.delay_s"),
    noise: { bis: number("noise.bis"), pressure: number("noise.map") },
    pressure: range("map_base"),
    variability: {
      kinetics: number("variability.kinetics"),
      response: number("variability.response"),
    },
    ...("random.age" in all && {
      bodies: {
        age: range("random.age"),
        height: range("random.height"),
        bodyMassIndex: range("random.body_mass_index"),
      },
    }),
  };
}
