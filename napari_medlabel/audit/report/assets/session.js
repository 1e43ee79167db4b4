// One session's file: lines, chain, tree and seals, from its first byte to its last.

const EVENT_KEYS = "action,actor,dcm,detail,event,mono,object,outcome,prev,seq,subject,time,v";
const ORIGIN =
  /^medlabel\.local\/[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\/w[0-9a-f]{16}\/([0-9]{8}T[0-9]{6}Z-[0-9A-HJKMNP-TV-Z]{26})$/;
const WHOLE_SEAL =
  /\{"seal":\{"from":([0-9]{1,16}),"root":"[^"\n]{44}","sig":"[^"\n]{92}","size":[0-9]{1,16}\}\}\n/g;
const CLOCK_TOLERANCE_MS = 2000;
const ANCHOR_KEYS = ["prev_session", "peers", "found", "head", "heads", "expected", "actual"];
const MAX_LINE = 1 << 20;

/** A line is not what must follow. The message says why, and quotes nothing. */
class BadLine extends Error {}

function demand(condition, why) {
  if (!condition) throw new BadLine(why);
}

/** A number with its noun: 1 session, 3 sessions. */
const numbered = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

/** Whether a value is a head: origin, root and size. */
const isHead = (value) => value !== null && typeof value === "object" && isCount(value.size)
  && ORIGIN.test(value.origin) && fromBase64(value.root, 32) !== null;

/** The checkpoint text of C2SP that a seal signs. */
const checkpoint = (head) => utf8Bytes(`${head.origin}\n${head.size}\n${head.root}\n`);

/** C2SP key id: the first 4 bytes of SHA-256 over name, line feed, 1, key. */
const keyId = (name, key) => sha256(joined(utf8Bytes(`${name}\n\x01`), key)).subarray(0, 4);

/** Where the file of a session belongs, from its origin. */
function sessionFile(origin) {
  const [, , writer, session] = origin.split("/");
  return `writers/${writer}/${session.slice(0, 4)}/${session.slice(4, 6)}/${session}.jsonl`;
}

/** What is known of one session while its lines come in. */
class SessionCheck {
  constructor(file, bytes) {
    this.file = file;
    this.bytes = bytes;
    this.tree = new Frontier();
    this.prev = toBase64(new Uint8Array(32));
    this.origin = "";
    this.key = null;
    this.certified = 0; // 1 when its certificate is right
    this.trusted = false; // and is by a workstation that the officer trusts
    this.opening = null;
    this.sealed = 0;
    this.closed = false;
    this.roots = new Map();
    this.seals = [];
    this.heads = [];
    this.prunings = [];
    this.findings = [];
    this.firstMs = 0;
    this.lastMs = 0;
    this.mono = 0;
    this.at = 0;
    this.line = 0;
    this.damage = null;
  }

  say(level, code, text, line = 0) {
    this.findings.push({ level, code, text, file: this.file, line });
  }

  has(...codes) {
    return this.findings.some((finding) => codes.includes(finding.code));
  }

  /** Take lines until a moment; true when there are none left. */
  advance(until) {
    while (this.at < this.bytes.length && this.damage === null) {
      const start = this.at;
      const end = this.bytes.indexOf(10, start);
      this.line += 1;
      try {
        demand(end >= 0 && end - start < MAX_LINE, "the line is not finished");
        this.take(this.bytes.subarray(start, end));
        this.at = end + 1;
      } catch (error) {
        if (!(error instanceof BadLine || error instanceof NotCanonical)) throw error;
        const { sealed, closed } = this;
        this.damage = { at: start, line: this.line, why: error.message, sealed, closed };
      }
      if (this.line % 16 === 0 && performance.now() > until) return false;
    }
    return true;
  }

  take(line) {
    const record = parseCanonical(line);
    demand(record !== null && typeof record === "object", "it is not an object");
    if ("seal" in record) this.takeSeal(record, line);
    else this.takeEvent(record, line);
  }

  takeEvent(record, line) {
    const keys = Object.keys(record).filter((key) => key !== "iso" && key !== "reason");
    demand(keys.join() === EVENT_KEYS && record.v === 1, "a key or the version is unknown");
    const isObject = record.detail !== null && typeof record.detail === "object";
    demand(isObject && typeof record.event === "string", "it has no event, or no detail");
    demand(record.seq === this.tree.size, "another event was expected here");
    demand(record.prev === this.prev, "it does not follow from the event before it");
    demand(!this.closed, "an event follows the end of the session");
    const isFirst = this.tree.size === 0;
    demand((record.event === "session.open") === isFirst, "session.open must come first");
    const timeMs = Date.parse(record.time);
    const isTime = !Number.isNaN(timeMs) && new Date(timeMs).toISOString() === record.time;
    demand(isTime && isCount(record.mono), "its time is none");
    if (isFirst) this.open(record.detail, timeMs);
    else if (timeMs < this.lastMs - CLOCK_TOLERANCE_MS || record.mono < this.mono) {
      this.say("amber", "CLOCK", "The clock of the computer was set back here.", this.line);
    }
    this.lastMs = timeMs;
    this.mono = record.mono;
    this.collect(record);
    const leaf = sha256Tagged(0, line);
    this.tree.add(leaf);
    this.prev = toBase64(leaf);
    this.closed = record.event === "session.close";
  }

  open(detail, timeMs) {
    demand(ORIGIN.test(detail.origin), "the session does not say what it is");
    this.key = fromBase64(detail.pub, 32);
    demand(this.key !== null, "the session's public key is none");
    this.origin = detail.origin;
    this.opening = detail;
    this.firstMs = timeMs;
    this.id = keyId(this.origin, this.key);
  }

  /** Take over what an event says about other sessions; it counts once it is sealed. */
  collect(record) {
    const told = (key) => {
      // Of some events these keys hold a count (landmark.save says how many are expected).
      const value = record.detail[key] ?? [];
      const heads = isCount(value) ? [] : [value].flat();
      demand(heads.every(isHead), "what it says of another session is no head");
      return heads;
    };
    const { event } = record;
    const seq = this.tree.size;
    for (const key of ANCHOR_KEYS) {
      for (const head of told(key)) this.heads.push({ ...head, event, seq, line: this.line });
    }
    if (event === "retention.prune") {
      const { policy_days: days = 0, signature } = record.detail;
      this.prunings.push({ heads: told("pruned"), days, signature, seq, line: this.line });
    }
    if (event === "tamper.found") {
      const text = "Here the program itself noted that an earlier session had been altered.";
      this.say("amber", "FOUND", text, this.line);
    }
  }

  takeSeal(record, line) {
    const { seal } = record;
    const isSeal = Object.keys(record).length === 1 && seal !== null
      && typeof seal === "object" && Object.keys(seal).join() === "from,root,sig,size";
    const signature = isSeal ? fromBase64(seal.sig, 68) : null;
    demand(signature !== null && fromBase64(seal.root, 32), "the seal has another form");
    demand(this.key !== null && this.tree.size > this.sealed, "a seal without an event");
    const counts = seal.from === this.sealed && seal.size === this.tree.size;
    demand(counts, "the seal does not count the events before it");
    const root = toBase64(this.tree.root());
    demand(seal.root === root, "the seal does not match the events before it");
    demand(sameBytes(signature.subarray(0, 4), this.id), "the seal names another key");
    this.seals.push({
      signature: signature.subarray(4), size: seal.size, from: seal.from, root,
      line: this.line, at: line.byteOffset - this.bytes.byteOffset,
    });
    this.roots.set(seal.size, root);
    this.sealed = seal.size;
  }

  /** A signature turned out wrong: nothing from that seal on can be believed. */
  reject(seal) {
    for (const later of this.seals.filter((other) => other.size >= seal.size)) {
      this.roots.delete(later.size);
    }
    this.sealed = seal.from;
    this.closed = false;
    const why = "the signature of the seal is wrong";
    this.damage = { at: seal.at, line: seal.line, why, sealed: seal.from, closed: false };
  }

  /**
   * Tell a change from a write that a crash cut short, once all is read.
   * A batch is one write that ends with one seal, and the next waits for the disk to have
   * it: a crash can damage the last batch alone, and leaves no good seal behind the damage.
   */
  finish() {
    const believed = (told) => told.seq < this.sealed;
    this.heads = this.heads.filter(believed);
    this.prunings = this.prunings.filter(believed);
    const complete = this.sealed > 0 && this.sealed === this.tree.size;
    this.ended = this.closed && complete && this.damage === null;
    if (this.damage !== null && this.isChange(this.damage, complete)) {
      const text = `The log was changed here: ${this.damage.why}.`;
      this.say("red", "BROKEN", text, this.damage.line);
    } else if (this.sealed === 0) {
      this.say("amber", "STILLBORN", "The session ended before its first event was down.", 1);
    } else if (this.damage !== null || !complete) {
      const text = "The last write was cut short, as by a crash. It had not been acknowledged.";
      this.say("amber", "TAIL", text, this.damage?.line ?? 0);
    } else if (!this.ended) {
      this.say("amber", "OPEN", "The session is not closed: it was running, or crashed.");
    }
  }

  isChange({ at, sealed, closed }, complete) {
    const rest = this.bytes.subarray(at);
    const text = new TextDecoder("latin1").decode(rest);
    const from = Array.from(text.matchAll(WHOLE_SEAL), (match) => Number(match[1]));
    return (closed && complete) || from.length > 1 || (from.length === 1 && !rest.includes(0))
      || from.some((start) => start !== sealed);
  }
}
