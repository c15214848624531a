"""What a text for people says about a version, found by tolerant patterns."""

import html
import re

_ONE = r"v\d+"
_LIST = rf"{_ONE}(?:(?:\s*(?:,|;|and|to|-|\.\.))*\s*{_ONE})*"
_DENIED = re.compile(rf"\bnot\s+(?:comparable\s+)?with\s+({_LIST})", re.IGNORECASE)
_CLAIMED = re.compile(rf"\bcomparable(?:\s+with)?[\s:]*({_LIST})", re.IGNORECASE)
_RANGE = re.compile(r"v(\d+)(?:\s*(?:to|-|\.\.)\s*v(\d+))?")
_CHANGE = {
    "added": r"\bsamples?\W+([\d,]+) added",
    "removed": r"\bsamples?\W+[\d,]+ added, ([\d,]+) removed",
    "relabeled": r"removed, ([\d,]+) in another class",
    "moved": r"([\d,]+) moved between train and test",
}
_MD5 = re.compile(r"\bmd5\W+([0-9a-f]{32}\.dir)")


def plain(text: str) -> str:
    """Return a text without tags of HTML, marks of Markdown, and line breaks."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", text))
    return re.sub(r"\s+", " ", re.sub(r"[*`]", "", text))


def comparability(text: str) -> tuple[set[str], set[str]]:
    """Return the releases with which a version is said to be comparable, and not to be."""
    text = plain(text)
    denied = {tag for found in _DENIED.findall(text) for tag in _tags(found)}
    claimed = {tag for found in _CLAIMED.findall(_DENIED.sub(" ", text)) for tag in _tags(found)}
    return claimed, denied


def change(text: str) -> tuple[int, ...]:
    """Return how many samples are said to be added, removed, relabeled and moved."""
    found = (re.search(pattern, plain(text)) for pattern in _CHANGE.values())
    return tuple(int(one[1].replace(",", "")) if one else 0 for one in found)


def md5(text: str) -> str | None:
    """Return the name of the manifest that a text gives, None without one."""
    found = _MD5.search(plain(text))
    return found[1] if found else None


def table(text: str) -> dict[str, list[int]]:
    """Return the numbers of the first table of classes in a Markdown text, by class."""
    _, _, rest = text.partition("| class |")
    lines = rest.split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: [int(cell.replace(",", "")) for cell in cells] for name, *cells in rows}


def _tags(found: str) -> set[str]:
    ranges = ((int(first), int(last or first)) for first, last in _RANGE.findall(found))
    return {f"v{number}" for first, last in ranges for number in range(first, last + 1)}
