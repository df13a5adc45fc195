"""Every operation has its command, every command its help and its place in the reference."""

import importlib.util
from pathlib import Path

import pytest

from anabranch import OPERATIONS
from anabranch_cli.actions import REACHED_OTHERWISE, names_of
from anabranch_cli.columns import columns_of
from anabranch_cli.groups import COLLECTIONS, EXTENSIONS, MODULES

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts/cli_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_groups_are_the_collections():
    assert {name.replace("-", "_") for name in COLLECTIONS} == {
        op.collection for op in OPERATIONS.values()
    }


def test_every_operation_is_reached():
    from anabranch_cli import actions

    reached = set(REACHED_OTHERWISE)
    for collection in COLLECTIONS:
        reached |= {op.name for op in actions._operations(collection.replace("-", "_")).values()}
    assert reached == set(OPERATIONS)


def test_what_is_reached_otherwise_is_there():
    for way in REACHED_OTHERWISE.values():
        collection, command, *_ = way.replace(",", "").split()
        assert command in names_of(collection)


def test_commands_pass_everything_on_to_a_method_of_the_facade():
    """Making a command fails if the façade's method and the hook do not agree."""
    from anabranch_cli.actions import action_command

    for collection in COLLECTIONS:
        for name in names_of(collection.replace("-", "_")):
            if name != "list":
                assert action_command(collection.replace("-", "_"), name)


def test_every_column_is_a_field():
    for name, operation in OPERATIONS.items():
        if operation.lists:
            fields = operation.model().__struct_fields__
            for column in columns_of(operation.collection):
                assert column.path in fields, name


def test_every_command_has_help(reference, blockbuster):
    blockbuster.deactivate()
    paths = list(reference.commands())
    assert len(paths) > 90
    assert {path[0] for path in paths if path} == {*COLLECTIONS, *MODULES, *EXTENSIONS}
    for path in paths:
        usage, text, *rest = reference.help_of(path).split("\n\n")
        assert usage.startswith(f"Usage: {' '.join(('anabranch', *path))}")
        assert text.startswith("  "), path
        assert any(part.startswith("Options:") for part in rest), path


def test_the_reference_is_that_of_the_commands(reference, blockbuster, monkeypatch):
    blockbuster.deactivate()
    monkeypatch.setenv("COLUMNS", "100")
    text = (ROOT / "docs/reference/cli.md").read_text()
    assert text == reference.page(), "run .venv/bin/python scripts/cli_reference.py"
