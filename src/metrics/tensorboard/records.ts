/** TensorBoard's events as bytes: TFRecord frames around protocol buffers of `event.proto`. */
import { ProtoWriter } from "../../../protocol/protobuf.ts";
import type { Metrics } from "../metric-sink.ts";
import { crc32c } from "./crc32c.ts";

/** TensorFlow masks a checksum so that one of data that holds checksums stays strong. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** `uint64 LE length | masked crc32c(length) | data | masked crc32c(data)` */
export function frame(data: Uint8Array): Uint8Array {
  const out = Buffer.alloc(data.length + 16);
  out.writeBigUInt64LE(BigInt(data.length), 0);
  out.writeUInt32LE(masked(out.subarray(0, 8)), 8);
  out.set(data, 12);
  out.writeUInt32LE(masked(data), 12 + data.length);
  return out;
}

/** `time` in unix seconds. */
function event(time: number, step: number): ProtoWriter {
  return new ProtoWriter().double(1, time).varint(2, step);
}

/** The first record of every file. */
export function fileVersionEvent(time: number): Uint8Array {
  return new ProtoWriter().double(1, time).string(3, "brain.Event:2").finish();
}

/** Tells readers that a run goes on from `step`: what older files say of it and later is void. */
export function restartEvent(time: number, step: number): Uint8Array {
  return event(time, step)
    .message(7, (session) => session.varint(1, 1))
    .finish();
}

/** One event for all figures of an iteration; values are float32. */
export function scalarsEvent(time: number, step: number, metrics: Metrics): Uint8Array {
  return event(time, step)
    .message(5, (summary) => {
      for (const [tag, value] of Object.entries(metrics)) {
        summary.message(1, (item) => item.string(1, tag).float(2, value));
      }
    })
    .finish();
}

const DT_STRING = 7;

/** A text, shown as Markdown: a tensor of one string, marked for the text page. */
export function textEvent(time: number, step: number, tag: string, text: string): Uint8Array {
  return event(time, step)
    .message(5, (summary) =>
      summary.message(1, (item) => {
        item.string(1, tag);
        item.message(9, (metadata) => metadata.message(1, (plugin) => plugin.string(1, "text")));
        item.message(8, (tensor) => {
          tensor.varint(1, DT_STRING);
          tensor.message(2, (shape) => shape.message(2, (dim) => dim.varint(1, 1)));
          tensor.string(8, text);
        });
      }),
    )
    .finish();
}
