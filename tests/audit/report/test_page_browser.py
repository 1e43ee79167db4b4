from __future__ import annotations

import base64
import gzip
import io
import re
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from napari_medlabel.audit.exports.entries import read_entries
from napari_medlabel.audit.exports.sinks import Wish, sink_of
from napari_medlabel.audit.keys.tokens import load_token_key
from tests.audit.bench import Bench
from tests.audit.report.browser import Browser, find_browser
from tests.audit.report.page_facts import BUNDLE_BYTES, HOSTILE, USER, log_bytes, rich_page

PROGRAM = find_browser()

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium on this computer"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    path = folder / "report.html"
    rich_page(Bench(folder), path)
    return path


@pytest.fixture
def shown(browser: Browser, page: Path) -> Browser:
    browser.scripts(allowed=True)
    browser.prefer("light")
    browser.size(1280, 900)
    browser.open(page)
    browser.ready()
    return browser


def rewritten(page: Path, change: Callable[[bytes], bytes], name: str) -> Path:
    """Return a copy of a page in whose log something was changed, and nothing else."""
    text = page.read_text("utf-8")
    found = re.search(r'(id="log-bytes">)([^<]*)<', text)
    assert found is not None
    log = gzip.decompress(base64.b64decode(found[2]))
    packed = base64.b64encode(gzip.compress(change(log), mtime=0)).decode()
    other = page.with_name(name)
    other.write_text(text.replace(found[2], packed), "utf-8")
    return other


def check(browser: Browser) -> str:
    browser.click("#check")
    return str(browser.wait("document.querySelector('#check-result').dataset.verdict", 60))


def test_it_opens_from_a_file_without_a_word_on_the_console_or_a_request(
    shown: Browser,
) -> None:
    check(shown)
    assert shown.value("location.protocol") == "file:"
    assert shown.messages == []
    assert shown.requests == []
    assert shown.value("window.medlabel") is None


def test_a_request_would_be_refused_and_would_be_seen(shown: Browser) -> None:
    # The control: the watch that sees nothing above does see something here.
    shown.value("fetch('https://elsewhere.example/').catch(() => 'refused')")
    shown.wait("true")
    assert any("Content Security Policy" in message for message in shown.messages)


def test_the_check_finds_nothing_changed(shown: Browser) -> None:
    assert check(shown) != "red"
    said = shown.text("#check-result")
    assert "All of it fits" in said
    assert "by your browser's own cryptography" in said
    assert "The code was computed again and is the same." in said
    assert shown.value("document.querySelector('#verdict').className") == "verdict green"


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_one_changed_byte_turns_the_page_red(
    browser: Browser, page: Path, place: float
) -> None:
    def flip(log: bytes) -> bytes:
        at = log.index(b'"voxels_added":18', int(len(log) * place)) + len('"voxels_added":')
        return log[:at] + b"9" + log[at + 1 :]

    browser.open(rewritten(page, flip, f"flipped-{place}.html"))
    browser.ready()
    assert check(browser) == "red"
    assert browser.value("document.querySelector('#verdict').className") == "verdict red"
    said = browser.text("#verdict-sentence")
    assert re.search(r"writers/w0123456789abcdef/2026/11/\S+\.jsonl, line \d+", said)
    assert browser.messages == []


@pytest.fixture
def lacking(browser: Browser) -> Iterator[Callable[[str], None]]:
    """Return what makes the browser an older one, until the test ends."""
    handles: list[str] = []

    def lack(source: str) -> None:
        handles.append(browser.first_run(source))

    yield lack
    for handle in handles:
        browser.no_more(handle)


@pytest.mark.parametrize(
    "source",
    [
        "crypto.subtle.importKey = async () => { throw new DOMException('no such name'); }",
        "crypto.subtle.verify = async () => true",
        "crypto.subtle.verify = async () => false",
        "Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })",
    ],
    ids=["no Ed25519", "one that likes everything", "one that likes nothing", "no crypto"],
)
def test_a_browser_that_cannot_check_signatures_leaves_it_to_the_page(
    browser: Browser, page: Path, lacking: Callable[[str], None], source: str
) -> None:
    lacking(source)
    browser.open(page)
    browser.ready()
    assert check(browser) != "red"
    assert "by this page's own arithmetic" in browser.text("#check-result")
    assert browser.messages == []


def test_a_browser_that_is_too_old_accuses_nobody(
    browser: Browser, page: Path, lacking: Callable[[str], None]
) -> None:
    lacking("delete globalThis.DecompressionStream")
    browser.open(page)
    browser.ready()
    assert "too old" in browser.text("#all-events")
    assert browser.value("document.querySelector('#check').disabled")
    assert browser.value("document.querySelector('#verdict').className") == "verdict green"


