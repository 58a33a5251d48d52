import {
  connectRemote,
  type RemoteEnv,
  type RemoteOptions,
} from "../../sim-adapters/remote/remote-env.ts";
import type { Wish } from "../algorithms/algorithm.ts";

/**
 * Connects and asks for nothing that nobody reads. A simulator that lacks a group is asked again for less,
 * and at last for all it has: whoever misses the group then says so best.
 */
export async function connectWanted(
  wishes: readonly Wish[],
  options: RemoteOptions,
): Promise<RemoteEnv> {
  for (const wanted of wishes) {
    try {
      return await connectRemote({ ...options, ...wanted });
    } catch (error) {
      if ((error as { code?: unknown }).code !== "unknown-group") throw error;
    }
  }
  // Whoever is welcome to teach still is.
  const teacherActions =
    wishes.length > 0 && wishes.every((wish) => wish.teacherActions === "welcome");
  return connectRemote({ ...options, ...(teacherActions ? { teacherActions: "welcome" } : {}) });
}
