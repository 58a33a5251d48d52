import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../named-array.ts";
import type { TfjsModel } from "./write-tfjs.ts";

/**
 * Computes a graph model once, as anybody would who loads its two files. The engine must have been
 * started.
 *
 * @returns outputs by name
 */
export async function runTfjs(
  { modelJson, weights }: TfjsModel,
  inputs: NamedArrays,
): Promise<NamedArrays> {
  const { loadGraphModel } = await import("@tensorflow/tfjs-converter");
  const { modelTopology, weightsManifest, signature } = JSON.parse(modelJson);
  const artifacts = {
    modelTopology,
    signature,
    format: "graph-model",
    weightSpecs: weightsManifest[0].weights,
    weightData: Uint8Array.from(weights).buffer,
  };
  const model = await loadGraphModel(tf.io.fromMemory(artifacts));
  const feeds = Object.entries(inputs).map(
    ([name, { shape, data }]) => [name, tf.tensor(data, [...shape], "float32")] as const,
  );
  const names = Object.keys(signature.outputs);
  const found = model.execute(Object.fromEntries(feeds), names) as tf.Tensor | tf.Tensor[];
  const tensors = Array.isArray(found) ? found : [found];
  const outputs = tensors.map((tensor, i) => {
    const data = Float32Array.from(tensor.dataSync());
    return [names[i]!, { shape: tensor.shape, data }] as const;
  });
  tf.dispose([tensors, feeds.map(([, tensor]) => tensor)]);
  model.dispose();
  return Object.fromEntries(outputs);
}
