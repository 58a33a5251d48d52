import { noticeFor } from "../../sim-adapters/built-in.ts";
import type { Layout } from "../datasets/flights-spec.ts";
import { openFlights } from "../datasets/open-flights.ts";
import { type FlightsSummary, summarise } from "../datasets/summary.ts";
import { summaryText } from "../datasets/summary-text.ts";

/** What `inspect` prints for recorded flights. @throws DatasetError */
export async function inspectDataset(
  path: string,
  options: { readonly json?: boolean; readonly layout?: Layout } = {},
): Promise<string> {
  const { json = false, layout } = options;
  const flights = await openFlights(path, { nonFinite: "allow", ...(layout && { layout }) });
  try {
    const summary = summarise(flights);
    const notice = noticeFor(summary.task);
    const told =
      notice === undefined ? summary : { ...summary, remarks: [...summary.remarks, notice] };
    return json ? JSON.stringify(asJson(told)) : summaryText(told);
  } finally {
    flights.close();
  }
}

/** Moments as plain lists. */
function asJson({ actions, ...rest }: FlightsSummary) {
  const { count, mean, std, min, max } = actions;
  const list = (values: Float64Array) => Array.from(values);
  return {
    ...rest,
    actions: { count, mean: list(mean), std: list(std), min: list(min), max: list(max) },
  };
}