def test_a_damaged_block_turns_the_page_red_by_itself(browser: Browser, page: Path) -> None:
    text = page.read_text("utf-8")
    at = text.index('id="log-bytes">') + 3000
    other = page.with_name("damaged.html")
    letter = "A" if text[at] != "A" else "B"
    other.write_text(text[:at] + letter + text[at + 1 :], "utf-8")
    browser.open(other)
    browser.ready()
    assert browser.value("document.querySelector('#verdict').className") == "verdict red"
    assert "cannot be read" in browser.text("#all-events")
    assert check(browser) == "red"


def test_another_code_or_a_shorter_list_is_noticed(browser: Browser, page: Path) -> None:
    text = page.read_text("utf-8")
    shown = re.search(r'id="paper-code">([^<]*)<', text)
    assert shown is not None
    other = page.with_name("code.html")
    letter = "0" if shown[1][0] != "0" else "1"
    other.write_text(text.replace(shown[1], letter + shown[1][1:]), "utf-8")
    browser.open(other)
    browser.ready()
    assert check(browser) == "red"
    assert "code" in browser.text("#verdict-sentence")


def rows(browser: Browser) -> int:
    return int(browser.value("document.querySelectorAll('#all-events tbody tr').length"))


def summary(browser: Browser) -> str:
    return str(browser.value("document.querySelector('#all-events [role=status]').innerText"))


def test_filters_and_search_narrow_the_list(shown: Browser) -> None:
    assert summary(shown) == "All 258 events."
    assert rows(shown) == 50
    number = shown.value(
        "[...document.querySelectorAll('#filter-event option')]"
        ".find((o) => o.innerText === 'Mask saved').value"
    )
    shown.enter("#filter-event", number)
    assert shown.wait("document.querySelector('#all-events [role=status]').innerText"
                      ".startsWith('120 of')")  # fmt: skip
    shown.enter("#filter-event", "")
    shown.enter("#filter-outcome", "bad")
    assert shown.wait("document.querySelector('#all-events [role=status]').innerText"
                      ".startsWith('12 of')")  # fmt: skip
    shown.enter("#filter-outcome", "")
    shown.enter("#filter-words", "CLOSE session")
    assert shown.wait("document.querySelectorAll('#all-events tbody tr').length === 3")
    shown.enter("#filter-words", "alert('x')")  # a name of a user
    assert shown.wait("document.querySelector('#all-events [role=status]').innerText"
                      ".startsWith('All 258')")  # fmt: skip
    shown.enter("#filter-words", "")
    for field, value, count in (
        ("#filter-subject", "s1-3b", "240 of"), ("#filter-subject", "s1-4", "0 of"),
        ("#filter-subject", "", "All"), ("#filter-from", "2026-11-23", "0 of"),
        ("#filter-from", "2026-11-22", "All"), ("#filter-to", "2026-11-21", "0 of"),
        ("#filter-to", "", "All"), ("#filter-user", "0", "All"),
    ):  # fmt: skip
        shown.enter(field, value)
        shown.wait(f"document.querySelector('#all-events [role=status]').innerText"
                   f".startsWith('{count}')", 10)  # fmt: skip
    assert shown.messages == []


def test_pages_turn_and_a_line_opens_with_its_neighbours(shown: Browser) -> None:
    first = shown.text("#all-events tbody tr")
    shown.value("[...document.querySelectorAll('.pager button')][2].click()")
    assert "Page 2 of 6" in shown.text("#all-events .pager")
    assert shown.text("#all-events tbody tr") != first
    shown.value("[...document.querySelectorAll('.pager button')][3].click()")
    assert rows(shown) == 8
    shown.value("[...document.querySelectorAll('.pager button')][0].click()")
    shown.value("document.querySelectorAll('#all-events td button')[1].click()")
    said = shown.text("tr.opened")
    assert "follows from the line before" in said
    assert "the line after holds this hash" in said
    assert said.count('"event":') == 3
    shown.value("document.querySelectorAll('#all-events td button')[1].click()")
    assert shown.value("document.querySelector('tr.opened')") is None


def test_a_name_that_looks_like_a_tag_is_shown_and_never_run(shown: Browser) -> None:
    assert shown.value("document.querySelector('h1, .site').innerText") is not None
    assert HOSTILE in shown.value("document.querySelector('.site').textContent")
    assert HOSTILE in shown.value("document.querySelector('#all-events bdi').textContent")
    assert shown.value("document.querySelectorAll('script').length") == 5
    assert shown.value("document.querySelectorAll('img').length") == 2


