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
      && [...found.site.installs, ...found.site.officers].every((one) => fromBase64(one.pub, 32));
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

/** What the officer's document says of the key that vouches for one session. */
function entryOf(session, site) {
  const { install } = session.opening;
  const writer = session.origin.split("/")[2];
  return site.installs.find((one) => one.writer === writer && one.pub === install);
}

/** What is to be said of the key that vouches for one session. */
function trustOf(session, site) {
  const entry = entryOf(session, site);
  if (!entry || session.firstMs < Date.parse(entry.from)) {
    return ["amber", "TOFU", "The officer has not certified the key of this computer."];
  }
  const over = entry.revoked ? Date.parse(entry.revoked) : Infinity;
  return session.firstMs >= over
    ? ["red", "REVOKED", "The officer had revoked the key of this computer before."] : null;
}

/** Read site.json and check the officer's signature; null where there is none to believe. */
async function signedSite(bytes, findings, verifier) {
  if (bytes === null) return null;
  const found = readSite(bytes);
  if (found !== null && await isSignedByOfficer(found, verifier)) return found;
  const text = "The site's document was changed after the officer signed it.";
  findings.push({ level: "red", code: "SITE", text, file: "site.json", line: 0 });
  return null;
}

/**
 * Say of each session's key whether the officer trusts it.
 * A key that was revoked later vouches for nobody else: this page does not know who saw its
 * sessions in time.
 */
function judgeKeys(sessions, site) {
  for (const session of sessions) {
    if (!session.sealed || !session.opening?.install) continue;
    const said = trustOf(session, site);
    if (said !== null) session.say(...said, 1);
    else session.trusted = session.certified === 1 && !entryOf(session, site).revoked;
  }
}

/** Say which sessions were written under a document that is not in the page any more. */
function judgePolicies(sessions, files) {
  const isSite = ({ file }) => /^site(\/[0-9]+)?\.json$/.test(file);
  const there = new Set(files.filter(isSite).map(({ bytes }) => `sha256:${toHex(sha256(bytes))}`));
  for (const session of sessions) {
    const named = session.opening?.policy;
    if (!session.sealed || !named || there.has(named)) continue;
    session.say("red", "SITE", "This session was written under an officer's document that is "
      + "not there any more: it was taken away or replaced.", 1);
  }
}

/** Whether an officer signed that sessions were to be deleted. */
async function isOrdered(pruning, site, verifier) {
  const signature = fromBase64(pruning.signature, 68);
  if (site === null || signature === null) return false;
  const name = `medlabel.local/${site.name}/officer`;
  const order = canonicalText({ policy_days: pruning.days, pruned: pruning.heads });
  for (const { pub } of site.officers) {
    const key = fromBase64(pub, 32);
    if (key === null || !sameBytes(keyId(name, key), signature.subarray(0, 4))) continue;
    const verify = await verifier.make(key);
    if (await verify(signature.subarray(4), utf8Bytes(`medlabel-prune/v1\n${order}`))) return true;
  }
  return false;
}

/** The ends of the sessions that an officer had deleted, by origin. */
async function orderedPrunings(sessions, site, verifier) {
  const ends = new Map();
  for (const session of sessions) {
    for (const pruning of session.prunings) {
      if (await isOrdered(pruning, site, verifier)) {
        for (const head of pruning.heads) ends.set(head.origin, head);
      } else {
        const text = "Sessions are said to have been deleted by rule, and no officer signed it.";
        session.say("red", "PRUNED", text, pruning.line);
      }
    }
  }
  return ends;
}
