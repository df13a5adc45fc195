"""What holds for files, whatever is in them."""

import re
from pathlib import Path

MOST_LINES = 600

# Spelt in halves, or this file would find itself.
REGISTRIES = tuple(
    "".join(halves)
    for halves in [
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("registry.npm", "js.org"),
        ("npm", "js.com"),
        ("yarn", "pkg.com"),
        ("deb.debian", ".org"),
        ("ftp.debian", ".org"),
        ("archive.ubuntu", ".com"),
        ("crates", ".io"),
        ("proxy.golang", ".org"),
        ("gh", "cr.io"),
        ("quay", ".io"),
        ("docker", ".io"),
        # accidents of one machine
        ("/opt/", "wheels"),
        ("/opt/", "pypi"),
    ]
)


def test_no_module_is_too_long(files: list[Path]):
    modules = [path for path in files if path.suffix in {".py", ".pyi"}]
    lengths = {path: len(path.read_text().splitlines()) for path in modules}
    assert lengths
    too_long = {str(path): lines for path, lines in lengths.items() if lines > MOST_LINES}
    assert not too_long


def test_no_file_names_a_package_registry(files: list[Path]):
    found = []
    for path in files:
        content = path.read_bytes().decode("utf-8", "replace").lower()
        found += [f"{path}: {host}" for host in REGISTRIES if host in content]
    assert not found


def test_no_file_links_out_of_the_tree(root: Path, files: list[Path]):
    assert not [str(path) for path in files if not path.resolve().is_relative_to(root.resolve())]


def test_every_make_target_that_is_told_of_exists(root: Path, files: list[Path]):
    makefile = (root / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert {"setup", "demo", "test", "check", "bench", "docs", "lock"} <= targets
    told: dict[str, set[str]] = {}
    for page in files:
        if page.suffix != ".md":
            continue
        text = page.read_text()
        code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
        told[str(page.relative_to(root))] = {
            target
            for piece in code
            for line in piece.strip("`").splitlines()
            for target in re.findall(r"(?:^|[;&$|]\s*)make ([a-z][a-z-]*)", line.strip())
        }
    assert told["README.md"], "README.md tells of no target at all"
    missing = {page: names - targets for page, names in told.items() if names - targets}
    assert not missing


def test_every_target_is_phony_and_explained(root: Path):
    makefile = (root / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z][a-z-]*):.*## \S", makefile, re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets == explained == set(phony.split())
