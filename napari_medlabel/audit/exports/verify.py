"""Check the audit log in this parcel without the program that wrote it: python verify.py [FOLDER]

It needs Python 3.11 and the package "cryptography", nothing else. --expect CODE compares with a code on
paper, --officer CODE with the officer's key. It ends with 0 (green: complete and unaltered), 4 (amber:
something is not sure) or 5 (red: altered, or parts are missing).
"""

# fmt: off
# ruff: noqa: D102, D103, D204, D400, E401, E501, E701, E704, I001, RET502, RET503, RUF021, SIM905, T201
from __future__ import annotations
import argparse, base64, hashlib, json, re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEYS = set("action actor dcm detail event mono object outcome prev seq subject time v".split())
HEADS = ("prev_session", "peers", "found", "head", "heads", "expected", "actual", "pruned")
SEAL = re.compile(rb'\{"seal":\{"from":([0-9]{1,16}),"root":"([^"\n]{44})","sig":"([^"\n]{92})","size":([0-9]{1,16})\}\}\n')
CERT = "medlabel-cert/v1\n{origin}\n{pub}\n{before[origin]}\n{before[size]}\n{before[root]}\n"
BAD = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OSError, InvalidSignature)
def need(fact: object, why: str) -> None:
    if not fact: raise ValueError(why)
def sha(*parts: bytes) -> bytes: return hashlib.sha256(b"".join(parts)).digest()
def dense(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
def b64(text: Any, size: int) -> bytes:
    raw = base64.b64decode(text, validate=True)
    need(len(raw) == size and base64.b64encode(raw).decode() == text, "base64 is not as it was written")
    return raw
def check(pub: str, name: str, signature: str, text: str | bytes, kind: int = 1) -> int:  # C2SP signed-note; kind 4, a witness's, has a time
    key, raw = b64(pub, 32), b64(signature, 76 if kind == 4 else 68)
    text, seconds = text.encode() if isinstance(text, str) else text, int.from_bytes(raw[4:12], "big")
    need(raw[:4] == sha(name.encode(), b"\n", bytes([kind]), key)[:4], "another key signed it")
    timed = b"cosignature/v1\ntime %d\n%b" % (seconds, text)
    Ed25519PublicKey.from_public_bytes(key).verify(raw[-64:], timed if kind == 4 else text)
    return seconds if kind == 4 else 0
def code_of(data: bytes, count: int) -> str:  # in Crockford's base32
    bits = int.from_bytes(sha(data), "big")
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[bits >> 251 - 5 * n & 31] for n in range(count))
def file_of(origin: str) -> str:
    writer, name = origin.split("/")[2:]
    return f"writers/{writer}/{name[:4]}/{name[4:6]}/{name}.jsonl"

class Session:
    """One session's file: batches of events, and a signed seal after each."""
    prev, size, sealed, mono, last = bytes(32), 0, 0, 0, 0.0
    closed = broken = tail = recovered = held = False
    def __init__(self, log: Log, file: str, data: bytes) -> None:
        self.log, self.file, self.peaks, start = log, file, list[tuple[int, bytes]](), 0
        self.roots, self.opened, self.batch = {0: ""}, dict[str, Any](), list[dict[str, Any]]()
        try:
            for seal in SEAL.finditer(data):
                *lines, rest = data[start:seal.start()].split(b"\n")
                for line in lines: self.event(line)
                need(not rest, "a line is not finished")
                self.seal(*(group.decode() for group in seal.groups()))
                start = seal.end()
            need(start == len(data) > 0, "events have no seal")
        except BAD as err: self.judge(data[start:], str(err) or "a signature is wrong")
    def event(self, line: bytes) -> None:
        record = json.loads(line.decode())
        need(dense(record) == line and set(record) - {"iso", "reason"} == KEYS, "a line is no event")
        here = (record["seq"], b64(record["prev"], 32), self.closed, record["event"] == "session.open")
        need(here == (self.size, self.prev, False, not self.size), "an event does not follow from the one before")
        now = datetime.fromisoformat(record["time"]).timestamp()
        if now < self.last - 2 or record["mono"] < self.mono:
            self.log.say("amber", self.file, "The clock of the computer was set back here.")
        if not self.size: self.opened = {**record["detail"], "time": record["time"], "first": now}
        self.last, self.mono, self.prev, self.size = now, record["mono"], sha(b"\0", line), self.size + 1
        self.closed = record["event"] == "session.close"
        self.batch.append(record)
        self.peaks.append((1, self.prev))
        while len(self.peaks) > 1 and self.peaks[-1][0] == self.peaks[-2][0]:
            (size, right), (_, left) = self.peaks.pop(), self.peaks.pop()
            self.peaks.append((2 * size, sha(b"\1", left, right)))
    def seal(self, start: str, root: str, sig: str, size: str) -> None:
        need((start, size) == (str(self.sealed), str(self.size)) and self.batch, "a seal counts wrongly")
        top = self.peaks[-1][1]
        for _, left in self.peaks[-2::-1]: top = sha(b"\1", left, top)
        need(top == b64(root, 32), "a seal does not match the events before it")
        check(self.opened["pub"], self.opened["origin"], sig, f"{self.opened['origin']}\n{size}\n{root}\n")
        self.sealed, self.roots[self.size] = self.size, root
        for record in self.batch: self.log.believe(self.file, record["event"], record["detail"])
        self.batch.clear()
    def judge(self, rest: bytes, why: str) -> None:  # Tell a write that a crash cut short from a change: it damages the last batch alone
        later, over = [int(found[0]) for found in SEAL.findall(rest)], self.closed and not self.batch
        self.broken = bool(over or set(later) - {self.sealed} or len(later) > 1 or later and b"\0" not in rest)
        self.tail, self.closed = not self.broken, False
        if self.broken: self.log.say("red", self.file, f"The log was changed after event {self.sealed}: {why}.")

