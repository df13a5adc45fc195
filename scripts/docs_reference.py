"""MkDocs hook: pages that nobody writes twice.

A page of reference for each public module of each member, made from the code, and a page for each
platform, which is the README of its driver. A module is public if no part of its name begins with
an underscore. Nothing can be forgotten: a new module has its page at the next build.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
SOURCES = ("core/src", "plugins/*/src", "frontends/*/src")


def public_modules() -> list[str]:
    """Every importable public module, sorted, packages before what is in them."""
    names: set[str] = set()
    for pattern in SOURCES:
        for source in ROOT.glob(pattern):
            for path in source.rglob("*.py"):
                parts = list(path.relative_to(source).with_suffix("").parts)
                if parts[-1] == "__init__":
                    parts.pop()
                if not any(part.startswith("_") for part in parts):
                    names.add(".".join(parts))
    return sorted(names)


def platforms() -> dict[str, str]:
    """The page of each platform: the driver's README, with its links led to the documentation."""
    pages: dict[str, str] = {}
    for readme in sorted(ROOT.glob("plugins/*/README.md")):
        text = readme.read_text()
        text = re.sub(r"\]\(\.\./\.\./README\.md\)", "](../index.md)", text)
        text = re.sub(r"\]\(\.\./\.\./docs/([^)]*)\)", r"](../\1)", text)
        pages[f"platforms/{readme.parent.name}.md"] = text
    return pages


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those in docs/."""
    modules = public_modules()
    for name in modules:
        package = name.partition(".")[0]
        page = f"# `{name}`\n\n::: {name}\n    options:\n      show_root_heading: false\n"
        uri = f"reference/{package}/{'index' if name == package else name}.md"
        files.append(File.generated(config, uri, content=page))
    for uri, text in platforms().items():
        files.append(File.generated(config, uri, content=text))
    return files
