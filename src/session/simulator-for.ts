import { TapeWriter } from "../../sim-adapters/tape/tape.ts";
import type { Resolved } from "../config/resolve.ts";
import { openSimulator } from "../training/open-simulator.ts";
import type { Shell } from "./shell.ts";

/** The simulator of a run, asked for what its algorithm reads; undefined where nothing is flown. */
export async function simulatorFor(
  { config, algorithm }: Resolved,
  about: { readonly run: string; readonly anyNumber: boolean },
  shell: Shell,
) {
  const { signals, notices, version } = shell;
  if (!algorithm.flies(config)) return undefined;
  const told = { onNotice: notices.say, onWaiting: notices.say };
  const wishes = algorithm.wishes(config);
  const path = config.sim.record_wire;
  const tape = path === null ? {} : { tape: new TapeWriter(path, notices.say) };
  const known = { version, revive: true, ...about, ...told, ...tape };
  const ends = { signal: signals.abort, landing: signals.stop };
  return openSimulator(config, { wishes, ...ends, ...known });
}
