import { FedState } from "./fed-state.ts";
import { HeldState } from "./held-state.ts";
import { nativeBackend } from "./native-backend.ts";
import { NativeProgram } from "./native-program.ts";
import { type Compile, eagerly } from "./program.ts";

/** `on`: where the backend can; `off`: never; `verify`: traced at every call and compared, for tests. */
export type CompileMode = "on" | "off" | "verify";

/** Where a program's state is between two calls: see `FedState` and `HeldState`. */
export type ResidenceName = "fed" | "held";

export interface CompileOptions {
  /** Default: `held` on a card, else `fed`. */
  readonly residence?: ResidenceName;
}

/** How programs are made on the engine that runs; start it first. Where it can't compile: `eagerly`. */
export function compileWith(mode: CompileMode, options: CompileOptions = {}): Compile {
  const native = mode === "off" ? undefined : nativeBackend();
  if (native === undefined) return eagerly;
  const { residence = native.isUsingGpuDevice ? "held" : "fed" } = options;
  const Residence = residence === "held" ? HeldState : FedState;
  return ({ state, entries }) =>
    new NativeProgram(native, {
      state,
      entries,
      residence: new Residence(native, state),
      verify: mode === "verify",
    });
}
