// The whole log: every session, then everyone who remembers the end of one.

const SLICE_MS = 24;
const SIGNATURES_AT_ONCE = 64;

/** Let the page breathe between two slices of work. */
function breathe() {
  if (globalThis.scheduler?.yield) return globalThis.scheduler.yield();
  return new Promise((resolve) => { setTimeout(resolve, 0); });
}

/** Check the lines of one session, slice by slice. */
async function readSession(session, progress) {
  while (!session.advance(performance.now() + SLICE_MS)) {
    progress(session.at);
    await breathe();
  }
  progress(session.bytes.length);
}

/** Check the signature of every seal of one session; the first wrong one ends it. */
async function checkSeals(session, verifier, progress) {
  if (session.key === null) return;
  const verify = await verifier.make(session.key);
  const { origin, seals } = session;
  let rested = performance.now();
  const step = verifier.own ? 4 : SIGNATURES_AT_ONCE;
  for (let first = 0; first < seals.length; first += step) {
    const some = seals.slice(first, first + step);
    const right = await Promise.all(
      some.map((seal) => verify(seal.signature, checkpoint({ ...seal, origin }))),
    );
    const wrong = right.indexOf(false);
    if (wrong >= 0) {
      session.reject(some[wrong]);
      return;
    }
    progress(some.length);
    if (performance.now() - rested > SLICE_MS) {
      await breathe();
      rested = performance.now();
    }
  }
}

/** The text that an install key signs to certify a session's key. */
function certificateText(opening) {
  const before = opening.prev_session ?? { origin: "-", size: "-", root: "-" };
  return utf8Bytes(
    `medlabel-cert/v1\n${opening.origin}\n${opening.pub}\n`
    + `${before.origin}\n${before.size}\n${before.root}\n`,
  );
}

/** Check that the workstation's key vouches for the session's key; counts the good ones. */
async function checkCertificate(session, verifier) {
  const opening = session.opening;
  if (!session.sealed || !opening || !("cert" in opening || "install" in opening)) return 0;
  const key = fromBase64(opening.install, 32);
  const cert = fromBase64(opening.cert, 68);
  if (key !== null && cert !== null) {
    const [place, site, writer] = session.origin.split("/");
    const id = keyId(`${place}/${site}/${writer}`, key);
    const verify = await verifier.make(key);
    if (sameBytes(id, cert.subarray(0, 4))
      && await verify(cert.subarray(4), certificateText(opening))) return 1;
  }
  session.say("red", "CERT", "The certificate of the session's key is wrong.", 1);
  return 0;
}

/** What is wrong between a session and a head of it that somebody holds, or null. */
function compareHead(session, head, holder) {
  const file = sessionFile(head.origin);
  const found = (code, text) => ({ level: "red", code, text, file, line: 0 });
  if (!session) {
    return found("MISSING",
      `A whole session is missing: ${holder} remembers ${numbered(head.size, "event")} of it.`);
  }
  if (session.sealed < head.size) {
    if (session.has("BROKEN")) return null; // said already
    return found("TRUNCATED",
      `The end is missing: ${holder} remembers ${numbered(head.size, "event")}, and `
      + `${session.sealed} ${session.sealed === 1 ? "is" : "are"} there.`);
  }
  if (session.roots.get(head.size) !== head.root) {
    return found("FORK",
      `This is not the log that ${holder} remembers: the first ${numbered(head.size, "event")} `
      + `of it ${head.size === 1 ? "was" : "were"} not the same.`);
  }
  return null;
}

/** Compare every session with what others say of it; count the heads that fit. */
function compareAll(sessions, expected, pruned, findings) {
  const byFile = new Map(sessions.map((session) => [session.file, session]));
  const said = new Set();
  let fitting = 0;
  const compare = (head, holder) => {
    const file = sessionFile(head.origin);
    const end = byFile.has(file) ? undefined : pruned.get(head.origin);
    const isDeleted = end && (head.size < end.size
      || (head.size === end.size && head.root === end.root));
    if (!head.size || isDeleted) return;
    const wrong = compareHead(byFile.get(file), head, holder);
    if (wrong === null) fitting += 1;
    else if (!said.has(wrong.code + file)) {
      said.add(wrong.code + file);
      findings.push(wrong);
    }
  };
  for (const head of expected) compare(head, "this page itself");
  for (const session of sessions) {
    for (const head of session.heads) {
      if (head.origin !== session.origin) {
        compare(head, `the session in ${session.file}, line ${head.line},`);
      }
    }
  }
  return fitting;
}

/** Whether a session is as it was written, as far as this page can tell. */
function isSound(session, findings) {
  const spoiled = ["BROKEN", "NAME", "FORK", "TRUNCATED"];
  return !session.has(...spoiled)
    && !findings.some(({ code, file }) => file === session.file && spoiled.includes(code));
}

