// The button "Check again in this browser": runs the check, and says what it found.

const MOST_FINDINGS = 50;
const UNREADABLE = "The log inside this page cannot be read: the page was damaged or changed.";

/** Turn the whole page red: what is inside is not what was written. */
function turnRed(sentence) {
  byId("verdict").className = "verdict red";
  byId("verdict").querySelector(".sign").textContent = "✕";
  byId("verdict-word").textContent = "Do not rely on this page";
  byId("verdict-sentence").textContent = sentence;
  byId("verdict-todo").textContent =
    "Keep this page as it is, and verify the log itself with 'medlabel audit verify'.";
}

/** One finding as a list item. */
function findingItem({ level, text, file, line }) {
  const words = { red: "wrong", amber: "unconfirmed", note: "note" }[level];
  const where = line ? `${file}, line ${line}` : file;
  return element("li", {}, chip(words, level === "note" ? "plain" : level), ` ${text} `,
    element("code", { class: "where" }, where));
}

/** What the code on paper says of what was computed here. */
function codeFinding(code, checked) {
  const wrong = (text) => ({ level: "red", code: "CODE", text, file: "", line: 0 });
  if (code === null) return null;
  const shown = byId("paper-code").textContent;
  const letters = codeOf(code.listing);
  if (shown !== code.shown || shown.replaceAll("-", "").slice(0, 32) !== letters) {
    return wrong("The code printed on this page is not the code of the heads in it.");
  }
  const listed = new Set(headsOf(code.listing).map(({ origin }) => origin));
  const other = checked.sessions.find((one) => one.sealed && !listed.has(one.origin));
  return other ? { ...wrong("The code does not cover this session."), file: other.file } : null;
}

/** Say in words what was found. */
function conclude(checked, facts) {
  const told = [
    `${counted(checked.events, "event", "events")} in `
    + `${counted(checked.sessions.length, "session", "sessions")}`,
    counted(checked.signatures, "signature", "signatures"),
    counted(checked.certificates, "certificate", "certificates"),
    `${counted(checked.heads, "remembered end", "remembered ends")}`,
  ];
  const { findings } = checked;
  const bad = findings.filter((finding) => finding.level === "red");
  const list = element("ol", { class: "findings" },
    ...findings.slice(0, MOST_FINDINGS).map(findingItem));
  if (bad.length) {
    const [first] = bad;
    const where = first.file ? ` (${first.file}${first.line ? `, line ${first.line}` : ""})` : "";
    turnRed(`Your browser found ${counted(bad.length, "change", "changes")} in the log inside this page: ${first.text}${where}`);
    return [element("p", {}, chip("Altered", "red")), list];
  }
  const how = checked.own ? "by this page's own arithmetic" : "by your browser's own cryptography";
  return [
    element("p", {}, chip("All of it fits", "green"),
      ` Checked: ${told.join(", ")}. Signatures were checked ${how}.`),
    facts.code === null ? null : element("p", {},
      "The code was computed again and is the same. It counts when it is also the one on paper."),
    checked.officer === "" ? null : element("p", {},
      "The officer's key, which signed the list of computers: ",
      element("code", {}, checked.officer), "."),
    findings.length ? list : null,
  ].filter((part) => part !== null);
}

/** The check of what unpackLog gave, with findings about page and code. */
async function recheck(files, facts, progress) {
  const heads = [...facts.heads, ...(facts.code ? headsOf(facts.code.listing) : [])];
  const checked = await checkLog(files, heads, progress);
  const wrong = codeFinding(facts.code, checked);
  if (wrong !== null) checked.findings.unshift(wrong);
  return checked;
}

/** Lets the button work. */
function watchCheck(unpacked, facts) {
  const start = byId("check");
  const bar = byId("check-progress");
  const result = byId("check-result");
  start.addEventListener("click", async () => {
    start.disabled = true;
    bar.hidden = false;
    result.replaceChildren("Checking …");
    const began = performance.now();
    try {
      const files = await unpacked;
      const checked = await recheck(files, facts, (share) => { bar.value = share; });
      result.replaceChildren(...conclude(checked, facts));
      result.dataset.verdict = checked.findings.some(({ level }) => level === "red")
        ? "red" : checked.verdict;
    } catch (error) {
      if (!(error instanceof Damaged)) {
        result.replaceChildren("The check could not be carried out in this browser.");
        throw error;
      }
      turnRed(UNREADABLE);
      result.replaceChildren(chip("The log inside this page cannot be read", "red"));
      result.dataset.verdict = "red";
    } finally {
      result.dataset.ms = String(Math.round(performance.now() - began));
      bar.hidden = true;
      start.disabled = false;
      start.textContent = "Check once more";
    }
  });
}