def ask(browser: Browser, key: Path, patient: str) -> str:
    browser.choose_file("#patient-key", key)
    browser.enter("#patient-id", patient)
    browser.value("document.querySelector('#patient').requestSubmit()")
    browser.wait("document.querySelector('#patient-result').innerText !== ''", 10)
    return browser.text("#patient-result")


def test_the_officer_asks_who_opened_a_patient(
    browser: Browser, tmp_path: Path, page: Path
) -> None:
    token = load_token_key(tmp_path).subject_token("ward", "A-1\u0308 7")
    other = rewritten(page, lambda log: log.replace(b"s1-" + b"3b" * 16, token.encode()),
                      "patient.html")  # fmt: skip
    browser.open(other)
    browser.ready()
    key = tmp_path / "token.key"
    said = ask(browser, key, "A-1\u0308 7")
    assert said.startswith("No event under this number without an issuer. ")
    assert "Issuer of Patient ID (0010,0021)" in said
    browser.enter("#patient-issuer", "another")
    said = ask(browser, key, "A-1\u0308 7")
    assert said.startswith("No event under this number, with this issuer or without one. ")
    browser.enter("#patient-issuer", "another\n ward \n")
    said = ask(browser, key, "  A-1\u0308 7\0")
    assert "240 events by 1 person" in said
    assert "Page 1 of 5" in browser.text("#patient-events .pager")
    browser.value("document.querySelector('#patient').reset()")
    assert browser.text("#patient-events") == ""
    for wrong, words in (("nonsense", "not a token key"), ('{"sealed":{}}', "sealed with")):
        key.write_text(wrong)
        assert words in ask(browser, key, "A")
    browser.value("document.querySelector('#patient').reset()")
    browser.value("document.querySelector('#patient').requestSubmit()")
    assert "Choose the token key" in browser.text("#patient-result")
    assert browser.value("localStorage.length + document.cookie.length") == 0


def test_several_keys_in_one_file_are_all_tried(
    browser: Browser, tmp_path: Path, page: Path
) -> None:
    token = load_token_key(tmp_path).subject_token(None, "7").replace("s1-", "s2-")
    secret = (tmp_path / "token.key").read_text().strip()
    other = rewritten(page, lambda log: log.replace(b"s1-" + b"3b" * 16, token.encode()),
                      "kids.html")  # fmt: skip
    browser.open(other)
    browser.ready()
    keys = tmp_path / "keys.json"
    pairs = f'{{"kid":1,"secret":"{"0" * 64}"}},{{"kid":2,"secret":"{secret}"}}'
    keys.write_text(f'{{"keys":[{pairs}]}}')
    assert "240 events" in ask(browser, keys, "7")
    browser.enter("#patient-issuer", "a scan may name its issuer, or not")
    assert "240 events" in ask(browser, keys, "7")


def test_without_scripts_it_can_be_read(browser: Browser, page: Path) -> None:
    browser.scripts(allowed=False)
    browser.open(page)
    browser.wait("document.querySelector('#limits') !== null", 20)
    said = browser.text("main")
    browser.scripts(allowed=True)
    assert "This needs JavaScript" in said
    assert "PatientSex (0010,0040)" in said
    assert "Show who" not in said


def test_tab_goes_from_the_skip_link_through_the_parts_in_order(shown: Browser) -> None:
    order = shown.tabbed(14)
    assert order[:3] == ["Skip to the content", "Verdict", "Code and check"]
    assert "check" in order
    shown.press("Enter", 13)
    assert shown.value("getComputedStyle(document.querySelector('.skip')).position") == (
        "absolute"
    )


