"""Hooks of MkDocs: the documents beside `docs/` are pages of the site, too."""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PROJECT = Path(__file__).parent.parent
DOCS = "docs/"
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]*)(#[^)\s]*)?\)")
ADDRESS = re.compile("[a-z]+:")
# The site draws no diagrams: what does would come from another server.
DIAGRAM = re.compile("^```mermaid\n.*?^```\n", re.DOTALL | re.MULTILINE)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the documents beside `docs/`; README.md is the first page."""
    for path in sorted(PROJECT.glob("*.md")):
        files.append(File.generated(config, path.name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: object) -> str:
    """Change links to where the site has their targets; of other files, keep the text."""
    here = "" if (PROJECT / page.file.src_uri).exists() else DOCS

    def change(link: re.Match[str]) -> str:
        picture, text, target, anchor = link.groups(default="")
        path = posixpath.normpath(here + target)
        on_site = path.removeprefix(DOCS)
        if not target or ADDRESS.match(target):
            return link[0]
        if files.get_file_from_path(on_site):
            return f"{picture}[{text}]({on_site}{anchor})"
        if path.startswith("..") or (PROJECT / path).exists():
            return "" if picture or text.startswith("!") else text
        return link[0]

    return LINK.sub(change, DIAGRAM.sub("", markdown))
