"""Check the audit log in this parcel without the program that wrote it: python verify.py

Needs Python 3.11 and "cryptography". Ends with 0 green, 4 amber (not sure), 5 red (altered, missing).
"""

# fmt: off
# ruff: noqa: D101, D102, D103, D400, E401, E501, E701, E702, E704, I001, RUF021, SIM905, T201, UP035
from __future__ import annotations
import argparse, base64, datetime as dt, hashlib, json, re
from pathlib import Path
from typing import Any, Callable, Sequence
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
KEYS = set("action actor dcm detail event mono object outcome prev seq subject time v".split())
HEADS = {"prev_session", "peers", "found", "head", "heads", "expected", "actual"}
SEAL = re.compile(rb'\{"seal":\{"from":(\d{1,16}),"root":"([^"\n]{44})","sig":"([^"\n]{92})","size":(\d{1,16})\}\}\n')
CERT = "medlabel-cert/v1\n{its[origin]}\n{its[pub]}\n{before[origin]}\n{before[size]}\n{before[root]}\n"
WORDS = {"green": "The log is complete and unaltered", "amber": "No change shows, but not everything is sure", "red": "The log was altered"}
BAD = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OSError, InvalidSignature)
def need(fact: object, why: str) -> None:
    if not fact: raise ValueError(why)
def some(events: int) -> str: return f"{events} event{'s' * (events != 1)}"
def words_of(err: Exception) -> str: return str(err) if type(err) is ValueError else "a signature is wrong" if isinstance(err, InvalidSignature) else "it has another form"
def sha(*parts: bytes) -> bytes: return hashlib.sha256(b"".join(parts)).digest()
def dense(it: Any) -> bytes: return json.dumps(it, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
def b64(text: Any, size: int) -> bytes:
    raw = base64.b64decode(text, validate=True)
    need(len(raw) == size and base64.b64encode(raw).decode() == text, "base64 is not as it was written"); return raw
def check(pub: str, name: str, signature: str, text: str | bytes, kind: int = 1) -> int:  # C2SP signed-note
    key, raw = b64(pub, 32), b64(signature, 76 if kind == 4 else 68)
    text, seconds = text.encode() if isinstance(text, str) else text, int.from_bytes(raw[4:12], "big")
    need(raw[:4] == sha(name.encode(), b"\n", bytes([kind]), key)[:4], "another key signed it")
    if kind == 4: text = b"cosignature/v1\ntime %d\n%b" % (seconds, text)  # a witness signs the time, too
    Ed25519PublicKey.from_public_bytes(key).verify(raw[-64:], text)
    return seconds if kind == 4 else 0
def code_of(data: bytes, count: int) -> str:  # in Crockford's base32
    bits = f"{int.from_bytes(sha(data), 'big'):0256b}"
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[int(bits[5 * n:5 * n + 5], 2)] for n in range(count))
def file_of(origin: str) -> str:
    writer, name = origin.split("/")[2:]; return f"writers/{writer}/{name[:4]}/{name[4:6]}/{name}.jsonl"
