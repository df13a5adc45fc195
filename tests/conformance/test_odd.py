"""Machines with odd data come back whole in every format of the command line."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml

from anabranch.testing.fleet import simulated_kinds

KINDS = simulated_kinds()
PLAIN = 2


@pytest.fixture(params=KINDS)
def fleet(request, simulated_fleet):
    return simulated_fleet(**{request.param: 1}, instances=PLAIN, odd=True)


def test_each_format_of_the_command_line_has_them_whole(fleet, tmp_path, capsys, blockbuster):
    blockbuster.deactivate()
    from anabranch_cli.main import invoke

    file = tmp_path / "anabranch.yaml"
    file.write_text(yaml.safe_dump(fleet.document()))

    def listed(format: str) -> str:
        # Required is nothing: one without an id (a name, at PACI) makes its cloud partial.
        line = ["instances", "list", "-f", format, "--timeout", "30", "--require", "0"]
        code = invoke(["--config", str(file), *line])
        assert code in (0, 3), format
        return capsys.readouterr().out

    document = json.loads(listed("json"))
    names = {item["id"]: item["name"] for item in document["items"]}
    assert len(names) > PLAIN
    assert {i["id"]: i["name"] for i in yaml.safe_load(listed("yaml"))["items"]} == names
    lines = [json.loads(line) for line in listed("ndjson").splitlines()]
    assert {line["id"]: line["name"] for line in lines[:-1]} == names
    rows = list(csv.DictReader(io.StringIO(listed("csv"))))
    assert {row["id"] for row in rows} == set(names)
    assert len(listed("table").splitlines()) == len(names) + 1, "a line for each, and no more"
    blockbuster.activate()
