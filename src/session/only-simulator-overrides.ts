import { ConfigError } from "../config/config-error.ts";

/**
 * A command that trains nothing takes overrides of the simulator alone.
 *
 * @param what they would change, e.g. `an evaluation`
 * @param hint what to do instead
 * @throws ConfigError `no-effect` for the first of any other
 */
export function onlySimulatorOverrides(
  overrides: readonly string[],
  what: string,
  hint: string,
): void {
  const other = overrides.find((override) => !/^(\+*env|(agent\.)?sim)\./.test(override));
  if (other === undefined) return;
  throw new ConfigError(
    "no-effect",
    `${other} can't change ${what}; expected env.KEY=VALUE or sim.KEY=VALUE`,
    hint,
  );
}
