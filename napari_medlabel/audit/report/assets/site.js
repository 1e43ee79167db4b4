// The site's document, when it is in the page: the officer's signature, and whom it trusts.

/** A public key as people compare it: 16 letters. */
const fingerprint = (key) => crockford(sha256(key).subarray(0, 10)).match(/.{4}/g).join("-");

/** The parts of site.json, or null where it is none. */
function readSite(bytes) {
  try {
    const found = JSON.parse(utf8Strict.decode(bytes));
    const officer = fromBase64(found.officer, 32);
    const signature = fromBase64(found.signature, 68);
    const whole = officer && signature && typeof found.site.name === "string"
      && Array.isArray(found.site.installs) && Array.isArray(found.site.officers);
    return whole ? { site: found.site, officer, signature } : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

/** Whether the officer whom the document names signed it. */
async function isSignedByOfficer({ site, officer, signature }, verifier) {
  const name = `medlabel.local/${site.name}/officer`;
  const text = utf8Bytes(`medlabel-site/v1\n${canonicalText(site)}`);
  const verify = await verifier.make(officer);
  return site.officers.some(({ pub }) => pub === toBase64(officer))
    && sameBytes(keyId(name, officer), signature.subarray(0, 4))
    && verify(signature.subarray(4), text);
}

/** What is to be said of the key that vouches for one session. */
function trustOf(session, site) {
  const { install } = session.opening;
  const writer = session.origin.split("/")[2];
  const entry = site.installs.find((one) => one.writer === writer && one.pub === install);
  if (!entry || session.firstMs < Date.parse(entry.from)) {
    return ["amber", "TOFU", "The officer has not certified the key of this computer."];
  }
  const over = entry.revoked ? Date.parse(entry.revoked) : Infinity;
  return session.firstMs >= over
    ? ["red", "REVOKED", "The officer had revoked the key of this computer before."] : null;
}

/** Check the document and the keys of all sessions; returns the officer's fingerprint or "". */
async function checkSite(bytes, sessions, findings, verifier) {
  const found = readSite(bytes);
  if (found === null || !(await isSignedByOfficer(found, verifier))) {
    const text = "The site's document was changed after the officer signed it.";
    findings.push({ level: "red", code: "SITE", text, file: "site.json", line: 0 });
    return "";
  }
  for (const session of sessions) {
    if (!session.sealed || !session.opening?.install) continue;
    const said = trustOf(session, found.site);
    if (said !== null) session.say(...said, 1);
  }
  return fingerprint(found.officer);
}
