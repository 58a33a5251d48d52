import type { Random } from "../../policies/random.ts";
import { CodedError } from "../../protocol/coded-error.ts";

/** Something that takes bytes from strangers. */
export interface Target {
  /** What it is for, e.g. `bytes of torch checkpoints`. */
  readonly title: string;
  /** Whole inputs that changes start from. */
  corpus(): readonly Uint8Array[];
  /** Default: bytes changed anywhere (`mutated`). */
  readonly change?: (bytes: Uint8Array, other: Uint8Array, random: Random) => Uint8Array;
  /** Reads one input as the product does. @throws as the product does */
  take(bytes: Uint8Array): void | Promise<void>;
  close?(): void | Promise<void>;
}

/** An answer as it should be: read, or refused with a code and the next move. Others are faults. */
export async function faultOf(target: Target, bytes: Uint8Array): Promise<string | undefined> {
  try {
    await target.take(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof CodedError && error.message !== "" && error.hint !== "") return undefined;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
