"""Machines with odd data are listed and come back whole, by Python and by the command line."""

from __future__ import annotations

import csv
import io
import json

import anyio.to_thread
import pytest
import yaml

from anabranch import Broker, to_builtins
from anabranch.models import Instance
from anabranch.testing.fleet import simulated_kinds

KINDS = simulated_kinds()
PLAIN = 2


@pytest.fixture(params=KINDS)
def fleet(request, simulated_fleet):
    return simulated_fleet(**{request.param: 1}, instances=PLAIN, odd=True)


async def test_each_is_listed_and_found_again(fleet):
    async with await anyio.to_thread.run_sync(Broker, fleet.configuration(timeout=30)) as broker:
        answer = await broker.instances.list()
        (report,) = answer.clouds
        assert report.error is None
        items = list(answer)
        assert len({item.id for item in items}) == len(items) > PLAIN
        for item in items:
            again = await broker.instances.get(item.qualified_id)
            assert (again.id, again.name, again.state) == (item.id, item.name, item.state)
            assert isinstance(again, Instance)
            json.dumps(to_builtins(again, extra=True))
    names = " ".join(item.name for item in items)
    for odd in ("<script>", "&", '"', "'"):
        assert odd in names
    assert not names.isascii()
    assert max(len(item.name) for item in items) > 100
    assert any(item.state == "UNKNOWN" for item in items)
    assert any(not item.public_addresses and not item.private_addresses for item in items)


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