def test_everything_has_a_name_for_those_who_hear_it(shown: Browser) -> None:
    nameless = shown.value(
        "[...document.querySelectorAll('input, select, button, [role=region], nav, table')]"
        ".filter((e) => !(e.labels?.length || e.ariaLabel || e.innerText?.trim()"
        "|| e.querySelector?.('caption'))).map((e) => e.outerHTML)"
    )
    assert nameless == []
    assert shown.value("document.documentElement.lang") == "en"
    assert shown.value("document.querySelectorAll('h1').length") == 1
    assert shown.value("[...document.querySelectorAll('th')].every((th) => th.scope)")
    ids = shown.value("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_hangs_out_of_a_narrow_window(shown: Browser, width: int) -> None:
    shown.size(width, 800)
    assert shown.value("document.documentElement.scrollWidth") <= width


def test_dark_and_light_are_both_there(shown: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = shown.value(ground)
    shown.prefer("dark")
    assert shown.value(ground) != light


def pdf_text(data: bytes) -> int:
    """Return how many pages a PDF has."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL)
    inflated = b""
    for stream in streams:
        try:
            inflated += zlib.decompress(stream)
        except zlib.error:
            continue
    return len(re.findall(rb"/Type\s*/Page\b", data + inflated))


def test_it_prints_with_every_part(shown: Browser) -> None:
    assert pdf_text(shown.pdf()) >= 3
    shown.prefer("light", "print")
    shown.size(720, 1000)  # an A4 sheet without its margins
    assert shown.value("document.documentElement.scrollWidth") <= 720
    hidden = shown.value(
        "[...document.querySelectorAll('main > section')]"
        ".filter((e) => e.getClientRects().length === 0).map((e) => e.id)"
    )
    assert hidden == []
    assert shown.value("document.querySelector('#check').getClientRects().length") == 0
    assert shown.value("document.querySelector('.pen').getClientRects().length") > 0
    said = shown.text("main")
    for words in (
        "Code for your paper record", "Integrity of each computer", "What left the building",
        "Access to patients", "Changes after approval", "Software and settings",
        "Failures, refusals", "Review and sign-off", "All events", "What this cannot prove",
        "Files to take along", "Conformance", USER[:11],
    ):  # fmt: skip
        assert words in said, words


def saved(browser: Browser, kind: str) -> bytes:
    """Click a button and return the bytes of the Blob that the browser was given to save."""
    browser.value(
        "(() => { const real = URL.createObjectURL; window.kept = null;"
        "URL.createObjectURL = (blob) => { window.kept = blob; return real.call(URL, blob); };"
        "})()"
    )
    browser.click(f"[data-download={kind}]")
    browser.wait("window.kept !== null", 20)
    return base64.b64decode(
        browser.value(
            "new Promise((resolve) => { const reader = new FileReader();"
            "reader.onload = () => resolve(reader.result.split(',')[1]);"
            "reader.readAsDataURL(window.kept); })"
        )
    )


def test_files_are_saved_byte_for_byte(
    shown: Browser, tmp_path: Path, page: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shown.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    assert saved(shown, "bundle") == BUNDLE_BYTES
    shown.wait("document.querySelector('#download-result').innerText !== ''", 10)
    assert "audit-log-2026-11-22-evidence.zip" in shown.text("#download-result")
    with zipfile.ZipFile(io.BytesIO(saved(shown, "raw"))) as archive:
        assert archive.testzip() is None
        inside = {name: archive.read(name) for name in archive.namelist()}
    bench = Bench(page.parent)
    assert inside == dict(log_bytes(bench))
    assert saved(shown, "csv") == csv_of(bench)
    until = time.monotonic() + 10
    wanted = tmp_path / "audit-log-2026-11-22-events.csv"
    while not wanted.is_file() and time.monotonic() < until:
        time.sleep(0.05)
    assert wanted.read_bytes() == csv_of(bench)
    assert shown.messages == []
    assert not [one for one in shown.requests if not one.startswith("blob:")]


def csv_of(bench: Bench) -> bytes:
    """Return the table as `medlabel audit export --format csv` writes it."""
    sink = sink_of("csv", Wish())
    parts: list[bytes] = []
    report, _ = read_entries(
        bench.root, state=None, take=lambda entry: parts.extend(sink.lines(entry))
    )
    return b"".join([sink.head, *parts, sink.tail(report)])


def test_a_damaged_file_is_not_saved(browser: Browser, page: Path) -> None:
    text = page.read_text("utf-8")
    at = text.index('id="download-bundle">') + len('id="download-bundle">') + 40
    other = page.with_name("damaged-file.html")
    other.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :], "utf-8")
    browser.open(other)
    browser.ready()
    browser.click("[data-download=bundle]")
    browser.wait("document.querySelector('#download-result').innerText !== ''", 10)
    assert "cannot be read" in browser.text("#download-result")


def test_what_is_not_sealed_is_no_row_of_the_table(browser: Browser, page: Path) -> None:
    text = page.read_text("utf-8")
    size = re.search(r'"heads":\[\{"origin":"[^"]*","root":"[^"]*","size":(\d+)', text)
    assert size is not None
    other = page.with_name("unsealed.html")
    other.write_text(text[: size.start(1)] + "5" + text[size.end(1) :], "utf-8")
    browser.open(other)
    browser.ready()
    rows_ = saved(browser, "csv").count(b"\r\n")
    assert rows_ == 1 + 258 - int(size[1]) + 5
