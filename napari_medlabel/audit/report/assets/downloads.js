// The buttons that save a file: out of the page itself, without any request.

/** The parts of a file that lies in the page, unpacked. */
async function packedParts(key) {
  const packed = longBase64(byId(`download-${key}`).textContent);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return [await new Response(stream).arrayBuffer()];
}

/** Let the browser save a file. */
function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = element("a", { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads the file after the click; a minute is plenty for any.
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

/** Switch the buttons off, where there is nothing that they could save. */
function stopDownloads() {
  for (const wanted of document.querySelectorAll("[data-download]")) wanted.disabled = true;
}

/** Lets the buttons work; a log that cannot be read gives none of its files. */
function watchDownloads(log, index, facts) {
  const result = byId("download-result");
  const makers = {
    raw: async () => zipParts(await log),
    csv: () => csvParts(index, facts.heads),
  };
  for (const wanted of document.querySelectorAll("[data-download]")) {
    const key = wanted.dataset.download;
    const { name, type, length } = facts.downloads[key];
    wanted.addEventListener("click", async () => {
      wanted.disabled = true;
      try {
        const blob = new Blob(await (makers[key] ?? (() => packedParts(key)))(), { type });
        if (length !== null && blob.size !== length) throw new RangeError("another length");
        save(blob, name);
        result.replaceChildren(element("p", {}, "Saved as ", element("code", {}, name), "."));
      } catch (error) {
        const kinds = [TypeError, RangeError, SyntaxError, DOMException];
        if (!kinds.some((kind) => error instanceof kind)) throw error;
        result.replaceChildren(chip("This file cannot be read: the page was damaged or changed", "red"));
      } finally {
        wanted.disabled = false;
      }
    });
  }
}
