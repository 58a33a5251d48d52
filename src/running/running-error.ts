import { CodedError } from "../../protocol/coded-error.ts";

/** What the loop refuses before it starts, or ends by: `diverged`, `no-training-rows` … */
export class RunningError extends CodedError {
  override readonly name = "RunningError";
}

/** What was saved is of another number of environments, or rows of them, than there are. */
export function otherFleet(what: string, saved: number, expected: number): RunningError {
  return new RunningError(
    "other-fleet",
    `The checkpoint's ${what} are ${saved}, this run has ${expected}.`,
    "Resume with the run's own num_envs, evaluation.env_share and policy, or from another checkpoint.",
  );
}
