/** Rows of cells as columns, two blanks apart; numbers are the caller's to round. @param figures columns that end together */
export function textTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { figures = () => false }: { readonly figures?: (column: number) => boolean } = {},
): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  return all
    .map((row) =>
      widths
        .map((width, i) =>
          figures(i) ? (row[i] ?? "").padStart(width) : (row[i] ?? "").padEnd(width),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
