// A zip file of files as they are, uncompressed: every program opens it.

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
  let crc = number;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i += 1) crc = CRC_TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Numbers of 2 or 4 bytes, the lowest first: [size, value]. */
function zipNumbers(...numbers) {
  const bytes = new Uint8Array(numbers.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of numbers) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

/** The parts of a zip file of [{file, bytes}], in order; all dated 1980, as nobody knows. */
function zipParts(files) {
  const parts = [];
  const listing = [];
  let at = 0;
  for (const { file, bytes } of files) {
    const name = utf8Bytes(file);
    const size = bytes.length;
    // Version 2.0, names in UTF-8, stored, 1 January 1980.
    const shared = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 33],
      [4, crc32(bytes)], [4, size], [4, size], [2, name.length], [2, 0]];
    const head = zipNumbers([4, 0x04034b50], ...shared);
    parts.push(head, name, bytes);
    const rest = [[2, 0], [2, 0], [2, 0], [4, 0], [4, at]];
    listing.push(zipNumbers([4, 0x02014b50], [2, 20], ...shared, ...rest), name);
    at += head.length + name.length + size;
  }
  const length = listing.reduce((sum, part) => sum + part.length, 0);
  const count = files.length;
  const end = zipNumbers([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count],
    [4, length], [4, at], [2, 0]);
  return [...parts, ...listing, end];
}
