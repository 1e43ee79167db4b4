// Ed25519 signatures (RFC 8032), by the browser where it can, else by whole numbers here.

const FIELD = 2n ** 255n - 19n;
const GROUP = 2n ** 252n + 27742317777372353535851937790883648493n;

/** A power in the field. */
function fieldPower(base, exponent) {
  let result = 1n;
  for (let square = base % FIELD, left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % FIELD;
    square = (square * square) % FIELD;
  }
  return result;
}

const inverse = (value) => fieldPower(value, FIELD - 2n);
const positive = (value) => ((value % FIELD) + FIELD) % FIELD;
const CURVE_D = positive(-121665n * inverse(121666n));
const ROOT_OF_MINUS_1 = fieldPower(2n, (FIELD - 1n) / 4n);
const IDENTITY = [0n, 1n, 1n, 0n];

/** The number in little-endian bytes. */
function littleEndian(bytes) {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}

/** Sum of two points, as [X, Y, Z, T] (RFC 8032 section 5.1.4). Parts may be negative. */
function addPoints(p, q) {
  const a = ((p[1] - p[0]) * (q[1] - q[0])) % FIELD;
  const b = ((p[1] + p[0]) * (q[1] + q[0])) % FIELD;
  const c = (((2n * p[3] * q[3]) % FIELD) * CURVE_D) % FIELD;
  const d = (2n * p[2] * q[2]) % FIELD;
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [(e * f) % FIELD, (g * h) % FIELD, (f * g) % FIELD, (e * h) % FIELD];
}

/** The point in 32 bytes, or null where they are none. */
function decodePoint(bytes) {
  const whole = littleEndian(bytes);
  const sign = whole >> 255n;
  const y = whole & ((1n << 255n) - 1n);
  if (y >= FIELD) return null;
  const u = positive(y * y - 1n);
  const v = positive(CURVE_D * y * y + 1n);
  let x = positive(u * v ** 3n * fieldPower(u * v ** 7n, (FIELD - 5n) / 8n));
  const check = positive(v * x * x);
  if (check === positive(-u)) x = (x * ROOT_OF_MINUS_1) % FIELD;
  else if (check !== u) return null;
  if (x === 0n && sign === 1n) return null;
  if ((x & 1n) !== sign) x = FIELD - x;
  return [x, y, 1n, (x * y) % FIELD];
}

/** The 32 bytes of a point. */
function encodePoint([x, y, z]) {
  const under = inverse(positive(z));
  let whole = positive(y * under) | ((positive(x * under) & 1n) << 255n);
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i += 1, whole >>= 8n) bytes[i] = Number(whole & 255n);
  return bytes;
}

/** All multiples j * 16^i of a point: a product is then 64 additions. */
function multiples(point) {
  const table = [];
  for (let base = point, i = 0; i < 64; i += 1) {
    const row = [IDENTITY];
    for (let j = 1; j < 16; j += 1) row.push(addPoints(row[j - 1], base));
    table.push(row);
    base = addPoints(row[15], base);
  }
  return table;
}

/** Start plus scalar times the point of the table. */
function addMultiple(start, table, scalar) {
  let sum = start;
  for (let i = 0, left = scalar; left > 0n; i += 1, left >>= 4n) {
    const digit = Number(left & 15n);
    if (digit) sum = addPoints(sum, table[i][digit]);
  }
  return sum;
}

let baseTable = null;

/** Return a function (signature, message) -> boolean for one public key. */
function ownVerifier(publicKey) {
  const point = decodePoint(publicKey);
  if (point === null) return () => false;
  if (baseTable === null) {
    const y = positive(4n * inverse(5n));
    const bytes = encodePoint([0n, y, 1n]);
    baseTable = multiples(decodePoint(bytes));
  }
  const table = multiples([-point[0], point[1], 1n, -point[3]]);
  return (signature, message) => {
    const s = littleEndian(signature.subarray(32, 64));
    if (s >= GROUP) return false;
    const first = signature.subarray(0, 32);
    const h = littleEndian(sha512(joined(first, publicKey, message))) % GROUP;
    const sum = addMultiple(addMultiple(IDENTITY, baseTable, s), table, h);
    return sameBytes(encodePoint(sum), first);
  };
}

/**
 * Return a function (public key) -> function (signature, message) -> boolean or promise.
 * The browser's own Ed25519 is taken only after it knew a right from a wrong signature.
 */
async function chooseVerifier(subtle = globalThis.crypto?.subtle) {
  const nobody = { make: async (key) => ownVerifier(key), own: true };
  if (!subtle) return nobody;
  const load = (key) => subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  try {
    // RFC 8032 section 7.1, test 1: the empty message.
    const key = await load(longBase64("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="));
    const right = longBase64(
      "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==",
    );
    const wrong = right.slice();
    wrong[9] ^= 1;
    const none = new Uint8Array(0);
    if (!(await subtle.verify("Ed25519", key, right, none))) return nobody;
    if (await subtle.verify("Ed25519", key, wrong, none)) return nobody;
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return nobody;
    throw error;
  }
  const make = async (bytes) => {
    try {
      const key = await load(bytes);
      return (signature, message) => subtle.verify("Ed25519", key, signature, message);
    } catch (error) {
      if (error instanceof DOMException) return () => false; // these bytes are no point
      throw error;
    }
  };
  return { make, own: false };
}