class Log:
    """All sessions of a log, and everybody who remembers how they ended."""
    seen = 0.0  # when a witness last saw the log, or the code on paper was made
    def __init__(self, root: Path, officer: str, code: str) -> None:
        self.root, self.found, self.site = root, list[tuple[str, str, str]](), dict[str, Any]()
        self.heads, begun = list[tuple[str, int, str, str, str]](), set[str]()
        paths = {path.relative_to(root).as_posix(): path for path in sorted((root / "writers").rglob("*.jsonl"))}
        self.sessions = {file: Session(self, file, path.read_bytes()) for file, path in paths.items()}
        self.sure("site.json", self.trust, officer)
        self.sure("codes", self.paper, code)
        for path in sorted(root.rglob("*.note")): self.sure(path.relative_to(root).as_posix(), self.note, path)
        for head in self.heads: self.compare(*head)
        for file, one in self.sessions.items():
            self.sure(file, self.certificate, one)
            self.end(one, one.file.split("/")[1] in begun)
            begun.add(one.file.split("/")[1])
        late = max((one.last for one in self.sessions.values()), default=0) - self.seen
        if self.site and late > 3600 * self.site["policy"]["anchor_hours"]:
            self.say("amber", "", "No witness has seen the end of the log, so a missing end might not show.")
    def say(self, level: str, file: str, text: str) -> None:
        if (level, file, text) not in self.found: self.found.append((level, file, text))
    def sure(self, file: str, step: Callable[[Any], None], what: object) -> None:
        try: step(what)
        except BAD as err: self.say("red", file, f"It was changed: {str(err) or 'a signature is wrong'}.")
    def believe(self, file: str, event: str, detail: dict[str, Any]) -> None:
        for key in set(HEADS) & set(detail):
            for one in [detail[key]] if isinstance(detail[key], dict) else detail[key]:
                self.heads.append((one["origin"], one["size"], one["root"], file, key if key == "pruned" else event))
        if event == "tamper.found": self.say("amber", file, "The program noted that an earlier session was altered.")
    def trust(self, officer: str) -> None:  # Check that every version of site.json is signed by an officer of the one before
        site, digest, seen, now = dict[str, Any](), "", {""}, self.root / "site.json"
        for raw in (path.read_bytes() for path in sorted(self.root.glob("site/*.json"))):
            doc, new = json.loads(raw), json.loads(raw)["site"]
            name, text = f"medlabel.local/{new['name']}/officer", b"medlabel-site/v1\n" + dense(new)
            check(doc["officer"], name, doc["signature"], text)
            said = [one["pub"] for one in (site or new)["officers"] if not one["revoked"]]
            need(doc["officer"] in said and new["previous"] == digest, "a version does not follow from the one before")
            site, digest = new, "sha256:" + sha(raw).hex()
            seen.add(code_of(b64(doc["officer"], 32), 8))
        need(("sha256:" + sha(now.read_bytes()).hex() if now.exists() else "") == digest, "it is not the last version")
        need(officer in seen, "the officer is another one")
        self.site = site
    def paper(self, code: str) -> None:
        for data in (path.read_bytes() for path in sorted(self.root.glob("codes/*.txt"))):
            if code and code_of(data, 32) == code[:32]:
                _, _, time, *lines = data.decode().splitlines()
                for origin, size, root in (line.split(" ") for line in lines):
                    self.heads.append((origin, int(size), root, "the code on paper", "paper"))
                code, self.seen = "", datetime.fromisoformat(time).timestamp()
        need(not code, "no list of heads here has the code that you typed")
    def note(self, path: Path) -> None:  # Check a published head, and who has cosigned it
        text, _, lines = path.read_text("utf-8").rpartition("\n\n")
        origin, size, root = text.split("\n")
        mine = self.sessions.get(file_of(origin))
        known = {one["name"]: (one["pub"], 4) for one in self.site.get("witnesses", []) if not one["revoked"]}
        if mine: known[origin] = (mine.opened["pub"], 1)
        for _, name, raw in (line.split(" ") for line in lines.splitlines()):
            pub, kind = known.get(name, ("", 0))
            if kind: self.seen = max(self.seen, check(pub, name, raw, text + "\n", kind))
            self.heads.append((origin, int(size), root, name, "witness" if kind == 4 else "note"))
    def certificate(self, one: Session) -> None:  # Check that a workstation vouches for the session's key, and the officer for the workstation
        its, writer, before = one.opened, one.file.split("/")[1], dict.fromkeys(("origin", "size", "root"), "-")
        if not one.sealed: return
        need(one.file == file_of(its["origin"]), "the file is not in its place")
        if "cert" not in its: return self.say("amber", one.file, "No workstation vouches for this session's key.")
        text = CERT.format(before=its.get("prev_session", before), origin=its["origin"], pub=its["pub"])
        check(its["install"], its["origin"].rpartition("/")[0], its["cert"], text)
        ours = [key for key in self.site.get("installs", []) if (key["pub"], key["writer"]) == (its["install"], writer)]
        need(not any(key["revoked"] and key["revoked"] <= its["time"] for key in ours), "its workstation was revoked")
        if not any(key["from"] <= its["time"] for key in ours):
            self.say("amber", one.file, "The officer has not said that she trusts this workstation.")
    def compare(self, origin: str, size: int, root: str, who: str, event: str) -> None:  # Compare a session with somebody who remembers it
        one, file = self.sessions.get(file_of(origin)), file_of(origin)
        gone = any(head[0] == origin and head[4] == "pruned" for head in self.heads)
        if size and one is None and not gone: self.say("red", file, f"The session is missing: {who} remembers it.")
        if not size or one is None or one.broken and one.sealed < size or file == who: return
        if one.sealed < size: self.say("red", file, f"The end is missing: {who} remembers {size} events of it.")
        elif one.roots.get(size) != root: self.say("red", file, f"It is not the session that {who} remembers.")
        elif one.sealed == size:
            one.held, one.recovered = one.held or event != "note", one.recovered or event == "session.recover"
    def end(self, one: Session, begun: bool) -> None:
        if not one.broken and not one.closed and not one.recovered:
            self.say("amber", one.file, "The session was not closed, as after a crash, and no later one cleared it.")
        if one.closed and not one.held:
            self.say("amber", one.file, "Nobody else remembers the end of this session: a missing end would not show.")
        if begun and one.sealed and "prev_session" not in one.opened:
            self.say("amber", one.file, "The session does not name the one before it.")

