import { CodedError } from "../../protocol/coded-error.ts";

/** What a learner refuses or runs into; `diverged` when a loss is no longer a number. */
export class LearningError extends CodedError {
  override readonly name = "LearningError";
}
