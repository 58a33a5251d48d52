/** Cyclic redundancy checks of the record formats: IEEE in W&B's log, Castagnoli in TensorBoard's. */

/** Polynomials in reflected (least significant bit first) form. */
const IEEE = 0xedb88320;
const CASTAGNOLI = 0x82f63b78;

function tableOf(polynomial: number): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[byte] = crc >>> 0;
  }
  return table;
}

const ieeeTable = tableOf(IEEE);
const castagnoliTable = tableOf(CASTAGNOLI);

function checksum(table: Uint32Array, bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** CRC-32 as zlib's; Node has its own only from 20.15 on. */
export function crc32(bytes: Uint8Array): number {
  return checksum(ieeeTable, bytes);
}

/** CRC-32C as in iSCSI (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  return checksum(castagnoliTable, bytes);
}
