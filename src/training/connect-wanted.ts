import {
  connectRemote,
  type RemoteEnv,
  type RemoteOptions,
} from "../../sim-adapters/remote/remote-env.ts";
import type { Config } from "../config/schema.ts";

type Wanted = Pick<RemoteOptions, "groups" | "teacherActions">;

/**
 * Connects and asks for nothing that nobody reads: an observation group that isn't asked for isn't
 * sent. A simulator that lacks a group is asked again for less, and at last for all it has: whoever
 * misses the group then says so best.
 */
export async function connectWanted(config: Config, options: RemoteOptions): Promise<RemoteEnv> {
  for (const wanted of wishes(config)) {
    try {
      return await connectRemote({ ...options, ...wanted });
    } catch (error) {
      if ((error as { code?: unknown }).code !== "unknown-group") throw error;
    }
  }
  return connectRemote(options);
}

/** What student, teacher and evaluation read, the likelier first: `teacherGroups` in crew.ts chooses alike. */
export function wishes({ checkpoint, obs_groups }: Config): readonly Wanted[] {
  const student = obs_groups.student ?? ["policy"];
  if (checkpoint === "simulator") return [{ groups: student, teacherActions: true }];
  const teachers = obs_groups.teacher ? [obs_groups.teacher] : [["teacher"], ["policy"]];
  return teachers.map((teacher) => ({ groups: [...new Set([...student, ...teacher])] }));
}
