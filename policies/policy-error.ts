import { CodedError } from "../protocol/coded-error.ts";

/**
 * What goes wrong in the room of policies: a policy that can't be built, or can't fly what it is
 * given.
 */
export class PolicyError extends CodedError {
  override readonly name: string = "PolicyError";
}

/** A file that can't be read as a checkpoint, or isn't whole. */
export class CheckpointError extends PolicyError {
  override readonly name = "CheckpointError";
}
