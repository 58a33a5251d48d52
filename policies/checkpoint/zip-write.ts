import { crc32 } from "node:zlib";
import { CheckpointError } from "../policy-error.ts";

/** Where torch lays the bytes of a member: it maps storages from the file, aligned so. */
export const ALIGNMENT = 64;

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
/** Extra field of torch that only fills up ("FB"). */
const PADDING = 0x4246;
/** 1 January 1980, the zero of zip's clock: equal content gives equal bytes. */
const DATE = 0x0021;
const VERSION = 20;
const LARGEST = 0xffffffff;

/**
 * An archive of stored members in the order given, each with its data at a multiple of 64 bytes.
 */
export function writeZip(members: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const plan = layOut(members);
  const out = new Uint8Array(plan.total);
  const view = new DataView(out.buffer);
  let central = plan.centralAt;
  for (const member of plan.members) {
    writeLocal(out, view, member);
    central = writeCentral(out, view, member, central);
  }
  view.setUint32(central, 0x06054b50, true);
  view.setUint16(central + 8, plan.members.length, true);
  view.setUint16(central + 10, plan.members.length, true);
  view.setUint32(central + 12, central - plan.centralAt, true);
  view.setUint32(central + 16, plan.centralAt, true);
  return out;
}

interface Planned {
  readonly name: Uint8Array;
  readonly data: Uint8Array;
  readonly crc: number;
  readonly at: number;
  readonly padding: number;
}

function layOut(members: ReadonlyMap<string, Uint8Array>) {
  const planned: Planned[] = [];
  let at = 0;
  let centralBytes = 0;
  for (const [key, data] of members) {
    const name = new TextEncoder().encode(key);
    const dataAt = at + LOCAL_BYTES + name.length + 4;
    const padding = 4 + ((ALIGNMENT - (dataAt % ALIGNMENT)) % ALIGNMENT);
    planned.push({ name, data, crc: crc32(data), at, padding });
    at += LOCAL_BYTES + name.length + padding + data.length;
    centralBytes += CENTRAL_BYTES + name.length;
  }
  const total = at + centralBytes + END_BYTES;
  if (total >= LARGEST || planned.length >= 0xffff) {
    throw new CheckpointError(
      "too-large",
      `a checkpoint of ${total} bytes in ${planned.length} members, at most 4 GiB in 65534 can be written`,
      "Keep fewer or smaller arrays in the checkpoint.",
    );
  }
  return { members: planned, centralAt: at, total };
}

function writeLocal(out: Uint8Array, view: DataView, member: Planned): void {
  const { at, name, data, padding } = member;
  view.setUint32(at, 0x04034b50, true);
  view.setUint16(at + 4, VERSION, true);
  writeCommon(view, at + 6, member);
  view.setUint16(at + 28, padding, true);
  out.set(name, at + LOCAL_BYTES);
  const extra = at + LOCAL_BYTES + name.length;
  view.setUint16(extra, PADDING, true);
  view.setUint16(extra + 2, padding - 4, true);
  out.fill(0x5a, extra + 4, extra + padding);
  out.set(data, extra + padding);
}

/**
 * The run of fields that local header and directory entry share, from the flags to the length of
 * the name.
 */
function writeCommon(view: DataView, at: number, member: Planned): void {
  view.setUint16(at + 6, DATE, true);
  view.setUint32(at + 8, member.crc, true);
  view.setUint32(at + 12, member.data.length, true);
  view.setUint32(at + 16, member.data.length, true);
  view.setUint16(at + 20, member.name.length, true);
}

function writeCentral(out: Uint8Array, view: DataView, member: Planned, at: number): number {
  view.setUint32(at, 0x02014b50, true);
  view.setUint16(at + 4, VERSION, true);
  view.setUint16(at + 6, VERSION, true);
  writeCommon(view, at + 8, member);
  view.setUint32(at + 42, member.at, true);
  out.set(member.name, at + CENTRAL_BYTES);
  return at + CENTRAL_BYTES + member.name.length;
}
