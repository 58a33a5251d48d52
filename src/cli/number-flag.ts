import { ConfigError } from "../config/config-error.ts";

/** @throws ConfigError `bad-value` below the least, 1 where none is named */
export function wholeFlag(
  flag: string,
  text: string,
  { least = 1 }: { readonly least?: number } = {},
): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
  throw new ConfigError(
    "bad-value",
    `${flag} is ${JSON.stringify(text)}; expected a whole number from ${least}`,
    `For example ${flag} ${Math.max(least, 10)}.`,
  );
}

/** @throws ConfigError `bad-value` below 0 */
export function numberFlag(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new ConfigError(
    "bad-value",
    `${flag} is ${JSON.stringify(text)}; expected a number from 0`,
    `For example ${flag} 0.5.`,
  );
}
