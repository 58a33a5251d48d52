import { type ProtoField, ProtoWriter, protoFields } from "../../protocol/protobuf.ts";

/**
 * The same model with the number of rows left open: exports are made for one robot, and most compute
 * many as well. Inputs and outputs `[1, width]` and `[layers, 1, width]` get the name `batch` for
 * that 1, and what is said of values in between is left out. Whether the model then still computes
 * the same is to be tried.
 */
export function withFreeBatch(model: Uint8Array, fail: (what: string) => Error): Uint8Array {
  const each = (bytes: Uint8Array, change: (field: ProtoField) => Uint8Array | undefined) => {
    const parts = [...protoFields(bytes, fail)].map((field) => change(field) ?? field.whole);
    return new Uint8Array(Buffer.concat(parts));
  };
  const within = (field: ProtoField, change: (field: ProtoField) => Uint8Array | undefined) =>
    new ProtoWriter().bytes(field.field, each(field.bytes, change)).finish();
  const freed = (shape: ProtoField): Uint8Array => {
    const dims = [...protoFields(shape.bytes, fail)];
    const writer = new ProtoWriter();
    for (const [axis, dim] of dims.entries()) {
      // Rows are the last axis but one.
      if (axis === dims.length - 2) writer.message(1, (name) => name.string(2, "batch"));
      else writer.bytes(1, dim.bytes);
    }
    return new ProtoWriter().bytes(2, writer.finish()).finish();
  };
  return each(model, (part) => {
    if (part.field !== 7) return undefined;
    return within(part, (inGraph) => {
      if (inGraph.field === 13) return new Uint8Array(0);
      if (inGraph.field !== 11 && inGraph.field !== 12) return undefined;
      return within(inGraph, (inInfo) => {
        if (inInfo.field !== 2) return undefined;
        return within(inInfo, (inType) => {
          if (inType.field !== 1) return undefined;
          return within(inType, (inTensor) => (inTensor.field === 2 ? freed(inTensor) : undefined));
        });
      });
    });
  });
}
