import { encodeReply, encodeRequest } from "../protocol/messages.ts";
import { fromActions, fromStepResult } from "../protocol/payload.ts";
import { TrivialEnv, widths } from "./trivial-env.ts";

/** What a step of the trivial environment sends, to the byte: bare ZeroMQ carries the same. */
export function stepFrames(numEnvs: number): Uint8Array[] {
  const { spec } = new TrivialEnv(numEnvs);
  const actions = new Float32Array(numEnvs * widths.action).fill(0.1);
  const header = { type: "step", seq: 1000, session: "s".repeat(24) } as const;
  return encodeRequest(header, fromActions(actions, spec));
}

/** And what comes back. */
export async function resultFrames(numEnvs: number): Promise<Uint8Array[]> {
  const env = new TrivialEnv(numEnvs);
  const header = {
    type: "result",
    timing: { total: 0.5 },
    seq: 1000,
    epoch: "e".repeat(24),
  } as const;
  return encodeReply(header, fromStepResult(await env.step(), env.spec));
}
