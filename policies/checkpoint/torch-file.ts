import { elementsOf } from "../named-array.ts";
import { CheckpointError } from "../policy-error.ts";
import { writePickle } from "./pickle-write.ts";
import { storageFor } from "./storage.ts";
import { TorchReader } from "./torch-reader.ts";
import { describe, type TorchTensor, type TorchValue } from "./torch-value.ts";
import { ALIGNMENT, writeZip } from "./zip-write.ts";

const ROOT = "archive";

/**
 * Reads what `torch.save` (1.6 or later) has written, as data: no code in the file is run.
 *
 * @param where what to call the file in messages
 * @throws CheckpointError with the file and what is wrong with it
 */
export function readTorchFile(bytes: Uint8Array, where = "checkpoint"): TorchValue {
  return new TorchReader(bytes, where).read();
}

/**
 * Writes a value as `torch.save` does, so that `torch.load(weights_only=True)` reads it. Equal
 * values give equal bytes.
 * A number that is whole is written as Python's int, any other as float.
 *
 * @throws CheckpointError `unsupported-value`, `too-large`
 */
export function writeTorchFile(value: TorchValue): Uint8Array {
  const storages: Uint8Array[] = [];
  const pickle = writePickle(value, (tensor) => {
    checkLength(tensor);
    storages.push(littleEndianBytes(tensor.data));
    return { storage: storageFor(tensor.dtype).name, key: String(storages.length - 1) };
  });
  const text = new TextEncoder();
  const members = new Map<string, Uint8Array>();
  members.set(`${ROOT}/data.pkl`, pickle);
  members.set(`${ROOT}/.format_version`, text.encode("1"));
  members.set(`${ROOT}/.storage_alignment`, text.encode(String(ALIGNMENT)));
  members.set(`${ROOT}/byteorder`, text.encode("little"));
  for (const [key, bytes] of storages.entries()) members.set(`${ROOT}/data/${key}`, bytes);
  members.set(`${ROOT}/version`, text.encode("3\n"));
  return writeZip(members);
}

/** The bytes of an array as they lie in memory, which Node's platforms keep little-endian. */
function littleEndianBytes(data: TorchTensor["data"]): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function checkLength(tensor: TorchTensor): void {
  const expected = elementsOf(tensor.shape);
  if (tensor.data.length === expected) return;
  throw new CheckpointError(
    "unsupported-value",
    `${describe(tensor)} holds ${tensor.data.length} elements, expected ${expected}`,
    "Give each tensor as many elements as its shape says.",
  );
}
