// Filters and search over all events.

const DAY_MS = 86400000;

/** Builds the filters, and shows what passes them. */
class EventFilters {
  constructor(index, facts) {
    this.index = index;
    this.facts = facts;
    this.table = new EventTable(index, facts, "Events, newest first");
    const names = facts.names;
    const byWords = (one, other) => (one[1] < other[1] ? -1 : 1);
    const users = index.users.texts.map((user, i) => [i, names[user] ?? user]).sort(byWords);
    const events = index.events.texts
      .map((name, i) => [i, facts.titles[name] ?? name]).sort(byWords);
    const input = (id, type, more = {}) =>
      element("input", { id, type, autocomplete: "off", ...more });
    this.from = input("filter-from", "date");
    this.to = input("filter-to", "date");
    this.user = choices([["", "anybody"], ...users], { id: "filter-user" });
    this.event = choices([["", "anything"], ...events], { id: "filter-event" });
    this.subject = input("filter-subject", "text", { placeholder: "s1-…", spellcheck: "false" });
    this.outcome = choices(
      [["", "any"], ["good", "done"], ["bad", "failed or partly"]], { id: "filter-outcome" });
    this.words = input("filter-words", "search");
    const clear = button("Clear", () => { this.form.reset(); this.apply(); }, { class: "second" });
    this.form = element("form", {
      class: "fields", role: "search", "aria-label": "Filters of the events",
      on: {
        submit: (event) => { event.preventDefault(); this.apply(); },
        input: () => { clearTimeout(this.waiting); this.waiting = setTimeout(() => this.apply(), 120); },
      },
    },
    field("From day", this.from), field("To day", this.to), field("Who", this.user),
    field("What", this.event), field("Patient token", this.subject),
    field("Outcome", this.outcome), field("Search in everything", this.words), clear);
    this.element = element("div", {}, this.form, this.table.element);
  }

  /** Milliseconds of the begin of a day at the site, or null. */
  dayMs(text) {
    const ms = Date.parse(`${text}T00:00:00Z`);
    return Number.isNaN(ms) ? null : ms - this.facts.offset * 60000;
  }

  /** Return whether an event passes, as a function of its number. */
  condition() {
    const { index, facts } = this;
    const tests = [];
    const from = this.dayMs(this.from.value);
    const to = this.dayMs(this.to.value);
    if (from !== null) tests.push((n) => index.time[n] >= from);
    if (to !== null) tests.push((n) => index.time[n] < to + DAY_MS);
    const user = this.user.value;
    const event = this.event.value;
    if (user !== "") tests.push((n) => index.user[n] === Number(user));
    if (event !== "") tests.push((n) => index.event[n] === Number(event));
    const outcome = this.outcome.value;
    if (outcome !== "") tests.push((n) => (index.outcome[n] === 0) === (outcome === "good"));
    const subject = this.subject.value.trim();
    if (subject !== "") {
      tests.push((n) => index.subject[n].some((token) => token.startsWith(subject)));
    }
    for (const word of this.words.value.toLowerCase().split(/\s+/).filter(Boolean)) {
      const inTitle = index.events.texts.map(
        (name) => (facts.titles[name] ?? "").toLowerCase().includes(word));
      const inName = index.users.texts.map(
        (token) => (facts.names[token] ?? "").toLowerCase().includes(word));
      tests.push((n) => inTitle[index.event[n]] || inName[index.user[n]] || index.holds(n, word));
    }
    return (number) => tests.every((test) => test(number));
  }

  /** Show what passes. */
  apply() {
    const found = this.index.order.filter(this.condition());
    const all = counted(this.index.count, "event", "events");
    const bad = this.index.unreadable
      ? ` ${counted(this.index.unreadable, "line is", "lines are")} unreadable and not listed.` : "";
    this.table.show(found, (found.length === this.index.count
      ? `All ${all}.` : `${grouped(found.length)} of ${all}.`) + bad);
  }
}
