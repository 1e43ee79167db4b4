// The log inside the page: base64, gzip, then the files behind each other.

/** What a block of JSON in the page says. */
const jsonBlock = (id) => JSON.parse(document.getElementById(id).textContent);

/** The log in the page is not what was put there. */
class Damaged extends Error {}

/** Whether this browser can unpack gzip: all can since 2023. */
const canUnpack = () => typeof DecompressionStream === "function";

/** The files of the log as [{file, bytes}]. Throws Damaged where it cannot be read. */
async function unpackLog() {
  try {
    return await unpacked();
  } catch (error) {
    // Letters that are no base64, bytes that are no gzip or fail its checksum, another length.
    const kinds = [TypeError, RangeError, SyntaxError, DOMException];
    if (kinds.some((kind) => error instanceof kind)) throw new Damaged(error.message);
    throw error;
  }
}

async function unpacked() {
  const { files } = jsonBlock("log-files");
  const packed = longBase64(document.getElementById("log-bytes").textContent);
  const total = files.reduce((sum, { length }) => sum + length, 0);
  const whole = new Uint8Array(total);
  const reader = new Blob([packed]).stream()
    .pipeThrough(new DecompressionStream("gzip")).getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > total) throw new RangeError("more bytes than files");
    whole.set(value, at);
    at += value.length;
  }
  if (at !== total) throw new RangeError("fewer bytes than files");
  let start = 0;
  return files.map(({ file, length }) => {
    const bytes = whole.subarray(start, start + length);
    start += length;
    return { file, bytes };
  });
}

const isSession = ({ file }) => file.endsWith(".jsonl");
