import { DatasetError } from "./dataset-error.ts";
import type { RecordedFlights } from "./recorded-flights.ts";

/** Components of one observation. @throws DatasetError `missing-group` */
export function groupWidth(
  { spec, path }: Pick<RecordedFlights, "spec" | "path">,
  group: string,
): number {
  const found = spec.groups[group];
  if (found) return found.width;
  throw new DatasetError(
    "missing-group",
    `${path} has no observation group ${group}; it has: ${Object.keys(spec.groups).join(", ")}`,
    "Name one of these, or make one of several (obs_groups).",
  );
}
