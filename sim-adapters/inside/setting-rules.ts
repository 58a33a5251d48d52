import { ProtocolError } from "../../protocol/errors.ts";
import { checkSettingNames, type Settings, type SettingValue } from "../../protocol/settings.ts";
import { wordsOf } from "../../protocol/visible.ts";

interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** What one setting may hold. Numbers are finite and within their bounds, both included. */
export type Rule =
  | ({ readonly kind: "number" | "whole"; readonly fallback: number } & Bounds)
  | { readonly kind: "flag"; readonly fallback: boolean }
  /** `[low, high]`, low ≤ high. */
  | ({ readonly kind: "interval"; readonly fallback: readonly [number, number] } & Bounds)
  /** Principal moments of inertia: positive, none above the sum of the other two. */
  | ({ readonly kind: "inertia"; readonly fallback: readonly [number, number, number] } & Bounds)
  /** The file of the robot; only Isaac Lab's Crazyflie is built in. */
  | { readonly kind: "robot"; readonly fallback: null };

export type Rules = Readonly<Record<string, Rule>>;

/** Every setting by name: what was given, checked against its rule, else the fallback. @throws ProtocolError */
export function readSettings(given: Readonly<Record<string, unknown>>, rules: Rules): Settings {
  checkSettingNames(given as Settings, Object.keys(rules));
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => {
      const value = Object.hasOwn(given, name) ? given[name] : rule.fallback;
      return [name, read(name, rule, value)];
    }),
  );
}

function read(name: string, rule: Rule, value: unknown): SettingValue {
  switch (rule.kind) {
    case "number":
    case "whole":
      return readNumber(name, value, rule);
    case "flag":
      if (typeof value === "boolean") return value;
      return refuse(name, `got ${shown(value)}, expected true or false`);
    case "interval":
      return readInterval(name, value, rule);
    case "inertia":
      return readInertia(name, value, rule);
    case "robot":
      return readRobot(name, value);
  }
}

function readNumber(
  name: string,
  value: unknown,
  { kind, least, most }: Bounds & { kind?: Rule["kind"] },
) {
  const whole = kind !== "whole" || Number.isSafeInteger(value);
  if (typeof value === "number" && whole && value >= least && value <= most) return value;
  const what = kind === "whole" ? "a whole number" : "a number";
  return refuse(name, `got ${shown(value)}, expected ${what} from ${least} to ${most}`);
}

function readNumbers(name: string, value: unknown, bounds: Bounds, count: number): number[] {
  if (!Array.isArray(value) || value.length !== count) {
    return refuse(name, `got ${shown(value)}, expected a list of ${count} numbers`);
  }
  return value.map((item) => readNumber(name, item, bounds));
}

function readInterval(name: string, value: unknown, bounds: Bounds): readonly number[] {
  const [low, high] = readNumbers(name, value, bounds, 2) as [number, number];
  if (low > high) return refuse(name, `goes from ${low} to ${high}, expected low first`);
  return [low, high];
}

function readInertia(name: string, value: unknown, bounds: Bounds): readonly number[] {
  const moments = readNumbers(name, value, bounds, 3);
  const sum = moments.reduce((total, moment) => total + moment, 0);
  if (moments.every((moment) => moment <= sum - moment)) return moments;
  return refuse(
    name,
    `no rigid body has the moments [${moments}]`,
    "None may be greater than the sum of the other two.",
  );
}

function readRobot(name: string, value: unknown): string | null {
  if (value === null) return null;
  if (typeof value !== "string") return refuse(name, `got ${shown(value)}, expected a path`);
  if (fileName(value) === "cf2x.usd") return value;
  const problem = `got ${shown(value)}; only the Crazyflie of cf2x.usd is built in`;
  return refuse(
    name,
    problem,
    "Another robot needs its own simulator: name it with --sim ENDPOINT.",
  );
}

/** Paths of Windows and addresses of a Nucleus server included. */
function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? JSON.stringify(wordsOf(value, 76)) : wordsOf(value, 78);
}

/** @throws ProtocolError `bad-setting` */
export function refuse(name: string, problem: string, hint?: string): never {
  throw new ProtocolError("bad-setting", problem, {
    field: `env.${name}`,
    hint: hint ?? `Leave env.${name} out for its default.`,
  });
}
