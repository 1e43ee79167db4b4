// SHA-256 and SHA-512 (FIPS 180-4), written here so that the check rests on nothing else.

/** The first primes: both functions take their constants from roots of them. */
function firstPrimes(count) {
  const found = [];
  for (let candidate = 2; found.length < count; candidate += 1) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

/** The first 64 bits behind the point of the square (2) or cube (3) root of a whole number. */
function rootBits(number, power) {
  const wanted = BigInt(number) << (64n * power);
  let low = 0n;
  let high = 1n << 72n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** power <= wanted) low = middle;
    else high = middle;
  }
  return BigInt.asUintN(64, low);
}

const SHA512_START = firstPrimes(8).map((prime) => rootBits(prime, 2n));
const SHA512_ROUNDS = firstPrimes(80).map((prime) => rootBits(prime, 3n));
const upperHalf = (value) => Number(value >> 32n) | 0;
const SHA256_START = Int32Array.from(SHA512_START, upperHalf);
const SHA256_ROUNDS = Int32Array.from(SHA512_ROUNDS.slice(0, 64), upperHalf);

const sha256Words = new Int32Array(64);
const sha256State = new Int32Array(8);
let sha256Room = new Uint8Array(8192);

/** Mix one block of 64 bytes of the room into the state. */
function sha256Block(at) {
  const words = sha256Words;
  const room = sha256Room;
  for (let i = 0, p = at; i < 16; i += 1, p += 4) {
    words[i] = (room[p] << 24) | (room[p + 1] << 16) | (room[p + 2] << 8) | room[p + 3];
  }
  for (let i = 16; i < 64; i += 1) {
    const x = words[i - 15];
    const y = words[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
  }
  const state = sha256State;
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + SHA256_ROUNDS[i] + words[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0;
    d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

/** Make room for a message of so many bytes and its padding. */
function sha256Reserve(length) {
  if (sha256Room.length < length + 72) sha256Room = new Uint8Array(2 * (length + 72));
}

/** SHA-256 of the first bytes of the room, as 32 new bytes. */
function sha256OfRoom(length) {
  const total = ((length + 72) >> 6) << 6;
  sha256Room.fill(0, length, total);
  sha256Room[length] = 0x80;
  const view = new DataView(sha256Room.buffer);
  view.setUint32(total - 8, Math.floor(length / 0x20000000));
  view.setUint32(total - 4, length << 3);
  sha256State.set(SHA256_START);
  for (let at = 0; at < total; at += 64) sha256Block(at);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 8; i += 1) {
    const word = sha256State[i];
    digest[4 * i] = word >>> 24;
    digest[4 * i + 1] = word >>> 16;
    digest[4 * i + 2] = word >>> 8;
    digest[4 * i + 3] = word;
  }
  return digest;
}

/** SHA-256 of bytes. */
function sha256(bytes) {
  sha256Reserve(bytes.length);
  sha256Room.set(bytes);
  return sha256OfRoom(bytes.length);
}

/** SHA-256 of one byte followed by bytes: how RFC 6962 tells leaves (0) from nodes (1). */
function sha256Tagged(tag, first, second) {
  const length = 1 + first.length + (second ? second.length : 0);
  sha256Reserve(length);
  sha256Room[0] = tag;
  sha256Room.set(first, 1);
  if (second) sha256Room.set(second, 1 + first.length);
  return sha256OfRoom(length);
}

const turn64 = (value, by) => BigInt.asUintN(64, (value >> by) | (value << (64n - by)));

/** SHA-512 of bytes: needed only for signatures where the browser has none of its own. */
function sha512(bytes) {
  const total = ((bytes.length + 144) >> 7) << 7;
  const message = new Uint8Array(total);
  message.set(bytes);
  message[bytes.length] = 0x80;
  const view = new DataView(message.buffer);
  view.setBigUint64(total - 8, BigInt(bytes.length) << 3n);
  let state = SHA512_START;
  const words = new Array(80);
  for (let at = 0; at < total; at += 128) {
    for (let i = 0; i < 16; i += 1) words[i] = view.getBigUint64(at + 8 * i);
    for (let i = 16; i < 80; i += 1) {
      const x = words[i - 15];
      const y = words[i - 2];
      const s0 = turn64(x, 1n) ^ turn64(x, 8n) ^ (x >> 7n);
      const s1 = turn64(y, 19n) ^ turn64(y, 61n) ^ (y >> 6n);
      words[i] = BigInt.asUintN(64, words[i - 16] + s0 + words[i - 7] + s1);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 80; i += 1) {
      const s1 = turn64(e, 14n) ^ turn64(e, 18n) ^ turn64(e, 41n);
      const t1 = h + s1 + ((e & f) ^ (~e & g)) + SHA512_ROUNDS[i] + words[i];
      const s0 = turn64(a, 28n) ^ turn64(a, 34n) ^ turn64(a, 39n);
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g; g = f; f = e; e = BigInt.asUintN(64, d + t1);
      d = c; c = b; b = a; a = BigInt.asUintN(64, t1 + t2);
    }
    const mixed = [a, b, c, d, e, f, g, h];
    state = state.map((value, i) => BigInt.asUintN(64, value + mixed[i]));
  }
  const digest = new DataView(new ArrayBuffer(64));
  state.forEach((value, i) => digest.setBigUint64(8 * i, value));
  return new Uint8Array(digest.buffer);
}
