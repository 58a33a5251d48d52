import { deriveSeed, Random } from "../../policies/random.ts";
import { CodedError } from "../../protocol/coded-error.ts";
import { below, mutated } from "./mutate.ts";

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
  /** Inputs that may be under way at a time, each answered in its turn; default: 1. */
  readonly together?: number;
  close?(): void | Promise<void>;
}

/** The input of that number: the same for the same seed, whatever was tried before. */
export function inputOf(
  { change = mutated }: Target,
  whole: readonly Uint8Array[],
  { name, seed, index }: { readonly name: string; readonly seed: number; readonly index: number },
): Uint8Array {
  const random = new Random(deriveSeed(seed, `${name} ${index}`));
  const [one, other] = [whole[below(random, whole.length)]!, whole[below(random, whole.length)]!];
  return change(one, other, random);
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
