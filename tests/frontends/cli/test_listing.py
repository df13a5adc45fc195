"""Listings: formats, the envelope, and what is told of clouds that do not answer."""

import csv
import io
import json

import yaml

FAULTY = """
clouds:
  lisbon: {driver: mock}
  faro: {driver: mock, faults: [{kind: unavailable}]}
  beja: {driver: mock, username: eve, password: Tr0ub4dor}
  lagos: {driver: mock, lacks: [list_instances]}
  sines: {driver: mock, faults: [{kind: hang}], timeout: 0.2}
"""


def test_a_table_has_what_people_look_for(cli):
    done = cli("instances", "list")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["cloud", "id", "name", "state", "profile", "public", "private"]
    assert len(lines) == 1 + 4 + 6
    assert lines[1].startswith("lisbon  inst0  Mock Instance")
    assert [line.split()[0] for line in lines[5:]] == ["porto"] * 6


def test_json_and_yaml_are_the_envelope(cli):
    done = cli("instances", "list", "--format", "json")
    answer = json.loads(done.out)
    assert list(answer) == ["complete", "items", "clouds"]
    assert answer["complete"] is True
    assert len(answer["items"]) == 10
    assert [(c["name"], c["status"], c["count"]) for c in answer["clouds"]] == [
        ("lisbon", "ok", 4),
        ("porto", "ok", 6),
        ("evora", "ok", 0),
    ]
    same = yaml.safe_load(cli("instances", "list", "-f", "yaml").out)
    assert same["items"] == answer["items"]


def test_ndjson_streams_items_and_ends_with_the_clouds(cli):
    *items, last = map(json.loads, cli("instances", "list", "-f", "ndjson").out.splitlines())
    assert len(items) == 10
    assert all(item["state"] for item in items)
    assert last["complete"] is True
    assert [cloud["name"] for cloud in last["clouds"]] == ["lisbon", "porto", "evora"]


def test_csv_has_all_fields_or_the_chosen_ones(cli):
    rows = list(csv.DictReader(io.StringIO(cli("instances", "list", "-f", "csv").out)))
    assert len(rows) == 10
    assert json.loads(rows[0]["public_addresses"])[0]["address"] == "img1.inst0.public.com"
    chosen = cli(
        "instances", "list", "-f", "csv", "--columns", "id,hardware.cpu", "--cloud", "lisbon"
    )
    assert chosen.out.splitlines()[:2] == ["id,hardware.cpu", "inst0,1"]
    bare = cli("instances", "list", "-f", "csv", "--columns", "id", "--no-header", "-c", "lisbon")
    assert bare.out.splitlines() == ["inst0", "inst1", "inst2", "inst3"]


def test_sorting(cli):
    out = cli("instances", "list", "--sort", "-name", "--columns", "name", "--no-header").out
    names = [name for name in out.split("\n") if name]
    assert names == sorted(names, reverse=True)
    assert cli("instances", "list", "--sort", "hardware.cpu", "-f", "json").code == 0


def test_filter_cloud_and_driver(cli):
    done = cli("instances", "list", "--filter", "state=stopped,name~prod", "-f", "json")
    items = json.loads(done.out)["items"]
    assert items
    assert all(i["state"] == "STOPPED" and "prod" in i["name"] for i in items)
    done = cli("instances", "list", "--driver", "mock", "--cloud", "evora", "-f", "json")
    assert [cloud["name"] for cloud in json.loads(done.out)["clouds"]] == ["evora"]


def test_extra_fields_are_asked_for(cli):
    assert '"extra"' not in cli("instances", "list", "-f", "json").out
    assert '"extra"' in cli("instances", "list", "-f", "json", "--extra").out


def test_no_items_is_said_on_stderr(cli):
    done = cli("instances", "list", "--filter", "name=nobody")
    assert (done.code, done.out) == (0, "")
    assert "no instances that pass the filter on lisbon, porto, evora" in done.err


