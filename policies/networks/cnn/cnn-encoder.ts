import type { Encoder } from "../encoder.ts";
import { type CnnOptions, createCnn } from "./cnn.ts";

/** Features of pictures and numbers. @throws PolicyError as `createCnn` */
export function createCnnEncoder(options: CnnOptions): Encoder {
  const { groups, featureWidth, parameters, forward } = createCnn(options);
  return {
    ...{ featureWidth, parameters },
    encode: (observed) => forward(groups.map(({ name }) => observed[name]!)),
  };
}
