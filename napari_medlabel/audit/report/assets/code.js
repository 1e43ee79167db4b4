// The code on paper, computed again: 32 letters that stand for the ends of all sessions.

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Letters of Crockford's base32, five bits each. */
function crockford(bytes) {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => CROCKFORD[parseInt(group.padEnd(5, "0"), 2)]).join("");
}

/** The letters of a listing of heads: the first 20 bytes of its SHA-256. */
const codeOf = (listing) => crockford(sha256(utf8Bytes(listing)).subarray(0, 20));

/** The heads in a listing: after three lines of title, site and time, one a line. */
function headsOf(listing) {
  return listing.split("\n").slice(3).filter((line) => line !== "").map((line) => {
    const [origin, size, root] = line.split(" ");
    return { origin, size: Number(size), root };
  });
}
