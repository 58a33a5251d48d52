import type { Metrics } from "../../metrics/metric-sink.ts";
import type { Monitor, MonitorEvent } from "./monitor.ts";

/** A figure and the range in which it is healthy. */
export interface Band {
  readonly metric: string;
  /** Default: no bound. */
  readonly least?: number;
  readonly most?: number;
  /** What it is shown beside, e.g. persistence or behaviour cloning: another figure, or a number. */
  readonly baseline?: { readonly name: string; readonly value: number | string };
  /** The next move when it is outside. */
  readonly next: string;
}

/** Tells when a figure leaves its range, and when it is back. */
export function watchBand(band: Band): Monitor {
  let outside = false;
  return {
    observe(metrics) {
      const value = metrics[band.metric];
      if (value === undefined) return [];
      const { least = -Infinity, most = Infinity } = band;
      const left = !(value >= least && value <= most);
      if (left === outside) return [];
      outside = left;
      return [left ? leaving(band, value, metrics) : returning(band, value)];
    },
    save: () => ({ outside }),
    load(saved) {
      outside = (saved as { outside: boolean }).outside;
    },
  };
}

function leaving(band: Band, value: number, metrics: Metrics): MonitorEvent {
  const { metric, least, most, baseline, next } = band;
  const beside = typeof baseline?.value === "string" ? metrics[baseline.value] : baseline?.value;
  const range = `${least ?? "−∞"} to ${most ?? "∞"}`;
  const compared = beside === undefined ? "" : `; ${baseline?.name}: ${figure(beside)}`;
  return {
    ...{ monitor: "band", rule: "outside", level: "warn", metric },
    values: {
      value,
      ...(least !== undefined && { least }),
      ...(most !== undefined && { most }),
      ...(beside !== undefined && { baseline: beside }),
    },
    message: `${metric} is ${figure(value)}, healthy from ${range}${compared}`,
    next,
  };
}

function returning({ metric }: Band, value: number): MonitorEvent {
  const message = `${metric} is healthy again: ${figure(value)}`;
  const values = { value };
  return { monitor: "band", rule: "inside", level: "note", metric, values, message, next: "" };
}

function figure(value: number): string {
  return `${Number(value.toPrecision(4))}`;
}
