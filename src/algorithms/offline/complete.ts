import { resolve } from "node:path";
import { isBuiltIn } from "../../../sim-adapters/built-in.ts";
import { openFlights } from "../../datasets/open-flights.ts";
import type { OfflineConfig } from "./keys.ts";

type Completed = Pick<OfflineConfig, "dataset" | "dataset_format" | "task" | "sim">;

/**
 * Where nobody names a task or a simulator, the one built in flies what the data set was recorded in. The path
 * of the data set becomes absolute: a run is gone on with from any folder.
 */
export async function complete<C extends Completed>(given: C): Promise<C> {
  const config = { ...given, dataset: resolve(given.dataset!) };
  const { task, sim, dataset, dataset_format: layout } = config;
  if (task !== "" || sim.endpoint !== null) return config;
  const flights = await openFlights(dataset, { ...(layout && { layout }) });
  flights.close();
  const own = flights.spec.env?.task;
  return own !== undefined && isBuiltIn(own) ? { ...config, task: own } : config;
}
