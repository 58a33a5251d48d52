/** Numbers as people read them at a glance. */

/** Four significant digits, in at most 8 characters: `0.01234`, `124.3`, `1.2e-7`. */
export function figure(value: number | undefined): string {
  if (value === undefined) return "–";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 99_999.5)) return value.toExponential(1);
  if (size >= 999.95) return value.toFixed(0);
  return value.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : 4);
}

/** A count with its thousands: `480 k`, `1.5 M`. */
export function count(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (value >= 999_500_000) return `${(value / 1e9).toFixed(1)} G`;
  if (value >= 999_500) return `${(value / 1e6).toFixed(value < 9_950_000 ? 1 : 0)} M`;
  if (value >= 9_950) return `${(value / 1e3).toFixed(0)} k`;
  return value.toFixed(0);
}

/** A share of 1 in percent. */
export function percent(share: number | undefined, digits = 0): string {
  if (share === undefined || !Number.isFinite(share)) return "– %";
  return `${(share * 100).toFixed(digits)} %`;
}

/** Seconds as `1.2 ms`, `3.4 s`, `5 min`, `2.1 h`. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 0.9995) return `${(seconds * 1000).toFixed(seconds < 0.00995 ? 2 : 0)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 3570) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Seconds gone by: `0.3 s`, `5 min`. */
export function age(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return "–";
  return seconds < 1 ? `${Math.max(0, seconds).toFixed(1)} s` : duration(seconds);
}

/** The distance of two figures, where a share would say nothing: `10.0 below its teacher`. */
export function comparison(value: number, against: number, whose: string): string {
  const distance = value - against;
  if (distance === 0) return `level with its ${whose}`;
  return `${figure(Math.abs(distance))} ${distance < 0 ? "below" : "above"} its ${whose}`;
}
