// Who opened the record of one patient: the token is computed here, and forgotten.

/** An identifier as the log hashes it: NFC, without padding at both ends. */
const normalId = (text) => text.normalize("NFC").replace(/^[ \t\r\n\0]+|[ \t\r\n\0]+$/g, "");

/** The token keys in a file, as [{kid, secret}]: 64 hex digits, or what
 * 'medlabel audit key tokens --export FILE --plain' writes. */
function tokenKeys(text) {
  const hex = (digits) => {
    if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw new RangeError("not a key");
    return Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
  };
  const bare = text.trim();
  if (!bare.startsWith("{")) return [{ kid: 1, secret: hex(bare) }];
  const document_ = JSON.parse(bare);
  if ("sealed" in document_) throw new RangeError("sealed");
  return document_.keys.map(({ kid, secret }) => ({ kid: Number(kid), secret: hex(secret) }));
}

/** HMAC-SHA-256 (RFC 2104) with a key of at most 64 bytes. */
function hmac(key, message) {
  const pad = (byte) => Uint8Array.from({ length: 64 }, (_, i) => (key[i] ?? 0) ^ byte);
  return sha256(joined(pad(0x5c), sha256(joined(pad(0x36), message))));
}

/** The tokens of a patient, one for each key and issuer, and for none. */
function patientTokens(keys, issuers, patientId) {
  const messages = [...issuers, ""].map((issuer) =>
    utf8Bytes(`${normalId(issuer)}\x1f${normalId(patientId)}`));
  const tokens = keys.flatMap(({ kid, secret }) => messages.map((message) =>
    `s${kid}-${toHex(hmac(secret, message)).slice(0, 32)}`));
  return [...new Set(tokens)];
}

/** What to say, and to do, where a number has no event: not that the patient has none. */
function nothingFound(issuers) {
  const written = "written as in Issuer of Patient ID (0010,0021)";
  if (!issuers.length) {
    return "No event under this number without an issuer. The scans may name who gave the "
      + `number: ask again with the issuer, ${written}; several may be given.`;
  }
  const tried = issuers.length === 1 ? "this issuer" : "these issuers";
  return `No event under this number, with ${tried} or without one. Check the number and the `
    + `issuer, ${written}, and whether the key file holds the keys of the computers that `
    + "opened the scans.";
}

/** Lets the box for a patient answer. */
function watchPatient(index, facts) {
  const form = byId("patient");
  const result = byId("patient-result");
  const room = byId("patient-events");
  const clear = () => {
    result.textContent = "";
    room.replaceChildren();
  };
  const refuse = (words) => { result.replaceChildren(chip(words, "red")); };
  form.addEventListener("reset", clear);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clear();
    const [file] = byId("patient-key").files;
    const patientId = byId("patient-id").value;
    if (!file) return refuse("Choose the token key file.");
    if (!normalId(patientId)) return refuse("Type the patient ID.");
    let keys;
    try {
      keys = tokenKeys(await file.text());
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError
        || error instanceof TypeError)) throw error;
      return refuse(error.message === "sealed"
        ? "This key file is sealed with a passphrase, which this page cannot open. Use 'medlabel audit who', or export the keys anew with --plain."
        : "This file is not a token key.");
    }
    const issuers = byId("patient-issuer").value.split("\n").filter((line) => normalId(line));
    const tokens = patientTokens(keys, issuers, patientId);
    const found = [...new Set(tokens.flatMap((token) => index.subjects.get(token) ?? []))];
    found.sort((one, other) => index.time[other] - index.time[one]);
    const people = new Set(found.map((number) => index.user[number])).size;
    result.replaceChildren(element("p", {}, found.length
      ? `${counted(found.length, "event", "events")} by ${counted(people, "person", "people")}. `
      : `${nothingFound(issuers)} `, tokens.length === 1 ? "Token: " : "Tokens: ",
    ...tokens.flatMap((token) => [tokenCode(token), " "])));
    if (found.length) {
      const table = new EventTable(index, facts, "Events of this patient, newest first");
      table.show(found, "");
      room.replaceChildren(table.element);
    }
    return undefined;
  });
}
