"""One HTML file that asks nothing of anybody: no scripts, light and dark, printable."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_medlabel.deid.report.pictures import Picture


_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
_STYLE = """
:root{color-scheme:light dark;--back:#fdfdfc;--text:#1c2227;--soft:#55606a;--line:#d5dadf;
--fill:#eef1f3;--bar:#2f6f9f;--good:#1d7044;--look:#8a5a00;--bad:#a3262e}
@media(prefers-color-scheme:dark){:root{--back:#15191d;--text:#e6eaed;--soft:#a5b0ba;
--line:#37414a;--fill:#20272d;--bar:#6db1e0;--good:#6fce9a;--look:#e9b44c;--bad:#f08a8f}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:64rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:.2rem 0 .6rem}
h2{font-size:1.25rem;margin:2.4rem 0 .6rem;padding-top:.7rem;border-top:1px solid var(--line)}
h3{font-size:1.02rem;margin:1.5rem 0 .3rem}
p{max-width:46rem;margin:.5rem 0}
ul{margin:.4rem 0;padding-left:1.3rem}
li{margin:.25rem 0;max-width:46rem}
.soft{color:var(--soft)}
.verdict{border-left:.35rem solid var(--good);background:var(--fill);padding:.8rem 1rem;
margin:1rem 0;border-radius:.25rem;max-width:none}
.verdict.look{border-color:var(--look)}
.verdict.bad{border-color:var(--bad)}
.verdict strong{display:block;font-size:1.12rem}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.7rem;
margin:1rem 0;padding:0}
.numbers div{background:var(--fill);border-radius:.35rem;padding:.6rem .8rem}
.numbers dt{color:var(--soft);font-size:.86rem}
.numbers dd{margin:0;font-size:1.5rem;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.93rem}
caption{text-align:left;color:var(--soft);padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.34rem .7rem .34rem 0;
border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:600}
tbody th{font-weight:500}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.bar{width:28%;min-width:6rem}
td.bar svg{display:block;width:100%;height:.9rem}
rect.bar{fill:var(--bar)}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{background:var(--fill);padding:.7rem .9rem;border-radius:.35rem;white-space:pre-wrap}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:.8rem;
padding:0;margin:1rem 0;list-style:none}
.views{display:flex;flex-wrap:wrap;gap:.8rem}
figure{margin:0}
figure img{display:block;max-width:100%;height:auto;background:#000;border-radius:.25rem}
figcaption{font-size:.84rem;color:var(--soft)}
details{margin:.5rem 0}
summary{cursor:pointer;padding:.25rem 0}
a{color:inherit}
a:focus-visible,summary:focus-visible{outline:2px solid var(--bar);outline-offset:2px}
@media(max-width:34rem){main{padding:1rem .8rem 3rem}h1{font-size:1.4rem}td.bar{display:none}
th.bar{display:none}}
@media print{:root{--back:#fff;--text:#000;--soft:#444;--line:#bbb;--fill:#f2f2f2}
main{max-width:none;padding:0}h2,h3{break-after:avoid}tr,figure,.verdict{break-inside:avoid}
rect.bar{print-color-adjust:exact}details::details-content{content-visibility:visible}}
""".strip()


def document(title: str, body: str) -> bytes:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Of the window; escaped here.
    body : str
        HTML of the main part.

    Returns
    -------
    bytes
        UTF-8. Its policy forbids scripts, forms, frames and every request.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    ).encode()


def figure(picture: Picture, caption: str = "") -> str:
    """Return a picture with its alternative text, and a caption where one is given."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><img src="{picture.uri}" width="{picture.width}" height="{picture.height}" '
        f'alt="{escape(picture.alt)}">{below}</figure>'
    )


def table(caption: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table with real headings; whole numbers stand right.

    Parameters
    ----------
    caption : str
        What it lists.
    columns : iterable of str
        Headings.
    rows : iterable of iterable of str
        Cells; the first of each row is its heading.
    """
    names = list(columns)
    lines = [list(row) for row in rows]
    right = [all(_is_number(line[i]) for line in lines) for i in range(len(names))]
    head = "".join(
        f'<th scope="col"{_class(right[i])}>{escape(name)}</th>' for i, name in enumerate(names)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(line[0])}</th>'
        + "".join(
            f"<td{_class(right[i])}>{escape(cell)}</td>"
            for i, cell in enumerate(line[1:], start=1)
        )
        + "</tr>"
        for line in lines
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def bars(caption: str, columns: tuple[str, str], counts: Iterable[tuple[str, str, int]]) -> str:
    """Return a table of counts with a bar for each, drawn in SVG.

    Parameters
    ----------
    caption : str
        What is counted.
    columns : tuple of str
        Headings of the two columns of words.
    counts : iterable of (str, str, int)
        The longest bar is the largest count; bars grow with the root of the count, so that
        small ones are seen beside large ones.
    """
    rows = list(counts)
    most = max((count for _, _, count in rows), default=1) or 1
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th><td>{escape(second)}</td>'
        f'<td class="n">{number(count)}</td><td class="bar">{_bar(count / most)}</td></tr>'
        for first, second, count in rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>'
        f'<th scope="col">{escape(columns[0])}</th><th scope="col">{escape(columns[1])}</th>'
        f'<th scope="col" class="n">count</th><th scope="col" class="bar">share</th>'
        f"</tr></thead><tbody>{body}</tbody></table></div>"
    )


def number(count: int) -> str:
    """Return a count with thin blanks between thousands."""
    return f"{count:,}".replace(",", "\N{THIN SPACE}")


def _bar(share: float) -> str:
    width = max(100 * share**0.5, 0.5)
    return (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="bar" width="{width:.1f}" height="10" rx="1"/></svg>'
    )


def _is_number(cell: str) -> bool:
    return cell.replace("\N{THIN SPACE}", "").isdigit()


def _class(right: bool) -> str:
    return ' class="n"' if right else ""
