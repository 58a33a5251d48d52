/** Keys that nobody asks for, in this configuration. */
export interface Idle {
  readonly keys: RegExp;
  readonly why: string;
}

/** Those reasons that hold. */
export function idleWhere(
  reasons: readonly (readonly [keys: RegExp, holds: boolean, why: string])[],
): readonly Idle[] {
  return reasons.flatMap(([keys, holds, why]) => (holds ? [{ keys, why }] : []));
}
