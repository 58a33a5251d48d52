/** What a program that started us can tell from the exit code. */
export const exitCodes = {
  ok: 0,
  /** It ran, and found that something is not as it should be: `parity`, `inspect --act`, `doctor`. */
  checkFailed: 1,
  /** Wrong usage, configuration or input file: nothing was flown. */
  badInput: 2,
  /** The simulator was lost, did not come, or refused. A checkpoint was written if a run was on. */
  simulator: 3,
  /** A loss or weight is no longer a number. */
  diverged: 4,
  /** A mistake of ours, a disk that takes nothing any more, or a run that another flight has taken over. */
  internal: 70,
  /** Stopped by Ctrl-C, after a checkpoint. */
  interrupted: 130,
} as const;

/** By the `code` of an error, whatever its class. */
const byCode: ReadonlyMap<unknown, number> = new Map([
  ["diverged", exitCodes.diverged],
  ["interrupted", exitCodes.interrupted],
  ["aborted", exitCodes.interrupted],
  ["unknown-setting", exitCodes.badInput],
  ["bad-setting", exitCodes.badInput],
  ["other-snapshot", exitCodes.badInput],
  ["bad-snapshot", exitCodes.badInput],
  ["simulator-lost", exitCodes.simulator],
  ["learner-lost", exitCodes.internal],
  ["disk-full", exitCodes.internal],
  ["not-writable", exitCodes.internal],
  ["too-many-files", exitCodes.internal],
  ["uncaught", exitCodes.internal],
  ["taken-over", exitCodes.internal],
]);

/** By the class of an error: those that come from the other side of the wire. */
const byName: ReadonlyMap<unknown, number> = new Map([
  ["RemoteError", exitCodes.simulator],
  ["ProtocolError", exitCodes.simulator],
]);

/** Errors of every room carry `code` and `hint`; one without them is a mistake of ours. */
export function exitCodeOf(error: unknown): number {
  const { code, name, hint } = (error ?? {}) as Record<string, unknown>;
  const stated = byCode.get(code) ?? byName.get(name);
  if (stated !== undefined) return stated;
  if (name === "AbortError") return exitCodes.interrupted;
  return typeof hint === "string" ? exitCodes.badInput : exitCodes.internal;
}
