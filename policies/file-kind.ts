/** First bytes of what people give for a policy, and what it is. */
const KINDS: readonly (readonly [start: string, kind: string])[] = [
  ["PK", "a zip archive"],
  ["\x89HDF\r\n", "an HDF5 file"],
  ["\x93NUMPY", "an array of NumPy (.npy)"],
  ["\x1f\x8b", "a gzip archive: unpack it first"],
  ["ustar", "a tar archive"],
  ["<!DOCTYPE", "a web page: the download was not the file itself"],
  ["<!doctype", "a web page: the download was not the file itself"],
  ["<html", "a web page: the download was not the file itself"],
  ["<mujoco", "a model of MuJoCo"],
  ["\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", "a file of torch.save before 1.6"],
  ["\x80\x04\x95", "a bare pickle"],
  ["\x80\x05\x95", "a bare pickle"],
];

/** What a file plainly is by its first bytes; undefined: nothing that is known here. */
export function fileKind(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return "an empty file";
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 32)).toString(
    "latin1",
  );
  const found = KINDS.find(([mark]) => start.startsWith(mark));
  if (found) return found[1];
  const isSafetensors = bytes.length > 9 && start.slice(4, 8) === "\0\0\0\0" && start[8] === "{";
  return isSafetensors ? "a safetensors file" : undefined;
}