def test_what_failed_is_told_and_the_rest_written(cli, folder):
    (folder / "anabranch.yaml").write_text(FAULTY)
    done = cli("instances", "list")
    assert done.code == 3
    assert len(done.out.splitlines()) == 5
    told = dict(line.split(": ", 2)[1:] for line in done.err.splitlines() if line.count(": ") > 1)
    assert told["faro"].startswith("down for maintenance")
    assert "beja" in told
    assert "0.2 s" in told["sines"]
    assert "list_instances is not offered by: lagos" in done.err
    assert "1 of 4 clouds answered in full" in done.err
    assert "Tr0ub4dor" not in done.err


def test_the_envelope_tells_what_failed(cli, folder):
    (folder / "anabranch.yaml").write_text(FAULTY)
    for arguments in (["-f", "json"], ["-f", "ndjson"]):
        done = cli("instances", "list", *arguments)
        assert done.code == 3
        answer = json.loads(done.out if arguments[1] == "json" else done.out.splitlines()[-1])
        assert answer["complete"] is False
        status = {cloud["name"]: cloud["status"] for cloud in answer["clouds"]}
        assert status == {
            "lisbon": "ok",
            "faro": "failed",
            "beja": "failed",
            "lagos": "skipped",
            "sines": "failed",
        }
        errors = {cloud["name"]: cloud["error"] for cloud in answer["clouds"]}
        assert errors["lisbon"] is None
        assert errors["beja"]["type"] == "AuthenticationError"


def test_policies(cli, folder):
    (folder / "anabranch.yaml").write_text(FAULTY)
    for policy, code in (("any", 3), ("1", 3), ("2", 4), ("all", 4)):
        done = cli("instances", "list", "--require", policy)
        assert done.code == code, policy
        assert len(done.out.splitlines()) == 5, "what came is written all the same"
    assert (
        "1 of 4 clouds answered in full, 2 are required"
        in cli("instances", "list", "--require", "2").err
    )
    (folder / "anabranch.yaml").write_text(FAULTY + "require: all\n")
    assert cli("instances", "list").code == 4
    assert cli("instances", "list", "--cloud", "lisbon").code == 0


def test_a_listing_cut_short_says_so(cli, folder):
    (folder / "anabranch.yaml").write_text(
        "clouds: {porto: {driver: mock, dataset: generated, instances: 9, page_size: 3, "
        "latency: 0.15, timeout: 0.4}}"
    )
    done = cli("instances", "list", "--require", "0")
    assert done.code == 3
    assert 0 < len(done.out.splitlines()) - 1 < 9
    assert "porto: cut short after " in done.err


def test_an_operation_that_no_cloud_offers_fails(cli, folder):
    (folder / "anabranch.yaml").write_text(FAULTY)
    done = cli("instances", "list", "--cloud", "lagos")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("anabranch: lagos: ")


def test_terminals_obey_nobody(cli, folder):
    (folder / "anabranch.yaml").write_text(
        "clouds: {odd: {driver: mock, dataset: empty, odd_data: true}}"
    )
    done = cli("instances", "list")
    assert "\x1b" not in done.out + done.err
    assert "\x1b" not in cli("instances", "list", "-f", "json").out


def test_blobs_of_a_bucket(cli):
    done = cli("blobs", "list", "lisbon/bucket1", "-f", "json")
    assert [blob["id"] for blob in json.loads(done.out)["items"]] == ["blob1", "blob2", "blob3"]


def test_every_collection_can_be_listed(cli):
    from anabranch_cli.groups import COLLECTIONS

    for collection in COLLECTIONS:
        arguments = ["lisbon/bucket1"] if collection == "blobs" else []
        for format in ("table", "csv", "json"):
            done = cli(collection, "list", *arguments, "-f", format)
            assert done.code in (0, 3), (collection, done.err)
            assert done.out or "no " in done.err
