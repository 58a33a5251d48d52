import { ProtocolError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** What one `env.*` override may hold. */
export type Scalar = string | number | boolean | null;
export type SettingValue = Scalar | readonly Scalar[];
/** Overrides by dotted name, without the `env.` in front. */
export type Settings = Readonly<Record<string, SettingValue>>;

/** Refuses settings a simulator does not know, naming the nearest one it does. @throws ProtocolError */
export function checkSettingNames(given: Settings, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const guess = near === undefined ? "" : ` Did you mean env.${near}?`;
    throw new ProtocolError("unknown-setting", "this simulator has no such setting", {
      field: `env.${name}`,
      hint: `Known: ${known.map((word) => `env.${word}`).join(", ") || "none"}.${guess}`,
    });
  }
}
