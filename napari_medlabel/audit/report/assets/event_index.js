// An index of all events: a few numbers for each, so that 100,000 are filtered at once.

/** Gives each text a number, from 0. */
class Numbering {
  constructor() {
    this.texts = [];
    this.numbers = new Map();
  }

  of(text) {
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.texts.length;
      this.numbers.set(text, number);
      this.texts.push(text);
    }
    return number;
  }
}

/** Every event of the log by number; columns are arrays of equal length. */
class EventIndex {
  constructor(files) {
    this.files = files.map(({ file }) => file);
    this.bytes = files.map(({ bytes }) => bytes);
    // One letter for each byte, so that places in text and bytes are the same.
    this.texts = [];
    this.lowered = [];
    this.users = new Numbering();
    this.events = new Numbering();
    this.subjects = new Map();
    this.fileOf = [];
    this.lineOf = [];
    this.start = [];
    this.end = [];
    this.time = [];
    this.user = [];
    this.event = [];
    this.outcome = [];
    this.subject = [];
    this.unreadable = 0;
  }

  get count() {
    return this.time.length;
  }

  /** Read all lines, slice by slice. */
  async fill() {
    const latin = new TextDecoder("latin1");
    let rested = performance.now();
    for (let file = 0; file < this.files.length; file += 1) {
      const text = latin.decode(this.bytes[file]);
      this.texts.push(text);
      let line = 0;
      for (let at = 0; at < text.length;) {
        const found = text.indexOf("\n", at);
        const end = found < 0 ? text.length : found;
        line += 1;
        if (!text.startsWith('{"seal":', at)) this.take(file, line, text, at, end);
        at = end + 1;
        if (line % 64 === 0 && performance.now() - rested > SLICE_MS) {
          await breathe();
          rested = performance.now();
        }
      }
    }
    this.order = Uint32Array.from(this.time.keys());
    // Newest first; events of one moment stay in the order of their lines.
    this.order.sort((one, other) => this.time[other] - this.time[one] || other - one);
  }

  take(file, line, text, start, end) {
    let record;
    try {
      record = JSON.parse(text.slice(start, end));
      this.add(record);
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      this.unreadable += 1; // said by the check, with file and line
      return;
    }
    this.fileOf.push(file);
    this.lineOf.push(line);
    this.start.push(start);
    this.end.push(end);
  }

  add(record) {
    const number = this.time.length;
    const user = this.users.of(String(record.actor.user));
    const subjects = record.subject.map(String);
    const timeMs = Date.parse(record.time);
    for (const subject of subjects) {
      const all = this.subjects.get(subject);
      if (all) all.push(number);
      else this.subjects.set(subject, [number]);
    }
    this.user.push(user);
    this.event.push(this.events.of(String(record.event)));
    this.outcome.push(Number(record.outcome));
    this.subject.push(subjects);
    this.time.push(Number.isNaN(timeMs) ? 0 : timeMs);
  }

  /** The raw line of an event. */
  raw(number) {
    return utf8Shown.decode(this.rawBytes(number));
  }

  rawBytes(number) {
    return this.bytes[this.fileOf[number]].subarray(this.start[number], this.end[number]);
  }

  /** Whether the line of an event holds a text in small letters. */
  holds(number, wanted) {
    const file = this.fileOf[number];
    const text = (this.lowered[file] ??= this.texts[file].toLowerCase());
    return text.slice(this.start[number], this.end[number]).includes(wanted);
  }

  /** The event before (-1) or after (1) in the same file, or null. */
  neighbour(number, step) {
    const other = number + step;
    const inFile = other >= 0 && other < this.count && this.fileOf[other] === this.fileOf[number];
    return inFile ? other : null;
  }
}

const utf8Shown = new TextDecoder("utf-8");