class Session:  # one session's file: batches of events, and a signed seal after each
    prev, size, sealed, mono, last, first, time = bytes(32), 0, 0, 0, 0.0, 0.0, ""
    closed = broken = tail = recovered = held = bare = sure = False
    def __init__(self, log: Log, file: str, data: bytes) -> None:
        self.log, self.file, self.writer, self.peaks = log, file, file.split("/")[1], list[tuple[int, bytes]]()
        self.roots, self.opened, self.batch, self.names, start = {0: ""}, dict[str, Any](), list[dict[str, Any]](), list[Any](), 0
        try:
            for seal in SEAL.finditer(data):
                *lines, rest = data[start:seal.start()].split(b"\n")
                for line in lines: self.event(line)
                need(not rest, "a line is not finished")
                self.seal(*(group.decode() for group in seal.groups())); start = seal.end()
            need(start == len(data) > 0, "events have no seal")
        except BAD as err: self.judge(data[start:], words_of(err))
    def event(self, line: bytes) -> None:
        record = json.loads(line.decode())
        need(dense(record) == line and set(record) - {"iso", "reason"} == KEYS, "a line is no event")
        here = (record["seq"], b64(record["prev"], 32), self.closed, record["event"] == "session.open")
        need(here == (self.size, self.prev, False, not self.size), "an event does not follow from the one before")
        now = dt.datetime.fromisoformat(record["time"]).timestamp()
        if now < self.last - 2 or record["mono"] < self.mono: self.log.say("amber", self.file, "The clock was set back here.")
        if not self.size: self.opened, self.time, self.first = record["detail"], record["time"], now
        self.last, self.mono, self.prev, self.size = now, record["mono"], sha(b"\0", line), self.size + 1
        self.closed, self.peaks = record["event"] == "session.close", [*self.peaks, (1, self.prev)]; self.batch.append(record)
        while len(self.peaks) > 1 and self.peaks[-1][0] == self.peaks[-2][0]:
            (size, right), (_, left) = self.peaks.pop(), self.peaks.pop()
            self.peaks.append((2 * size, sha(b"\1", left, right)))
    def seal(self, start: str, root: str, sig: str, size: str) -> None:
        need((start, size) == (str(self.sealed), str(self.size)) and self.batch, "a seal counts wrongly"); top = self.peaks[-1][1]
        for _, left in self.peaks[-2::-1]: top = sha(b"\1", left, top)
        need(top == b64(root, 32), "a seal does not match the events before it"); check(self.opened["pub"], self.opened["origin"], sig, f"{self.opened['origin']}\n{size}\n{root}\n")
        self.sealed, self.roots[self.size] = self.size, root
        for record in self.batch: self.log.believe(self, record["event"], record["detail"])
        self.batch.clear()
    def judge(self, rest: bytes, why: str) -> None:  # a crash damages the last batch alone
        later, over = [int(found[0]) for found in SEAL.findall(rest)], self.closed and not self.batch
        self.broken = bool(over or set(later) - {self.sealed} or len(later) > 1 or later and b"\0" not in rest)
        self.tail, self.closed = not self.broken, False
        if self.broken: self.log.say("red", self.file, f"The log was changed after event {self.sealed}: {why}.")
