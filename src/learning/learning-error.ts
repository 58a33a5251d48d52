/** What a learner refuses or runs into; `diverged` when a loss is no longer a number. */
export class LearningError extends Error {
  override readonly name = "LearningError";
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
