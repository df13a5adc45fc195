"""MkDocs hook: pages that nobody writes twice.

The pages of reference that `reference_pages` makes from the code, a page for each public module of
each member, and a page for each platform, which is the README of its driver. A module is public if
no part of its name begins with an underscore. Nothing can be forgotten: a new module has its page
at the next build.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from reference_pages import pages

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


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages where `nav` has a section for them."""
    nav: list[Any] = config.nav
    _section(nav, "Platforms").extend(sorted(platforms()))
    packages: dict[str, list[str]] = {}
    for name in public_modules():
        packages.setdefault(name.partition(".")[0], []).append(_uri(name))
    _section(nav, "Modules").extend({package: uris} for package, uris in packages.items())
    listed = (ROOT / "docs/decisions/index.md").read_text()
    links = re.findall(r"^\| \[.*?\]\((.*?\.md)\)", listed, re.M)
    _section(nav, "Decisions").extend(f"decisions/{link}" for link in links)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those in docs/."""
    for name in public_modules():
        page = f"# `{name}`\n\n::: {name}\n    options:\n      show_root_heading: false\n"
        files.append(File.generated(config, _uri(name), content=page))
    for uri, text in (*platforms().items(), *pages().items()):
        files.append(File.generated(config, uri, content=text))
    return files


def _uri(module: str) -> str:
    package = module.partition(".")[0]
    return f"reference/{package}/{'index' if module == package else module}.md"


def _section(nav: list[Any], title: str) -> list[Any]:
    for item in nav:
        if isinstance(item, dict) and title in item:
            section: list[Any] = item[title]
            return section
    raise LookupError(f"nav has no section {title!r}")
