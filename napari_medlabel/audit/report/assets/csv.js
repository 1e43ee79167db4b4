// The log as a table for a spreadsheet, byte for byte as the program's own export writes it.

const CSV_COLUMNS = [
  "time", "event", "outcome", "action", "user", "user_name", "role", "subject", "reason",
  "object_old", "object_new", "objects_other", "detail", "site", "writer", "seq", "file", "line",
];
const CSV_SLICE = 500;

// What a spreadsheet would take for a formula, after blanks and what cannot be seen.
const CSV_FORMULA = /^[\p{C}\p{Z}]*?[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/u;

/** One line of RFC 4180; every cell is made harmless first. */
function csvLine(cells) {
  const safe = cells.map((cell) => (CSV_FORMULA.test(cell) ? `'${cell}` : cell));
  const quoted = safe.map((cell) => (/[",\r\n;]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell));
  return `${quoted.join(",")}\r\n`;
}

/** JSON with sorted keys and a blank after each comma and colon. */
function spacedJson(value) {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const pairs = Object.keys(value).sort()
    .map((key) => `${JSON.stringify(key)}: ${spacedJson(value[key])}`);
  return `{${pairs.join(", ")}}`;
}

/** The row of one event. */
function csvRow(record, origin, file, line) {
  const objects = { old: [], new: [], other: [] };
  for (const { role, id } of record.object) {
    if (role === "old" || role === "new") objects[role].push(id);
    else objects.other.push(`${role} ${id}`);
  }
  const [, site, writer] = origin.split("/");
  return csvLine([
    record.time, record.event, String(record.outcome), record.action, record.actor.user, "",
    record.actor.role, record.subject.join(" "), record.reason?.code ?? "",
    objects.old.join(" "), objects.new.join(" "), objects.other.join(" "),
    spacedJson(record.detail), site, writer, String(record.seq), file, String(line),
  ]);
}

/** The parts of the table: every sealed event, in slices so that the page stays alive. */
async function csvParts(index, heads) {
  const sealed = new Map(heads.map(({ origin, size }) => [origin, size]));
  const parts = [csvLine(CSV_COLUMNS)];
  let origin = "";
  let file = -1;
  let place = 0;
  for (let number = 0; number < index.count; number += 1) {
    const record = JSON.parse(index.raw(number));
    if (index.fileOf[number] !== file) {
      file = index.fileOf[number];
      place = 0;
      origin = String(record.detail?.origin ?? "");
    }
    place += 1;
    if (place <= (sealed.get(origin) ?? 0)) {
      parts.push(csvRow(record, origin, index.files[file], index.lineOf[number]));
    }
    if (number % CSV_SLICE === 0) await breathe();
  }
  return parts;
}
