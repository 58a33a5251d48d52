import {
  freshPid,
  maintenanceGains,
  type PidGains,
  type PidState,
  pidStep,
  targetBis,
} from "../../../../policies/pilots/pid.ts";
import {
  Disturbance,
  incision,
  type Profile,
  step,
  surgery,
} from "../../../../sim-adapters/patient/models/disturbance.ts";
import { OnePatient } from "../../../../sim-adapters/patient/models/one-patient.ts";
import { propofolLimit, remifentanilLimit } from "../../../../sim-adapters/patient/models/pumps.ts";
import { saidIn } from "../document-schema.ts";
import type { StepTimes } from "./control-figures.ts";
import type { LoopCase } from "./loop-file.ts";

/** A closed loop: what was read at every step, and the rates until the next one. */
export interface Flown {
  readonly bis: Float64Array;
  readonly pressure: Float64Array;
  readonly propofol: Float64Array;
  readonly remifentanil: Float64Array;
  /** s */
  readonly ts: number;
  readonly times: StepTimes;
}

interface LoopOptions {
  /** The file's own words: gains stand in them. */
  readonly source: string;
  readonly ts: number;
  /** Control steps; behind the last one nothing is infused. */
  readonly steps: number;
  /** BIS at time zero, where the file says it. */
  readonly start: number | undefined;
  readonly refuse: (what: string) => Error;
}

/** Of files that say none, as of the package: a step of BIS and of mmHg, in s. */
const usualTimes: StepTimes = { start: 600, end: 1200 };
const stepHeight = { bis: 10, pressure: 5 };

/**
 * The loop as the package flies it: the PID acts on what is read, the infusion is held for one step,
 * and what is read then carries the disturbance of the step's beginning.
 */
export function flyLoop(one: LoopCase, options: LoopOptions): Flown {
  const { source, ts, steps } = options;
  const pressureBase = one.map_base ?? saidIn(source, "map_base");
  const patient = new OnePatient(one.patient, {
    period: ts,
    ...(one.hill && { hill: one.hill }),
    ...(pressureBase !== undefined && { pressure: pressureBase }),
  });
  const gains = gainsOf(source);
  const times = {
    start: one.start_step ?? saidIn(source, "start_step") ?? usualTimes.start,
    end: one.end_step ?? saidIn(source, "end_step") ?? usualTimes.end,
  };
  const disturbance = new Disturbance(profileOf(one, times));
  let state = one.style === "maintenance" ? settled(patient, gains, options) : freshPid;
  const readings = () => new Float64Array(steps + 1);
  const [bis, pressure, propofol, remifentanil] = [readings(), readings(), readings(), readings()];
  for (let i = 0; ; i++) {
    const [addedBis, addedPressure] = i === 0 ? [0, 0] : disturbance.at((i - 1) * ts);
    bis[i] = patient.bis + addedBis;
    pressure[i] = patient.pressure + addedPressure;
    if (i === steps) break;
    const stepped = pidStep(bis[i]!, state, { gains, period: ts });
    state = stepped.state;
    propofol[i] = within(stepped.rate, propofolLimit);
    remifentanil[i] = within(gains.ratio * stepped.rate, remifentanilLimit);
    patient.advance(propofol[i]!, remifentanil[i]!);
  }
  return { bis, pressure, propofol, remifentanil, ts, times };
}

/** The patient as after an endless infusion that holds the first BIS, and the PID that gives it. */
function settled(patient: OnePatient, gains: PidGains, { start, refuse }: LoopOptions): PidState {
  if (start === undefined) throw refuse(".rows: none is at t = 0, where maintenance begins");
  const rate = equilibrium(patient, start, gains);
  return { integral: rate / gains.proportional, derivative: 0, lastBis: targetBis };
}

function within(rate: number, most: number): number {
  return Math.min(most, Math.max(0, rate));
}

/** As the file's source says them. */
function gainsOf(source: string): PidGains {
  const said = (name: string, usual: number) => saidIn(source, name) ?? usual;
  const usual = maintenanceGains;
  return {
    proportional: said("Kp", usual.proportional),
    integralTime: said("Ti", usual.integralTime),
    derivativeTime: said("Td", usual.derivativeTime),
    derivativeFilter: said("N", usual.derivativeFilter),
    ratio: said("ratio", usual.ratio),
    lowest: said("umin", usual.lowest),
    highest: said("umax", usual.highest),
  };
}

function profileOf({ disturbance, style }: LoopCase, { start, end }: StepTimes): Profile {
  if (Array.isArray(disturbance)) return disturbance;
  const usual = { induction: "null", maintenance: "step", total: "realistic" } as const;
  switch (disturbance ?? usual[style]) {
    case "realistic":
      return surgery;
    case "simple":
      return incision;
    case "step":
      return step(start, end, stepHeight);
    default:
      return [];
  }
}

/** Leaves the patient in the state where endless infusions hold this BIS; gives mg/s of propofol. */
function equilibrium(patient: OnePatient, bis: number, { ratio }: PidGains): number {
  let [low, high] = [0, propofolLimit];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    patient.settle(middle, ratio * middle);
    if (patient.bis > bis) low = middle;
    else high = middle;
  }
  return high;
}
