/** The runner's memory, its progress, and the faults, over the time of a soak. */
export interface SoakSample {
  readonly looks: {
    /** Seconds since the first fault could happen. */
    readonly at: number;
    /** MB (10⁶ bytes). */
    readonly resident: number;
    readonly descriptors: number;
    readonly iteration: number;
  }[];
  readonly faults: { readonly at: number; readonly fault: string }[];
}

const size = { width: 880, height: 190, left: 64, right: 20, top: 34, gap: 44 } as const;
const colours: Readonly<Record<string, string>> = {
  kill: "#c62828",
  stall: "#e07b00",
  cut: "#7b1fa2",
};

export function soakPicture({ looks, faults }: SoakSample): string {
  const end = Math.max(1, ...looks.map(({ at }) => at));
  const x = (at: number) => size.left + (at / end) * (size.width - size.left - size.right);
  const panels = [
    { title: "Memory of the runner, MB", of: (look: (typeof looks)[number]) => look.resident },
    { title: "Iterations flown", of: (look: (typeof looks)[number]) => look.iteration },
  ];
  const drawn = panels.map(({ title, of }, i) => {
    const top = size.top + i * (size.height + size.gap);
    const most = Math.max(1, ...looks.map(of)) * 1.1;
    const y = (value: number) => top + size.height * (1 - value / most);
    const path = looks
      .map((look) => `${x(look.at).toFixed(1)},${y(of(look)).toFixed(1)}`)
      .join(" ");
    const ticks = faults.map(({ at, fault }) => tick(x(at), top, fault)).join("");
    return `<text x="${size.left}" y="${top - 8}">${title}</text>${ticks}
<rect x="${size.left}" y="${top}" width="${size.width - size.left - size.right}" height="${size.height}" fill="none" stroke="#bbb"/>
<text x="${size.left - 8}" y="${top + 12}" text-anchor="end">${most.toFixed(0)}</text>
<text x="${size.left - 8}" y="${top + size.height}" text-anchor="end">0</text>
<polyline points="${path}" fill="none" stroke="#0b63ce" stroke-width="1.6"/>`;
  });
  const height = size.top + panels.length * (size.height + size.gap);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${drawn.join("\n")}
<text x="${size.left}" y="${height - 28}">0</text>
<text x="${size.width - size.right}" y="${height - 28}" text-anchor="end">${end.toFixed(0)} s</text>
<text x="${size.left}" y="${height - 8}">red: simulator killed; orange: stood still; violet: connection cut; grey: a message lost, doubled, late or out of order</text>
</svg>
`;
}

function tick(x: number, top: number, fault: string): string {
  const kind = Object.keys(colours).find((name) => fault.includes(name));
  const [colour, length] = kind ? [colours[kind], size.height] : ["#ccc", 10];
  const from = top + size.height - length;
  return `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${from}" y2="${top + size.height}" stroke="${colour}"/>`;
}
