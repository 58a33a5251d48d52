import { Box, Text } from "ink";
import { createElement, type ReactElement } from "react";
import { type Line, span, type Tone } from "./span.ts";

interface LinesProps {
  readonly lines: readonly Line[];
  readonly colour: boolean;
}

/** One text with all lines: a node for each would cost three times as much. */
export function Lines({ lines, colour }: LinesProps): ReactElement {
  const parts = lines.flatMap((line, i) => {
    const spans = line.length === 0 ? [span(" ")] : line;
    const texts = spans.map((piece) => painted(piece.text, piece.tone, colour));
    return i === 0 ? texts : ["\n", ...texts];
  });
  return createElement(
    Box,
    { flexShrink: 0 },
    createElement(Text, { wrap: "truncate-end" }, ...parts),
  );
}

/** Blue for the student and what is well, orange for the teacher and what is not: both can be told apart by everybody. */
const paints: Readonly<Record<Tone, Record<string, string | boolean>>> = {
  student: { color: "ansi256(75)" },
  teacher: { color: "ansi256(214)" },
  good: { color: "ansi256(75)", bold: true },
  bad: { color: "ansi256(208)", bold: true },
  quiet: { dimColor: true },
  strong: { bold: true },
};

function painted(text: string, tone: Tone | undefined, colour: boolean) {
  if (tone === undefined || text === "") return text;
  const { color, ...style } = paints[tone];
  return createElement(Text, colour && color ? { ...style, color } : style, text);
}
