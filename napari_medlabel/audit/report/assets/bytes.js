// Bytes and text: base64 with one spelling, UTF-8 that refuses what is not UTF-8.

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const utf8Strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8Bytes = (text) => new TextEncoder().encode(text);

/** Standard base64 with padding. */
function toBase64(bytes) {
  let text = "";
  let at = 0;
  for (; at + 2 < bytes.length; at += 3) {
    const three = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
    text += BASE64[three >> 18] + BASE64[(three >> 12) & 63]
      + BASE64[(three >> 6) & 63] + BASE64[three & 63];
  }
  if (at + 1 === bytes.length) {
    text += `${BASE64[bytes[at] >> 2]}${BASE64[(bytes[at] & 3) << 4]}==`;
  } else if (at + 2 === bytes.length) {
    const two = (bytes[at] << 8) | bytes[at + 1];
    text += `${BASE64[two >> 10]}${BASE64[(two >> 4) & 63]}${BASE64[(two & 15) << 2]}=`;
  }
  return text;
}

/** The bytes of base64 text of a known length, or null: spare bits must be zero. */
function fromBase64(text, length) {
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  if (text.length !== 4 * Math.ceil(length / 3)) return null;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return bytes.length === length && toBase64(bytes) === text ? bytes : null;
}

/** All the bytes of long base64 text, fast. Throws where it is none. */
function longBase64(text) {
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Hex digits of bytes. */
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Several byte arrays in one. */
function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const sameBytes = (one, other) =>
  one.length === other.length && one.every((byte, i) => byte === other[i]);
