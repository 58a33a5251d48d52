import { elementsOf, type NamedArray } from "../named-array.ts";
import { convolutionsOf, type EncoderGroup, isPictureGroup } from "../networks/cnn/shapes.ts";
import type { VisionFacts } from "../networks/cnn/vision.ts";
import type { Unnamed } from "./policy-graph.ts";

/** Who keeps the nodes and constants of a graph; each call gives the name of what it made. */
export interface GraphParts {
  node(node: Unnamed): string;
  activated(x: string): string;
  /** Without an array: the network's own by that name. */
  constant(name: string, array?: NamedArray): string;
}

/** What the MLP of a network with pictures reads, see `createVision`: numbers, then convolved pictures. */
export function seenGraph(row: string, vision: VisionFacts, parts: GraphParts): string {
  const numbers: string[] = [];
  const pictures: string[] = [];
  let from = 0;
  for (const group of vision.groups) {
    const to = from + elementsOf(group.shape);
    const alone = vision.groups.length === 1;
    const columns = alone ? row : parts.node({ op: "columns", inputs: [row], from, to });
    if (isPictureGroup(group)) pictures.push(convolved(columns, group, { ...parts, vision }));
    else numbers.push(columns);
    from = to;
  }
  const inputs = [...numbers, ...pictures];
  return inputs.length === 1 ? inputs[0]! : parts.node({ op: "joined", inputs });
}

function convolved(
  columns: string,
  group: EncoderGroup,
  { node, activated, constant, vision }: GraphParts & { readonly vision: VisionFacts },
): string {
  const shape = group.shape as readonly [number, number, number];
  const byte = constant("byte", { shape: [], data: Float32Array.of(1 / 255) });
  const scaled = node({ op: "mul", inputs: [columns, byte] });
  let x = node({ op: "picture", inputs: [scaled], shape });
  const layers = convolutionsOf(group, vision);
  for (const [i, { stride, pad }] of layers.entries()) {
    const name = `cnns.${group.name}.${2 * i}`;
    const inputs = [x, constant(`${name}.weight`), constant(`${name}.bias`)] as const;
    x = activated(node({ op: "convolution", inputs, stride, pad }));
  }
  const { height, width, outChannels } = layers.at(-1)!;
  return node({ op: "flat", inputs: [x], width: outChannels * height * width });
}
