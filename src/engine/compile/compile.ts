import { FedState } from "./fed-state.ts";
import { nativeBackend } from "./native-backend.ts";
import { NativeProgram } from "./native-program.ts";
import { type Compile, eagerly } from "./program.ts";

/** `on`: where the backend can; `off`: never; `verify`: traced at every call and compared, for tests. */
export type CompileMode = "on" | "off" | "verify";

/** How programs are made on the engine that runs; start it first. */
export function compileWith(mode: CompileMode): Compile {
  const native = mode === "off" ? undefined : nativeBackend();
  if (native === undefined) return eagerly;
  return (program) => {
    const residence = new FedState(native, program.state);
    return new NativeProgram(native, { ...program, residence, verify: mode === "verify" });
  };
}
