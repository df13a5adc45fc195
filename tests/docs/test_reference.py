"""Nothing is undocumented, and nothing is documented that is not there."""

from __future__ import annotations

import ast
import re
import shlex
import sys
import typing
from pathlib import Path

import msgspec
import pytest
import typer

from anabranch import Broker, errors, models
from anabranch.features import FEATURES, Feature
from anabranch.hooks import PROJECT, DriverSpec

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for pattern in ("core/src", "frontends/*/src", "plugins/*/src")
    for source in ROOT.glob(pattern)
    for path in source.rglob("*.py")
    if not {"simulator", "testing", "driver_template"} & set(path.parts)
]
READMES = [path for at in (".", "core", "*/*") for path in ROOT.glob(f"{at}/README.md")]
READMES = [path for path in READMES if path.parts[len(ROOT.parts)][0] not in "._"]
PAGES = sorted({*ROOT.glob("docs/**/*.md"), *READMES})


@pytest.fixture(scope="module")
def reference():
    """The package that makes the pages of reference."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import reference_pages
        import reference_pages.broker
        import reference_pages.errors
        import reference_pages.features
        import reference_pages.hooks
        import reference_pages.levels
        import reference_pages.markdown
        import reference_pages.models
        import reference_pages.settings
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return reference_pages


@pytest.fixture(scope="module")
def generated(reference):
    return reference.pages()


def headings(page: str, level: str) -> list[str]:
    return re.findall(rf"^{level} `(\w+)`", page, re.M)


def test_every_hook_is_documented(reference, generated):
    hooks = [n for n in dir(DriverSpec) if hasattr(getattr(DriverSpec, n), f"{PROJECT}_spec")]
    page = generated["reference/hooks.md"]
    assert sorted(headings(page, "###")) == sorted([*hooks, "configure", "account"])
    for name in hooks:
        doc = reference.markdown.read(getattr(DriverSpec, name))
        assert len(doc.text) > 10, name
        assert doc.raises, f"{name} raises nothing that is told"
        for error, when in doc.raises:
            assert hasattr(errors, error), f"{name}: {error} is no error"
            assert when, f"{name}: when is {error} raised?"


def test_every_feature_is_documented(reference, generated):
    assert headings(generated["reference/features.md"], "###") == [f.value for f in Feature]
    for feature in FEATURES:
        for field, said in reference.features.described(feature).items():
            assert len(said) > 3, f"{feature}: what is {field}?"


def test_every_error_is_documented(generated):
    known = [n for n in errors.__all__ if isinstance(getattr(errors, n), type)]
    page = generated["reference/errors.md"]
    assert sorted(headings(page, "###")) == sorted(known)
    assert all(getattr(errors, name).__doc__ for name in known)
    tree = re.search(r"```text\n(.*?)```", page, re.S)[1]
    assert sorted(re.findall(r"\w+", tree)) == sorted(known)
    # The one that people read in the code is the same.
    told = errors.__doc__.partition("Each carries")[0]
    assert set(re.findall(r"^ +[│├└─ ]*([A-Z]\w+)", told, re.M)) == set(known)


def test_every_model_is_documented(reference, generated):
    names = [n for n in models.__all__ if isinstance(getattr(models, n), type)]
    page = generated["reference/models.md"]
    hidden = {"Extra", "Resource"}  # what all have, told with each
    assert set(names) - hidden <= set(headings(page, "###"))
    for model in reference.models.structs():
        docs = reference.markdown.struct_docs(model)
        missing = {f.name for f in msgspec.structs.fields(model)} - set(docs)
        assert not missing, f"{model.__name__}: {missing}"


def test_every_setting_is_documented(reference, generated):
    page = generated["reference/settings.md"]
    for cls in reference.settings.classes():
        docs = reference.markdown.struct_docs(cls)
        for field in reference.settings.settings_of(cls):
            assert len(docs.get(field.name, "")) > 3, f"{cls.__name__}.{field.name}"
            assert f"| `{field.encode_name}` |" in page


UNITS = re.compile(r"second|[Bb]ytes|MiB|MHz|GiB|GB|kbit/s|[Dd]ays|[Hh]ours", re.I)


def test_numbers_tell_their_unit(reference):
    """A time without a unit is worse than none."""
    for cls in reference.settings.classes():
        hints = typing.get_type_hints(cls)
        docs = reference.markdown.struct_docs(cls)
        for field in reference.settings.settings_of(cls):
            if hints[field.name] is float and "delay" not in cls.__name__.lower():
                told = docs[field.name] + (cls.__doc__ or "")
                assert UNITS.search(told) or "much longer" in told, f"{cls.__name__}.{field.name}"


def test_every_method_of_the_broker_is_documented(reference, generated):
    page = generated["reference/broker.md"]
    kinds = reference.broker.collections()
    for kind in (*kinds.values(), Broker):
        for name, owner, found in reference.broker.methods(kind):
            assert found.__doc__, f"{kind.__name__}.{name}"
            assert f"{{#{owner.__name__.removesuffix('Base').lower()}{name}}}" in page, name
    assert all(f"| `{name}` | [" in page for name in kinds)


def test_every_check_of_the_kit_is_documented(reference, generated):
    from anabranch.testing.conformance import CHECKS

    page = generated["reference/levels.md"]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.M))
    assert list(rows) == list(CHECKS)
    assert all(len(said) > 10 for said in rows.values())


# ------------------------------------------------------------------------------------- platforms


def settings_in_readme(kind: str) -> set[str]:
    """The names in the first column of the table of settings; `x` for `y` means more than one."""
    text = (ROOT / f"plugins/{kind}/README.md").read_text()
    section = text.partition("\n## Settings\n")[2].partition("\n## ")[0]
    table = re.search(r"^\| setting .*?(?=\n\n|\Z)", section, re.M | re.S)[0]
    found = set()
    for line in table.splitlines()[2:]:
        cell = line.split(" | ")[0]
        words = re.findall(r"`([\w.]+)(?:: \w+)?`", cell)
        first = words[0]
        for word in words:
            if word.startswith("_"):  # `auth.application_credential_id` or `_name`
                word = first.rpartition("_")[0] + word
            elif "and so for" in cell and word != first:
                word = f"{word}_{first.partition('_')[2]}"
            elif "." in first and "." not in word:
                word = f"{first.partition('.')[0]}.{word}"
            found.add(word)
    return found


def settings_in_code(reference, cls: type, prefix: str = "") -> set[str]:
    found = set()
    hints = typing.get_type_hints(cls)
    for field in reference.settings.settings_of(cls):
        inner = hints[field.name]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct) and field.required:
            found |= settings_in_code(reference, inner, f"{field.encode_name}.")
        else:
            found.add(prefix + field.encode_name)
    return found


@pytest.mark.parametrize("kind", ["cloudstack", "mock", "opennebula", "openstack", "paci"])
def test_the_page_of_a_platform_has_all_settings(reference, kind):
    cls = reference.drivers.bundled()[kind].settings_type
    assert settings_in_readme(kind) == settings_in_code(reference, cls)


# ----------------------------------------------------------------------------------- environment

VARIABLE = re.compile(r"(?:(?:ANABRANCH|OS|ONE|CLOUDSTACK|XDG)_[A-Z_]+|NO_COLOR|HOME|\w+_PROXY)")
NOT_VARIABLES = {  # attributes of OpenNebula's templates
    "ANABRANCH_CLIENT_TOKEN",
    "ANABRANCH_HARDWARE_PROFILE",
    "ANABRANCH_KEY",
    "ANABRANCH_KEYS",
    "ANABRANCH_TAGS",
}


def variables_in_code() -> set[str]:
    """Texts of the code that are names of variables, and those that are put together."""
    from anabranch.environment import EnvironmentSettings
    from anabranch_cloudstack import ini

    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            text = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and VARIABLE.fullmatch(text):
                found.add(text)
    prefix = EnvironmentSettings.model_config["env_prefix"]
    found |= {f"{prefix}{name.upper()}" for name in EnvironmentSettings.model_fields}
    found |= {f"CLOUDSTACK_{key.upper()}" for key in ini._KEYS}
    found |= {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}  # by scheme; urllib knows the last
    return found - NOT_VARIABLES


def test_every_environment_variable_is_documented():
    page = (ROOT / "docs/reference/environment.md").read_text()
    cells = re.findall(r"^\| (`[A-Z].*?) \|(.*)\|$", page, re.M)
    documented = {
        n for cell in cells for n in re.findall(r"`([A-Z_]{4,}?)(?:__…)?`", " ".join(cell))
    }
    assert documented == variables_in_code()


# --------------------------------------------------------------------------------------- commands


CALL = re.compile(r"^(\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/)?anabranch ([^|>\n].*)$", re.M)


def command_lines() -> list[tuple[str, str]]:
    """What stands in blocks of the pages and calls `anabranch`, with the page."""
    found = []
    for page in PAGES:
        blocks = re.findall(r"^```(sh|console)[^\n]*\n(.*?)^```", page.read_text(), re.M | re.S)
        for language, text in blocks:
            for prompt, line in CALL.findall(text.replace("\\\n", " ")):
                if prompt or language == "sh":
                    found.append((str(page.relative_to(ROOT)), line))
    return found


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_every_command_of_the_pages_is_there(page, line):
    """Its options too."""
    from anabranch_cli.main import app

    command = typer.main.get_command(app)
    context = command.make_context("anabranch", ["--no-color"], resilient_parsing=True)
    options = options_of(command) | {"--help": True, "-h": True, "--acme": False}
    words = shlex.split(re.split(r"\s#\s|\s\||\s>", line)[0])
    while words:
        word = words.pop(0)
        if word.startswith("-") and word != "-":
            option, equals, _ = word.partition("=")
            assert option in options, f"{page}: anabranch {line}"
            if not options[option] and not equals:
                words.pop(0)
        elif commands := getattr(command, "list_commands", lambda _: ())(context):
            assert word in commands, f"{page}: anabranch {line}"
            command = command.get_command(context, word)
            options |= options_of(command)


def options_of(command) -> dict[str, bool]:
    """The options of a command, and whether each is a flag."""
    return {
        name: bool(getattr(parameter, "is_flag", False) or getattr(parameter, "count", False))
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def test_every_option_that_the_pages_name_is_there():
    """In the midst of a sentence, or in a table."""
    from anabranch_cli.main import app

    def all_options(command) -> set[str]:
        context = command.make_context("anabranch", ["--no-color"], resilient_parsing=True)
        found = set(options_of(command))
        for name in getattr(command, "list_commands", lambda _: ())(context):
            found |= all_options(command.get_command(context, name))
        return found

    known = all_options(typer.main.get_command(app)) | {"--conformance-report"}
    for page in PAGES:
        if page.parent.name == "decisions":
            continue  # they tell of other programs, too
        for option in re.findall(r"`(--[a-z-]+)", page.read_text()):
            assert option in known, f"{page}: {option}"


# ------------------------------------------------------------------------------------------ names


HOOK = re.compile(r"`((?:list|get|create|destroy|start|stop|reboot|rename|resize|set)_[a-z_]+)`")


def test_hooks_and_errors_that_the_pages_name_are_there():
    for page in sorted(ROOT.glob("docs/**/*.md")):
        for name in HOOK.findall(page.read_text()):
            assert hasattr(DriverSpec, name), f"{page}: {name}"
        for name in re.findall(r"errors\.md#(\w+)", page.read_text()):
            assert name in {n.lower() for n in errors.__all__}, f"{page}: {name}"


def test_names_of_the_package_in_the_pages_are_there():
    """`anabranch.x.Y` in backticks, and what programs of the pages import."""
    import importlib

    for page in PAGES:
        text = page.read_text()
        for name in set(re.findall(r"`(anabranch(?:_\w+)?(?:\.\w+)+)`", text)):
            if name in ("anabranch.yaml", "anabranch.drivers", "anabranch.simulators"):
                continue
            module, _, attribute = name.rpartition(".")
            try:
                importlib.import_module(name)
            except ModuleNotFoundError:
                there = importlib.import_module(module)
                assert hasattr(there, attribute), f"{page}: there is no {name}"


def test_links_between_the_pages_of_the_repository_lead_somewhere():
    """Those in docs/ MkDocs checks; these are read where they lie."""
    for page in {*ROOT.glob("*.md"), *READMES}:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page}: {link}"
