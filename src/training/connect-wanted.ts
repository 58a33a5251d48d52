import {
  connectRemote,
  type RemoteEnv,
  type RemoteOptions,
} from "../../sim-adapters/remote/remote-env.ts";
import type { Wish } from "../algorithms/algorithm.ts";

/**
 * Connects and asks for nothing that nobody reads. A simulator that lacks a group, or a teacher that is welcome and
 * not needed, is asked again for less, and at last for all it has: whoever misses the group then says so best.
 */
export async function connectWanted(
  wishes: readonly Wish[],
  options: RemoteOptions,
): Promise<RemoteEnv> {
  let open = wishes;
  while (open.length > 0) {
    const [wanted, ...rest] = open;
    try {
      return await connectRemote({ ...options, ...wanted });
    } catch (error) {
      const { code } = error as { code?: unknown };
      const untaught = rest.filter(({ teacherActions }) => !teacherActions);
      if (code === "no-teacher" && untaught.length > 0) open = untaught;
      else if (code === "unknown-group") open = rest;
      else throw error;
    }
  }
  return connectRemote(options);
}
