import type { Frame } from "../../protocol/frame.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { Flown, Memory, Policy } from "../policy.ts";
import { PolicyError } from "../policy-error.ts";

/** A controller of BIS by propofol, with remifentanil in a fixed proportion. */
export interface PidGains {
  /** mg/s of propofol per point of BIS. */
  readonly proportional: number;
  /** s */
  readonly integralTime: number;
  /** s */
  readonly derivativeTime: number;
  /** The derivative is filtered with derivativeTime / derivativeFilter. */
  readonly derivativeFilter: number;
  /** µg of remifentanil per mg of propofol. */
  readonly ratio: number;
  /** mg/s of propofol: beyond these an integral that would hold on is set back. */
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Tuned for the maintenance of anaesthesia (the example of python-anesthesia-simulator). Weak in
 * induction, where it overshoots.
 */
export const maintenanceGains: PidGains = {
  proportional: 0.10996042,
  integralTime: 159.10806,
  derivativeTime: 10,
  derivativeFilter: 5,
  ratio: 2,
  lowest: 0,
  highest: 8.335,
};

/** What it holds BIS at. */
export const targetBis = 50;

/** What a patient who is awake is taken to show before the first reading. */
export const awakeBis = 100;

/** Both parts in points of BIS. */
export interface PidState {
  readonly integral: number;
  readonly derivative: number;
  readonly lastBis: number;
}

export const freshPid: PidState = { integral: 0, derivative: 0, lastBis: awakeBis };

/**
 * One control step: u = Kp·(e + I + D) mg/s, e being BIS − 50, not held within the limits of a pump.
 *
 * @param period s since the last one
 */
export function pidStep(
  bis: number,
  state: PidState,
  { gains, period }: { readonly gains: PidGains; readonly period: number },
): { readonly rate: number; readonly state: PidState } {
  const { proportional, integralTime, derivativeTime, derivativeFilter, lowest, highest } = gains;
  const error = bis - targetBis;
  const filter = derivativeTime / derivativeFilter;
  const change = derivativeTime * (bis - state.lastBis);
  const derivative = (state.derivative * filter + change) / (period + filter);
  let integral = state.integral + (error * period) / integralTime;
  let rate = proportional * (error + integral + derivative);
  const bound = rate >= highest ? highest : rate <= lowest ? lowest : undefined;
  // A bound is left at once when the error turns, however long the integral was wound up.
  if (bound !== undefined && rate * error <= 0) {
    integral = bound / proportional - error - derivative;
    rate = bound;
  }
  return { rate, state: { integral, derivative, lastBis: bis } };
}

/** s: deciding less often than this, the gain that was tuned for a reading each second overshoots. */
const longestPeriod = 10;

/** The same controller at a slower pace: what it gives in one period grows no further. */
export function pacedGains(gains: PidGains, period: number): PidGains {
  return { ...gains, proportional: gains.proportional * Math.min(1, longestPeriod / period) };
}

export interface PidOptions {
  readonly spec: EnvSpec;
  /** The observation group that shows BIS. */
  readonly group: string;
}

/** Where the pilot finds what it needs, by names: `bis`, and both rates in mg/s and µg/s. */
interface Layout {
  readonly group: string;
  readonly width: number;
  readonly bis: number;
  readonly actions: number;
  readonly propofol: number;
  readonly remifentanil: number;
}

/** Numbers of its memory per environment: integral, derivative, how far the last BIS was below `awakeBis`. */
const memoryWidth = 3;

/**
 * The PID at the bedside: reads `bis` of one group and gives `propofol` and `remifentanil`, each
 * within the limits of its pump. Its memory is a row per environment.
 *
 * @throws PolicyError `other-task` where the task shows no `bis` or takes other actions
 */
export function createPid({ spec, group }: PidOptions): Policy {
  const layout = layoutOf(spec, group);
  const { controlPeriod: period, action } = spec;
  const gains = pacedGains(maintenanceGains, period);
  const within = (rate: number, component: number) =>
    Math.min(action.high[component]!, Math.max(action.low[component]!, rate));
  const act = (frame: Frame, memory: Memory): Flown => {
    const rows = frame.started.length;
    const seen = readingsOf(frame, layout);
    const next = memory[0]!.slice();
    const actions = new Float32Array(rows * layout.actions);
    for (let row = 0; row < rows; row++) {
      const at = row * memoryWidth;
      if (frame.started[row] === 1) next.fill(0, at, at + memoryWidth);
      const state = stateAt(next, at);
      const bis = seen[row * layout.width + layout.bis]!;
      const stepped = pidStep(bis, state, { gains, period });
      keepState(stepped.state, next, at);
      const { propofol, remifentanil } = layout;
      actions[row * layout.actions + propofol] = within(stepped.rate, propofol);
      const second = gains.ratio * stepped.rate;
      actions[row * layout.actions + remifentanil] = within(second, remifentanil);
    }
    return { actions, memory: [next] };
  };
  return {
    reads: [group],
    observationWidth: layout.width,
    actionWidth: layout.actions,
    initialMemory: (numEnvs) => [new Float32Array(numEnvs * memoryWidth)],
    act: async (frame, memory) => act(frame, memory),
    dispose: () => {},
  };
}

function stateAt(memory: Float32Array, at: number): PidState {
  const [integral, derivative, below] = [memory[at]!, memory[at + 1]!, memory[at + 2]!];
  return { integral, derivative, lastBis: awakeBis - below };
}

function keepState(state: PidState, memory: Float32Array, at: number): void {
  memory[at] = state.integral;
  memory[at + 1] = state.derivative;
  memory[at + 2] = awakeBis - state.lastBis;
}

function readingsOf({ observations, started }: Frame, { group, width }: Layout) {
  const seen = observations[group];
  if (seen?.length === started.length * width) return seen;
  const got = seen === undefined ? "no such group" : seen.length / started.length;
  throw new PolicyError(
    "observation-width",
    `the PID reads ${width} numbers from the group ${JSON.stringify(group)}, got ${got}`,
    "Fly it in the task that it was made for.",
  );
}

function layoutOf({ task, observations, action }: EnvSpec, group: string): Layout {
  const names = observations[group]?.names ?? [];
  const bis = names.indexOf("bis");
  const drugs = action.names ?? [];
  const propofol = drugs.indexOf("propofol");
  const remifentanil = drugs.indexOf("remifentanil");
  if (bis < 0 || propofol < 0 || remifentanil < 0 || drugs.length !== 2) {
    throw new PolicyError(
      "other-task",
      `the PID holds BIS by propofol and remifentanil; the group ${JSON.stringify(group)} of task '${task}' shows [${names.join(", ")}], and its actions are [${drugs.join(", ")}]`,
      "It flies the tasks of anaesthesia: --task anaesthesia. Name another pilot or file for this one.",
    );
  }
  return { group, width: names.length, bis, actions: drugs.length, propofol, remifentanil };
}
