import { ConfigError } from "../config/config-error.ts";

/** Who flies which share of the episodes. */
export interface PolicyShare {
  readonly who: string;
  /** 0 to 1; all together 1. */
  readonly share: number;
}

/**
 * `hover@0.3`, `RUN@0.7`: shares are taken in proportion, and those that say none share what is left of 1
 * evenly. @throws ConfigError
 */
export function parseShares(given: readonly string[]): readonly PolicyShare[] {
  const parsed = given.map(parseOne);
  const stated = parsed.reduce((sum, { share = 0 }) => sum + share, 0);
  const silent = parsed.filter(({ share }) => share === undefined).length;
  const rest = silent === 0 ? 0 : Math.max(0, 1 - stated) / silent;
  const shares = parsed.map(({ who, share }) => ({ who, share: share ?? rest }));
  const total = shares.reduce((sum, { share }) => sum + share, 0);
  if (total > 0) return shares.map(({ who, share }) => ({ who, share: share / total }));
  throw new ConfigError(
    "bad-value",
    `--policy ${given.join(" --policy ")}: nobody flies any episode`,
    "Give one of them a share above 0, e.g. hover@0.5.",
  );
}

function parseOne(text: string): { readonly who: string; readonly share?: number } {
  const at = /^(.+)@([\d.eE+-]+)$/.exec(text);
  if (!at) return { who: text };
  const share = Number(at[2]);
  if (share >= 0 && Number.isFinite(share)) return { who: at[1]!, share };
  throw new ConfigError(
    "bad-value",
    `--policy ${text}: the share is ${at[2]}; expected a number, 0 or above`,
    "For example --policy hover@0.5.",
  );
}
