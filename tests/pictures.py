"""Makes the picture of a comment in README.md: `python -m tests.pictures docs`.

The comment and the contact sheet are those of a real pull request on MNIST, from 100 to 200 images
of each class; only the frame around them is drawn as at GitHub.
"""

import base64
import html
import re
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

from scripts.review import render, report_json
from tests.doubles import browser
from tests.repository import PROJECT, config_text, create, process

WIDTH = 900
STYLE = """
body { margin: 0; padding: 16px; background: #fff; color: #1f2328;
  font: 14px/1.5 "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
.comment { border: 1px solid #d1d9e0; border-radius: 6px; }
.comment > header { padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0;
  border-radius: 6px 6px 0 0; color: #59636e; }
.comment > div { padding: 16px; }
h3 { margin: 0 0 16px; font-size: 17.5px; }
table { border-collapse: collapse; margin-bottom: 16px; }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0; }
tr:nth-child(2n) { background: #f6f8fa; }
ul { padding-left: 28px; }
code { padding: 3px 6px; border-radius: 6px; background: #818b981f; font-size: 85%; }
blockquote { margin: 0 0 16px; padding: 0 16px; border-left: 4px solid #9a6700; }
details { margin-bottom: 8px; }
img { max-width: 100%; }
"""


def main(folder: Path) -> None:
    """Write `comment.png` to `folder`."""
    with tempfile.TemporaryDirectory() as place:
        text, sheet = _report(Path(place))
    picture = f"data:image/png;base64,{base64.b64encode(sheet).decode()}"
    body = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text)
    body = re.sub(r"<p>\[!WARNING\]\s*", "<p><strong>Warning</strong><br>", body)
    page = (
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>"
        f"<div class=comment><header><b>github-actions</b> bot commented</header>"
        f'<div>{body}<img alt="" src="{html.escape(picture)}"></div></div>'
    )
    with browser.running() as opened:
        tab = opened.new_page(viewport={"width": WIDTH, "height": 400})
        tab.set_content(page)
        tab.screenshot(path=folder / "comment.png", full_page=True)


def _report(place: Path) -> tuple[str, bytes]:
    """Return the comment and the contact sheet of the second version."""
    values = {"source": "mnist_784", "class_": 3}
    repository = create(place, config_text(**values, samples=100, test_size=20))
    _run(repository.root, "release")
    repository.git("pull", "--quiet", "--ff-only", "--tags", "origin", "main")
    repository.configure(config_text(**values, samples=200, test_size=40))
    _run(repository.root, f"workflow report {place} --stored yes")
    (sheet,) = place.glob("*.png")
    return render.comment(
        report_json.load((place / "report.json").read_bytes())
    ), sheet.read_bytes()


def _run(root: Path, verb: str) -> None:
    done = process(root, verb, PYTHONPATH=str(PROJECT))
    assert done.returncode == 0, done.stderr.decode()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
