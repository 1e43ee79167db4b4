// Parts of the page: made of elements and text alone, so that no text can become a tag.

/** An element with attributes and children; text stays text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") {
      for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    } else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const byId = (id) => document.getElementById(id);

/** A number with thin gaps between thousands, as in the rest of the page. */
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** A number with its noun. */
const counted = (number, one, many) => `${grouped(number)} ${number === 1 ? one : many}`;

/** A time of the site's clocks, with seconds. */
const siteTime = (ms, offset) =>
  new Date(ms + offset * 60000).toISOString().slice(0, 19).replace("T", " ");

/** A token, short enough for a table. */
function shortToken(token) {
  const cut = token.search(/[-:]/);
  return cut >= 0 && token.length - cut > 17 ? `${token.slice(0, cut + 9)}…` : token;
}

const tokenCode = (token) => element("code", { title: token }, shortToken(token));

/** Words on a coloured ground. */
const chip = (words, kind) => element("span", { class: `chip ${kind}` }, words);

/** A button. */
const button = (words, act, attributes = {}) =>
  element("button", { type: "button", on: { click: act }, ...attributes }, words);

/** A label with a field in it. */
const field = (words, input) => element("label", {}, words, input);

/** A list of choices from [value, words]. */
const choices = (pairs, attributes = {}) =>
  element("select", attributes,
    ...pairs.map(([value, words]) => element("option", { value }, words)));
