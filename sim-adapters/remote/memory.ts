import { widthOf } from "../../protocol/env-spec.ts";
import type { Offer } from "../../protocol/messages.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { isLocal } from "../endpoint.ts";
import { LaneError } from "../shared-memory/lane-error.ts";
import { acceptLane } from "../shared-memory/lane-file.ts";
import { RemoteError } from "./remote-error.ts";
import type { Wording } from "./wording.ts";

interface MemoryOptions {
  readonly endpoint: string;
  readonly sharedMemory?: "auto" | "on" | "off";
  readonly onNotice?: (line: string) => void;
}

/** Messages of fewer bytes are as quick through the socket; measured, bench/README.md. */
const worthwhile = 65_536;

/** Whether the greeting says that this side can share memory. */
export function offersMemory({ sharedMemory = "off", endpoint }: MemoryOptions): boolean {
  return sharedMemory === "on" || (sharedMemory === "auto" && isLocal(endpoint));
}

/**
 * Opens the file that the simulator offers, where that is worthwhile; what cannot be shared goes on as frames.
 *
 * @throws RemoteError `no-shared-memory` where it must be shared and cannot
 */
export function takeUpMemory(
  wording: Wording,
  offer: Offer | undefined,
  options: MemoryOptions & { readonly spec: EnvSpec },
): void {
  const { sharedMemory, spec, onNotice } = options;
  const needed = sharedMemory === "on";
  if (offer === undefined || !offersMemory(options)) {
    if (!needed) return;
    const hint = "Start it on this machine, with a version that can, or use --shared_memory auto.";
    throw new RemoteError("no-shared-memory", "the simulator shares no memory", { hint });
  }
  if (!needed && replyBytes(spec) < worthwhile) return;
  try {
    wording.share(acceptLane(offer, { least: needed ? 0 : worthwhile / 4 }));
  } catch (error) {
    if (!(error instanceof LaneError)) throw error;
    if (needed)
      throw new RemoteError(error.code, error.message, { hint: error.hint, cause: error });
    onNotice?.(`${error.message}; arrays travel as frames`);
  }
}

/** Of one step, about. */
function replyBytes({ numEnvs, observations }: EnvSpec): number {
  return Object.values(observations).reduce((sum, group) => sum + 4 * numEnvs * widthOf(group), 0);
}
