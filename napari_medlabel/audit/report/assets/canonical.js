// Canonical JSON: one spelling for a value, so that no change can hide in spelling.

class NotCanonical extends Error {}

/** Refuse keys out of order, fractions, large numbers, half surrogate pairs, deep nesting. */
function checkParts(value, depth) {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new NotCanonical("a number is not whole, or too large");
  } else if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) throw new NotCanonical("text holds half a surrogate pair");
  } else if (value !== null && typeof value === "object") {
    if (depth >= 16) throw new NotCanonical("nested too deep");
    if (Array.isArray(value)) {
      for (const item of value) checkParts(item, depth + 1);
      return;
    }
    let before = "";
    for (const key of Object.keys(value)) {
      if (key < before || !/^[\x00-\x7f]*$/.test(key)) {
        throw new NotCanonical("keys are not ASCII in order");
      }
      before = key;
      checkParts(value[key], depth + 1);
    }
  }
}

/** The value of canonical bytes. Throws NotCanonical for every other spelling of it. */
function parseCanonical(bytes) {
  let text;
  let value;
  try {
    text = utf8Strict.decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) {
      throw new NotCanonical("not JSON in UTF-8");
    }
    throw error;
  }
  if (JSON.stringify(value) !== text) throw new NotCanonical("not in canonical form");
  checkParts(value, 0);
  return value;
}

/** Canonical text of a value that was parsed as JSON: keys sorted, no white space. */
function canonicalText(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const items = Object.keys(value).sort().map(
    (key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`,
  );
  return `{${items.join(",")}}`;
}
