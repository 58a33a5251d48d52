import { Box } from "ink";
import { memo, type ReactElement } from "react";
import type { Headline, RunDescription } from "../../metrics/run-description.ts";
import { drawChart, type IterationRange, iterationRange } from "../chart/chart.ts";
import type { Mark } from "../state/marks.ts";
import type { HeadlineCurves } from "../state/screen-state.ts";
import type { Layout } from "./layout.ts";
import { Lines } from "./lines.tsx";
import { curveNames } from "./names.ts";
import { clip, type Line, span, spread, widthOf } from "./span.ts";

export interface ChartsProps {
  readonly curves: readonly HeadlineCurves[];
  readonly description: RunDescription;
  readonly marks: readonly Mark[];
  readonly layout: Layout;
  readonly colour: boolean;
}

/** The run's headlines beside each other. While a run is paused nothing of it is computed again. */
export const Charts = memo(
  ({ curves, description, marks, layout, colour }: ChartsProps): ReactElement => {
    const range = iterationRange(curves.flatMap(({ series, against }) => [series, against]));
    const widths = description.headline.length > 1 ? layout.chartWidths : [layout.columns];
    const charts = description.headline.map((headline, i) => {
      const chart = { headline, curves: curves[i]!, range, width: widths[i]!, first: i === 0 };
      const lines = chartLines(chart, marksOf(headline, description, marks), layout);
      return <Lines key={headline.metric} lines={lines} colour={colour} />;
    });
    if (charts.length === 0) return <Lines lines={emptyRows(layout.charts)} colour={colour} />;
    return <Box columnGap={2}>{charts}</Box>;
  },
  sameCharts,
);

function sameCharts(before: ChartsProps, after: ChartsProps): boolean {
  return (
    before.description === after.description &&
    sameCurves(before.curves, after.curves) &&
    sameMarks(before.marks, after.marks) &&
    before.colour === after.colour &&
    before.layout.charts === after.layout.charts &&
    before.layout.columns === after.layout.columns
  );
}

function sameCurves(before: readonly HeadlineCurves[], after: readonly HeadlineCurves[]): boolean {
  return before.every(
    ({ series, against }, i) => series === after[i]?.series && against === after[i]?.against,
  );
}

function sameMarks(before: readonly Mark[], after: readonly Mark[]): boolean {
  return before === after || (before.length === 0 && after.length === 0);
}

/** What a monitor says of a figure belongs to its chart; what is about none of them, to all. */
function marksOf(
  { metric, against }: Headline,
  { headline }: RunDescription,
  marks: readonly Mark[],
): readonly Mark[] {
  const drawn = headline.flatMap((one) => [one.metric, one.against]);
  return marks.filter(
    (mark) => !drawn.includes(mark.metric ?? "") || [metric, against].includes(mark.metric),
  );
}

interface Chart {
  readonly headline: Headline;
  readonly curves: HeadlineCurves;
  readonly range: IterationRange | undefined;
  readonly width: number;
  /** The one at the left tells the iterations. */
  readonly first: boolean;
}

function chartLines(chart: Chart, marks: readonly Mark[], layout: Layout): readonly Line[] {
  const { headline, curves, range, width } = chart;
  const { scale, against } = headline;
  const reference = { series: curves.against, tone: "teacher" as const, dotted: true };
  const own = { series: curves.series, tone: "student" as const };
  const drawn = drawChart({
    width,
    height: layout.charts - 1,
    scale,
    curves: against === undefined ? [own] : [reference, own],
    marks,
    range,
  });
  return [titleOf(chart), ...drawn];
}

function titleOf({ headline, range, width, first }: Chart): Line {
  const scale = headline.scale === "log" ? [span(" (log)", "quiet")] : [];
  const names = headline.against === undefined ? [] : legend(headline);
  const words = names.reduce((sum, { text }) => sum + text.length, headline.label.length);
  const indent = first ? 8 : Math.max(0, Math.min(8, width - words));
  const left = [span(" ".repeat(indent)), span(headline.label), ...scale, ...names];
  if (!first) return clip(left, width);
  const short = range ? `${range[0]}–${range[1]}` : "nothing yet";
  const long = range && width >= 38 ? `iterations ${short}` : short;
  const right = widthOf(left) + long.length < width ? long : short;
  return spread(left, [span(right, "quiet")], width);
}

function legend(headline: Headline): Line {
  const [own, reference] = curveNames(headline);
  return [span(" "), span(`─ ${own}`, "student"), span(" "), span(`┄ ${reference}`, "teacher")];
}

function emptyRows(rows: number): readonly Line[] {
  return Array.from({ length: rows }, (): Line => []);
}