class Log:  # all sessions, and everybody who remembers how they ended
    def __init__(self, folder: Path, officer: str, code: str) -> None:
        self.folder, self.site, self.seen, self.known, self.gone = folder, dict[str, Any](), 0.0, {""}, dict[str, int]()
        self.root = root = folder / "data/log" if (folder / "bagit.txt").exists() else folder
        self.found, self.heads, self.prunes, before, self.looks = dict[Any, None](), list[Any](), list[Any](), dict[str, Session](), dict[str, Any]()
        for path in folder.glob("*manifest-sha256.txt"): self.sure("red", path.name, self.packed, path)
        paths = {path.relative_to(root).as_posix(): path for path in sorted((root / "writers").rglob("*.jsonl"))}
        self.sessions = {file: Session(self, file, path.read_bytes()) for file, path in paths.items()}
        for file, step, given in (("site.json", self.trust, officer), ("codes", self.paper, code)): self.sure("red", file, step, given)
        for file in sorted(path.relative_to(root).as_posix() for path in root.rglob("*.note")):
            self.sure("red" if file.startswith("witness") else "amber", file, self.note, file)
        for file, its in self.prunes: self.sure("red", file, self.prune, its)
        for head in self.heads: self.compare(*head)
        for file, one in self.sessions.items():
            if one.sealed: self.sure("red", file, self.certificate, one)
            self.end(one, before.get(one.writer))
            before[one.writer] = one
        self.vouch(); late = max((one.last for one in self.sessions.values()), default=0) - self.seen
        if self.site and late > 3600 * self.site["policy"]["anchor_hours"]: self.say("amber", "", "Nobody outside saw it lately: a missing end might not show.")
        for who in (one["name"] for one in self.site.get("witnesses", []) if not one["revoked"]): self.gaps(who, self.looks.get(who, {}))
    def gaps(self, who: str, its: dict[str, float]) -> None:
        if not its or any(one.sealed and one.last < max(its.values()) and file not in its for file, one in self.sessions.items()): self.say("amber", "", f"The witness {who} left no note of all that it must have seen.")
    def say(self, level: str, file: str, text: str) -> None: self.found[level, file, text] = None
    def sure(self, level: str, file: str, step: Callable[[Any], None], what: object) -> None:
        try: step(what)
        except BAD as err: self.say(level, file, f"It was changed: {words_of(err)}.")
    def packed(self, lists: Path) -> None:
        for digest, name in (line.split("  ", 1) for line in lists.read_text("utf-8").splitlines()):
            if not (file := self.folder / name).is_file() or sha(file.read_bytes()).hex() != digest: self.say("red", name, "It is not as it was packed.")
    def believe(self, one: Session, event: str, detail: dict[str, Any]) -> None:
        for head in (head for key in HEADS & set(detail) if not isinstance(detail[key], int) for head in ([detail[key]] if isinstance(detail[key], dict) else detail[key])):
            need(head["size"] >= 0 and b64(head["root"], 32), "a head is no head")
            if file_of(head["origin"]).split("/")[1] != one.writer: self.seen = max(self.seen, one.last)
            self.heads.append((head["origin"], head["size"], head["root"], one.file, event))
            if event in ("session.open", "session.recover"): one.names.append(self.heads[-1][:3])
        if event == "retention.prune": self.prunes.append((one.file, detail))
        if event == "tamper.found": self.say("amber", one.file, "Here the program noted an alteration itself.")
        if event == "batch.close" and detail.get("expected") != detail.get("actual"): self.say("amber", one.file, "A worker ended oddly.")
    def trust(self, officer: str) -> None:  # every version of site.json is signed by an officer of the one before
        site, keys, digest, now = dict[str, Any](), set[str](), "", self.root / "site.json"
        for raw in (path.read_bytes() for path in sorted(self.root.glob("site/*.json"))):
            doc, new = json.loads(raw), json.loads(raw)["site"]
            check(doc["officer"], f"medlabel.local/{new['name']}/officer", doc["signature"], b"medlabel-site/v1\n" + dense(new))
            said = [one["pub"] for one in (site or new)["officers"] if not one["revoked"]]
            need(doc["officer"] in said and new["previous"] == digest, "a version does not follow from the one before")
            site, digest = new, "sha256:" + sha(raw).hex()
            keys, self.known = keys | {code_of(b64(doc["officer"], 32), 51)}, self.known | {digest}
        need(("sha256:" + sha(now.read_bytes()).hex() if now.exists() else "") == digest, "it is not the last version")
        need(not officer or (len(officer) > 7 and any(key.startswith(officer) for key in keys)), "the officer is another one")
        if site and not officer: self.say("amber", "site.json", "Ask the officer for her code, and give it: --officer.")
        self.site = site
    def paper(self, code: str) -> None:
        for data in (path.read_bytes() for path in self.root.glob("codes/*.txt")):
            if code and code_of(data, 32) == code[:32]:
                code, (_, _, time, *lines) = "", data.decode().splitlines()
                self.heads += [(o, int(n), r, "the code on paper", "paper") for o, n, r in map(str.split, lines) if file_of(o)]
                self.seen = max(self.seen, dt.datetime.fromisoformat(time).timestamp())
        need(not code, "no list of heads here has the code that you typed")
    def note(self, file: str) -> None:  # a published head, or the same cosigned by a witness
        text, _, lines = (self.root / file).read_bytes().decode().rpartition("\n\n")
        (origin, size, root), rows = text.split("\n"), [row.split(" ") for row in lines.split("\n")]
        who, kind = (file.split("/")[1], 4) if file.startswith("witness") else (origin, 1)
        need(rows.pop() == [""] and file.endswith("/".join(origin.split("/")[2:]) + ".note"), "it is not in its place")
        for dash, _, raw in rows: need(dash == "\u2014" and b64(raw, 76 if len(raw) > 92 else 68), "it is no note")
        its = [mine.opened] if (mine := self.sessions.get(file_of(origin))) and mine.sealed else []
        named = [one for one in self.site.get("witnesses", []) if one["name"] == who and not one["revoked"]]
        ways = (origin, its, 1), (who, named, 4)  # a witness's note has the line of the session, too
        own, times = ([check(one["pub"], name, raw, text + "\n", sort) for one in keys for _, by, raw in rows if by == name] for name, keys, sort in ways)
        need((own or not its) and (times or not named), "nobody signed it")
        self.seen, event = max([self.seen, *times]), "witness" if kind == 4 else "note"
        if times: self.looks.setdefault(who, {})[file_of(origin)] = max(times)
        if named or (kind == 1 and (its or file_of(origin) not in self.sessions)): self.heads.append((origin, int(size), root, who, event))
        elif kind == 4 and self.site: self.say("amber", file, "The officer does not name this witness, or not any more.")
    def prune(self, its: dict[str, Any]) -> None:  # an officer signed that sessions were deleted, their time being over
        name, text = f"medlabel.local/{self.site['name']}/officer", {key: its[key] for key in ("policy_days", "pruned")}
        keys = {sha(name.encode(), b"\n\1", b64(one["pub"], 32))[:4]: one["pub"] for one in self.site["officers"]}
        check(keys[b64(its["signature"], 68)[:4]], name, its["signature"], b"medlabel-prune/v1\n" + dense(text))
        self.gone |= {head["origin"]: head["size"] for head in its["pruned"]}
    def certificate(self, one: Session) -> None:  # the officer trusts a workstation, it vouches for the key
        its, none = one.opened, dict.fromkeys(("origin", "size", "root"), "-")
        need(one.file == file_of(its["origin"]), "the file is not in its place")
        need(its.get("policy", "") in self.known, "the officer's document of that time is gone")
        if "cert" not in its: one.bare = True; return
        check(its["install"], its["origin"].rpartition("/")[0], its["cert"], CERT.format(its=its, before=its.get("prev_session", none)))
        ours = [key for key in self.site.get("installs", []) if (key["pub"], key["writer"]) == (its["install"], one.writer)]
        need(not any(key["revoked"] and key["revoked"] <= one.time for key in ours), "its workstation was revoked")
        one.sure = any(key["from"] <= one.time and not key["revoked"] for key in ours)
        if not one.sure: self.say("amber", one.file, "The officer does not say that she trusts this workstation.")
    def vouch(self) -> None:  # a certified session names the ends of those from before its workstation had a key
        sure = [one for one in self.sessions.values() if one.sure and not one.broken]
        for who in sure:  # which grows
            for head in who.names:
                one = self.sessions.get(file_of(head[0]), who)
                if one.bare and not one.broken and one.writer == who.writer and head[1:] == (one.sealed, one.roots[one.sealed]): one.bare = False; sure.append(one)
        for one in (one for one in self.sessions.values() if one.bare): self.say("amber", one.file, "No workstation vouches for this session's key.")
    def compare(self, origin: str, size: int, root: str, who: str, event: str) -> None:
        file, one = file_of(origin), self.sessions.get(file_of(origin))
        if not size or file == who or (one.broken and one.sealed < size if one else size <= self.gone.get(origin, 0)): return
        if one is None: self.say("red", file, f"The session is missing: {who} remembers it.")
        elif one.sealed < size: self.say("red", file, f"The end is missing: {who} remembers {some(size)}.")
        elif one.roots.get(size) != root: self.say("red", file, f"It is not the session that {who} remembers.")
        elif one.sealed == size: one.held, one.recovered = one.held or event != "note", one.recovered or event == "session.recover"
    def end(self, one: Session, before: Session | None) -> None:
        if one.tail and not one.recovered: self.say("amber", one.file, "The last write was cut short, as by a crash.")
        if not (one.broken or one.closed or one.recovered): self.say("amber", one.file, "The session was not closed.")
        if one.closed and not one.held and not (self.seen and self.site and one.last >= self.seen >= max(it.last for it in self.sessions.values()) - 3600 * self.site["policy"]["anchor_hours"]): self.say("amber", one.file, "Nobody else remembers the end of this session.")
        if before and one.sealed and "prev_session" not in one.opened or before and 0 < one.first < before.last - 2:
            self.say("amber", one.file, "It does not go on where the session before it ended, or a clock was set back.")
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check the audit log in this parcel.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    for name in ("--expect", "--officer"): parser.add_argument(name, default="", metavar="CODE")
    given, same = parser.parse_args(argv), str.maketrans("OIL", "011")
    log = Log(given.folder, *(re.sub(r"[\W_]", "", code.upper()).translate(same) for code in (given.officer, given.expect)))
    if not log.sessions: log.say("red", "", "There is no session of a log in this folder.")
    level = max((one[0] for one in log.found), key=["green", "amber", "red"].index, default="green")
    print(f"{level.upper()}. {WORDS[level]}: {some(sum(one.sealed for one in log.sessions.values()))}.")
    for one in log.found: print("".join(c if c.isprintable() else "?" for c in f"  {one[0]:<5} {one[1]}: {one[2]}"))
    return {"green": 0, "amber": 4, "red": 5}[level]
if __name__ == "__main__": raise SystemExit(main())