/** The sessions among bare that a trusted one of the same writer names whole, by a chain too. */
function vouchedFor(sessions, bare, findings) {
  const sound = bare.filter((one) => isSound(one, findings));
  const waiting = new Map(sound.map((one) => [one.file, one]));
  const asked = sessions.filter((one) => one.trusted && isSound(one, findings));
  const found = new Set();
  for (const session of asked) { // which grows
    for (const head of session.heads) {
      const one = waiting.get(sessionFile(head.origin));
      const isEnd = one && head.size === one.sealed && head.root === one.roots.get(one.sealed);
      const isNamed = ["session.open", "session.recover"].includes(head.event)
        && head.origin.split("/")[2] === session.origin.split("/")[2];
      if (!isEnd || !isNamed || found.has(one)) continue;
      found.add(one);
      asked.push(one);
    }
  }
  return found;
}

/** Say once of all sessions without a certificate whether anybody vouches for their keys. */
function countUncertified(sessions, findings) {
  const bare = sessions.filter((one) => one.sealed && !("cert" in one.opening));
  const vouched = vouchedFor(sessions, bare, findings);
  const left = bare.filter((one) => !vouched.has(one));
  const say = (level, code, text, [{ file }]) => {
    findings.push({ level, code, text, file, line: 1 });
  };
  if (left.length) {
    const [whose, whom] = left.length === 1 ? ["its", "it"] : ["their", "them"];
    say("amber", "UNCERTIFIED", `No computer's key vouches for ${numbered(left.length, "session")} `
      + `of ${sessions.length}: ${whose} seals show that nothing changed, not which computer wrote `
      + `${whom}.`, left);
  }
  if (vouched.size) {
    say("note", "VOUCHED", `${numbered(vouched.size, "session")} without a certificate, as from `
      + "before a workstation had a key: a certified session names their ends.", [...vouched]);
  }
}

/** Turn findings about a crash into notes where a later session looked into it. */
function clearRecovered(sessions) {
  const recovered = new Set();
  for (const session of sessions) {
    for (const head of session.heads) {
      if (head.event === "session.recover") recovered.add(`${head.origin} ${head.size}`);
    }
  }
  for (const session of sessions) {
    if (!recovered.has(`${session.origin} ${session.sealed}`)) continue;
    for (const finding of session.findings) {
      if (["TAIL", "STILLBORN", "OPEN"].includes(finding.code)) finding.level = "note";
    }
  }
}

/** Say when a file does not belong where it is: copied, renamed, or there twice. */
function checkNames(sessions) {
  for (const session of sessions) {
    if (session.origin && sessionFile(session.origin) !== session.file) {
      session.say("red", "NAME", "The file is not in its place: it was copied or renamed.");
    }
  }
}

const LEVELS = ["red", "amber", "note"];

/**
 * Check a log: files is [{file, bytes}], the sessions and where there is one site.json;
 * expected holds the heads that the page was made from.
 * progress is called with a share from 0 to 1.
 * Returns {verdict, findings (red first), events, sessions, signatures, certificates, heads, officer, own}.
 */
async function checkLog(files, expected, progress = () => {}, verifier = null) {
  const chosen = verifier ?? await chooseVerifier();
  const logs = files.filter(({ file }) => file.endsWith(".jsonl"));
  const document_ = files.find(({ file }) => file === "site.json");
  const sessions = logs.map(({ file, bytes }) => new SessionCheck(file, bytes));
  const total = Math.max(1, logs.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let done = 0;
  for (const session of sessions) {
    await readSession(session, (at) => progress(((done + at) / total) * 0.5));
    done += session.bytes.length;
  }
  const seals = Math.max(1, sessions.reduce((sum, session) => sum + session.seals.length, 0));
  let signatures = 0;
  let certificates = 0;
  for (const session of sessions) {
    await checkSeals(session, chosen, (count) => {
      signatures += count;
      progress(0.5 + (signatures / seals) * 0.5);
    });
    session.finish();
    session.certified = await checkCertificate(session, chosen);
    certificates += session.certified;
  }
  checkNames(sessions);
  const findings = [];
  const signed = await signedSite(document_?.bytes ?? null, findings, chosen);
  if (signed !== null) judgeKeys(sessions, signed.site);
  judgePolicies(sessions, files);
  const pruned = await orderedPrunings(sessions, signed?.site ?? null, chosen);
  const heads = compareAll(sessions, expected, pruned, findings);
  countUncertified(sessions, findings);
  clearRecovered(sessions);
  findings.push(...sessions.flatMap((session) => session.findings));
  findings.sort((one, other) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level));
  progress(1);
  return {
    verdict: findings.length && findings[0].level !== "note" ? findings[0].level : "green",
    findings,
    events: sessions.reduce((sum, session) => sum + session.sealed, 0),
    sessions,
    signatures,
    certificates,
    heads,
    officer: signed === null ? "" : fingerprint(signed.officer),
    own: chosen.own,
  };
}