def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    for name in ("--expect", "--officer"): parser.add_argument(name, default="", metavar="CODE")
    given, found = parser.parse_args(argv), list[tuple[str, str, str]]()
    codes = [re.sub(r"[\s-]", "", code.upper()).translate(str.maketrans("OIL", "011")) for code in (given.officer, given.expect)]
    root = given.folder / "data" / "log" if (given.folder / "bagit.txt").exists() else given.folder
    for lists in sorted(given.folder.glob("*manifest-sha256.txt")):
        for digest, name in (line.split("  ", 1) for line in lists.read_text("utf-8").splitlines()):
            path = given.folder / name
            if not path.is_file() or sha(path.read_bytes()).hex() != digest:
                found.append(("red", name, "The parcel was damaged: this file is not as it was packed."))
    if not (root / "writers").is_dir(): raise SystemExit("There is no audit log in this folder.")
    log = Log(root, *codes)
    found += log.found
    level = max((one[0] for one in found), key=["green", "amber", "red"].index, default="green")
    events = sum(one.sealed for one in log.sessions.values())
    said = {"green": "The log is complete and unaltered", "red": "The log was altered, or parts of it are missing",
            "amber": "Nothing shows that the log was altered, but not everything could be confirmed"}[level]
    print(f"{level.upper()}. {said}: {events} events in {len(log.sessions)} session(s).")
    for one in found: print(f"  {one[0]:<5} {one[1]}: {one[2]}")
    return {"green": 0, "amber": 4, "red": 5}[level]

if __name__ == "__main__":
    raise SystemExit(main())
