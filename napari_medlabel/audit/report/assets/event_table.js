// A table of events, one page of it at a time; a row opens to its raw line and neighbours.

const ROWS_ON_A_PAGE = 50;
const OUTCOMES = new Map([
  [0, ["done", "green"]], [4, ["partly", "amber"]],
  [8, ["failed", "red"]], [12, ["failed badly", "red"]],
]);

/** Shows any list of event numbers. */
class EventTable {
  constructor(index, facts, caption) {
    this.index = index;
    this.facts = facts;
    this.numbers = [];
    this.page = 0;
    this.summary = element("p", { class: "quiet", role: "status", "aria-live": "polite" });
    this.body = element("tbody");
    const heads = ["Time", "What", "Who", "Patient", "Outcome", "Line", ""];
    const title = (words) => element("th", { scope: "col" },
      words || element("span", { class: "unseen" }, "Show the line"));
    const table = element("table", {}, element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...heads.map(title))), this.body);
    const region = { class: "scroll", tabindex: 0, role: "region", "aria-label": caption };
    this.steps = [
      button("First", () => this.go(0)),
      button("Back", () => this.go(this.page - 1)),
      button("Next", () => this.go(this.page + 1)),
      button("Last", () => this.go(this.pages - 1)),
    ];
    this.where = element("span", {});
    const pager = element("nav", { class: "pager", "aria-label": `Pages of: ${caption}` },
      this.steps[0], this.steps[1], this.where, this.steps[2], this.steps[3]);
    this.element = element("div", {}, this.summary, element("div", region, table), pager);
  }

  get pages() {
    return Math.max(1, Math.ceil(this.numbers.length / ROWS_ON_A_PAGE));
  }

  /** Show events by number, from the first page. */
  show(numbers, words) {
    this.numbers = numbers;
    this.summary.textContent = words;
    this.go(0);
  }

  go(page) {
    this.page = Math.min(Math.max(0, page), this.pages - 1);
    const first = this.page * ROWS_ON_A_PAGE;
    const some = Array.from(this.numbers.slice(first, first + ROWS_ON_A_PAGE));
    this.body.replaceChildren(...some.map((number) => this.row(number)));
    this.where.textContent = ` Page ${grouped(this.page + 1)} of ${grouped(this.pages)} `;
    const atStart = this.page === 0;
    const atEnd = this.page === this.pages - 1;
    [atStart, atStart, atEnd, atEnd].forEach((off, i) => { this.steps[i].disabled = off; });
  }

  row(number) {
    const { index, facts } = this;
    const name = index.events.texts[index.event[number]];
    const user = index.users.texts[index.user[number]];
    const subjects = index.subject[number];
    const [words, kind] = OUTCOMES.get(index.outcome[number]) ?? ["unknown", "amber"];
    const file = index.files[index.fileOf[number]];
    const line = index.lineOf[number];
    const opener = button("Show", () => this.toggle(number, row, opener), {
      class: "second", "aria-expanded": "false",
      "aria-label": `Show line ${line} of its file`,
    });
    const who = facts.names[user] 
      ? [element("bdi", {}, facts.names[user]), " ", tokenCode(user)] : [tokenCode(user)];
    const more = subjects.length > 1 ? ` and ${subjects.length - 1} more` : "";
    const row = element("tr", {},
      element("th", { scope: "row" },
        element("time", {}, siteTime(index.time[number], facts.offset))),
      element("td", {}, facts.titles[name] ?? name, " ", element("code", { class: "faint" }, name)),
      element("td", {}, ...who),
      element("td", {}, subjects.length ? tokenCode(subjects[0]) : "—", more),
      element("td", {}, chip(words, kind)),
      element("td", {}, element("code", { title: file }, `${file.split("/").pop().slice(0, 16)}:${line}`)),
      element("td", {}, opener));
    return row;
  }

  /** Open or close what is under a row. */
  toggle(number, row, opener) {
    const open = opener.getAttribute("aria-expanded") === "true";
    opener.setAttribute("aria-expanded", String(!open));
    opener.textContent = open ? "Show" : "Hide";
    if (open) row.nextElementSibling.remove();
    else row.after(element("tr", { class: "opened" }, element("td", { colspan: 7 }, this.lines(number))));
  }

  /** The raw line, its hash, and how it hangs together with its neighbours. */
  lines(number) {
    const { index } = this;
    const before = index.neighbour(number, -1);
    const after = index.neighbour(number, 1);
    const told = JSON.parse(index.raw(number)).prev;
    const hash = (one) => toBase64(sha256Tagged(0, index.rawBytes(one)));
    const first = toBase64(new Uint8Array(32));
    const fits = told === (before === null ? first : hash(before));
    const followed = after === null || JSON.parse(index.raw(after)).prev === hash(number);
    const link = (good, right, wrong) => element("p", {}, chip(good ? right : wrong, good ? "green" : "red"));
    const raw = (title, one) => (one === null ? null : element("div", {},
      element("h4", {}, title), element("pre", {}, element("code", {}, index.raw(one)))));
    return element("div", { class: "lines" },
      element("p", {}, `${index.files[index.fileOf[number]]}, line ${index.lineOf[number]}`),
      raw("The line before", before),
      link(fits, "follows from the line before", "does not follow from the line before"),
      raw("This line", number),
      element("p", {}, "Its hash: ", element("code", {}, hash(number))),
      after === null ? element("p", {}, "No event follows in this file.")
        : link(followed, "the line after holds this hash", "the line after holds another hash"),
      raw("The line after", after));
  }
}
