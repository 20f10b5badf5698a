"""Hooks of MkDocs: pages that lie outside ``docs/``, and a build that fails if a page would load from elsewhere."""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent.parent

OUTSIDE = {"README.md": "index.md", "CHANGELOG.md": "CHANGELOG.md", "benches/README.md": "benches/README.md"}
"""Files of the repository that are pages too, and where."""
EXAMPLES = {f"examples/{path.name}": f"examples/{path.stem}.md" for path in (ROOT / "examples").glob("*.py")}

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")
_LOADED = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*?(?:src|href)=\"?(?:https?:)?//[^>]*>")

log = logging.getLogger("mkdocs.hooks.site")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for path, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    for path, page in EXAMPLES.items():
        code = (ROOT / path).read_text("utf-8")
        files.append(File.generated(config, page, content=f"# {Path(path).name}\n\n```python\n{code}```\n"))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links between files of the repository into links between pages, so that both work."""
    here = page.file.src_uri
    home = next((path for path, outside in OUTSIDE.items() if outside == here), f"docs/{here}")

    def link(match: re.Match[str]) -> str:
        image, text, target, anchor = match.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(home), target))
        there = OUTSIDE.get(path) or EXAMPLES.get(path) or path.removeprefix("docs/")
        if files.get_file_from_path(there) is None and (ROOT / path).exists():
            return text  # in the repository, but no page
        return f"{image}[{text}]({posixpath.relpath(there, posixpath.dirname(here) or '.')}{anchor or ''})"

    return _LINK.sub(link, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    for element in _LOADED.findall(output):
        log.warning("%s loads from elsewhere: %s", page.file.src_uri, element)
    return output
