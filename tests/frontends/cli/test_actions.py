"""Operations on one thing, or on several."""

import json
import stat

import pytest


def the(done):
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_show_writes_the_thing_itself(cli):
    found = the(cli("instances", "show", "lisbon/inst0", "-f", "json"))
    assert found["id"] == "inst0"
    assert "state                RUNNING" in cli("instances", "show", "lisbon/inst0").out


def test_several_are_an_array_and_each_failure_is_told(cli):
    done = cli("instances", "stop", "lisbon/inst0", "lisbon/none", "porto/inst0", "-f", "json")
    assert done.code == 1
    assert [(i["cloud"], i["id"]) for i in json.loads(done.out)] == [
        ("lisbon", "inst0"),
        ("porto", "inst0"),
    ]
    assert done.error.startswith("lisbon/none: there is no instance 'none'")


def test_create_with_options_of_all_sorts(cli, folder):
    (folder / "init.sh").write_text("#!/bin/sh\n")
    (folder / "password").write_text("s3cr3t-of-file\n")
    made = the(
        cli(
            *[
                "instances",
                "create",
                "lisbon",
                "--image",
                "img1",
                "--name",
                "mine",
                "--hardware-profile",
                "m1-small",
            ],
            *[
                "--key",
                "lisbon/test-key",
                "--tag",
                "role=web",
                "--tag",
                "a=b=c",
                "--user-data",
                "@init.sh",
            ],
            "--password @password --wait --wait-timeout 5 -f json",
        )
    )
    assert (made["name"], made["state"]) == ("mine", "RUNNING")
    assert made["tags"] == {"role": "web", "a": "b=c"}


def test_create_several(cli):
    done = cli("instances create evora --image img1 --count 3 -f json")
    assert len(the(done)) == 3


def test_numbers_structs_and_lists(cli):
    volume = the(cli("storage-volumes create lisbon --capacity-gb 7 -f json"))
    assert volume["capacity_gb"] == 7
    balancer = the(
        cli(
            *[
                "load-balancers",
                "create",
                "lisbon",
                "--name",
                "lb",
                "--realm",
                "us",
                "--listener",
                "TCP:80:8080",
            ],
            "--listener protocol=HTTP,load_balancer_port=81,instance_port=81 -f json",
        )
    )
    assert [item["load_balancer_port"] for item in balancer["listeners"]] == [80, 81]


def test_wishes_and_ids_of_the_same_cloud(cli):
    attached = the(
        cli(
            *[
                "storage-volumes",
                "attach",
                "lisbon/vol1",
                "lisbon/inst0",
                "--device",
                "/dev/vdz",
                "-f",
                "json",
            ]
        )
    )
    assert (attached["instance_id"], attached["device"]) == ("inst0", "/dev/vdz")
    done = cli("storage-volumes", "attach", "lisbon/vol1", "porto/inst0")
    assert done.code == 2
    assert done.error.startswith("porto/inst0 is not on lisbon")


def test_resize_rename_reboot(cli):
    assert the(cli("instances resize lisbon/inst0 m1-small -f json"))["id"] == "inst0"
    assert the(cli("instances rename lisbon/inst0 other -f json"))["name"] == "other"
    assert the(cli("instances reboot lisbon/inst0 --hard --wait -f json"))


def test_tags_are_added_unless_replaced(cli, folder):
    (folder / "anabranch.yaml").write_text("clouds: {porto: {driver: mock, dataset: generated}}")
    before = the(cli("instances", "show", "porto/inst0", "-f", "json"))["tags"]
    assert before, "the generated instances have tags"
    added = the(cli("instances", "tag", "porto/inst0", "x=y", "-f", "json"))["tags"]
    assert added == {**before, "x": "y"}
    only = the(cli("instances", "tag", "porto/inst0", "x=y", "--replace", "-f", "json"))["tags"]
    assert only == {"x": "y"}
    assert the(cli("instances", "tag", "porto/inst0", "--replace", "-f", "json"))["tags"] == {}


def test_consoles_tell_their_secrets(cli):
    found = the(cli("instances", "console", "lisbon/inst0", "-f", "json"))
    assert found["url"].startswith("https://")
    assert "*" not in found["url"]
    text = cli("instances", "console", "lisbon/inst0", "--kind", "text")
    assert text.code == 0
    assert not text.out.startswith("field")


def test_destroy_refuses_without_a_terminal(program):
    done = program("instances", "destroy", "porto/inst2")
    assert done.code == 2
    assert done.error == "destroy asks first, and there is no terminal to ask on. Add --yes"


def test_destroy_tells_what_was_there(cli):
    done = cli("keys", "destroy", "lisbon/test-key", "lisbon/none", "--yes", "-f", "json")
    assert [item["outcome"] for item in the(done)] == ["destroyed", "was gone already"]


def test_a_state_that_forbids_it(cli):
    done = cli("instances", "destroy", "lisbon/inst0", "--yes")
    assert done.code == 1
    assert done.error.startswith("lisbon/inst0: instance 'inst0' is RUNNING")


class TestKeys:
    def test_the_private_key_goes_to_stdout_alone(self, cli):
        done = cli("keys", "create", "lisbon", "--name", "mine")
        assert done.code == 0
        assert done.out.startswith("-----BEGIN")
        assert done.out.endswith("-----\n")
        assert "shown only once" in done.err

    def test_or_to_a_file_of_ones_own(self, cli, folder):
        done = cli("keys", "create", "lisbon", "--name", "mine", "--output", "k.pem", "-f", "json")
        assert "private_key" not in the(done)
        file = folder / "k.pem"
        assert file.read_text().startswith("-----BEGIN")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_that_must_be_new(self, cli, folder):
        (folder / "k.pem").write_text("precious")
        done = cli("keys", "create", "lisbon", "--name", "mine", "-o", "k.pem")
        assert done.code == 2
        assert "'k.pem' cannot be made: File exists" in done.error
        assert (folder / "k.pem").read_text() == "precious"

    def test_and_goes_again_when_there_is_no_key(self, cli, folder):
        done = cli("keys", "create", "lisbon", "--name", "test-key", "-o", "k.pem")
        assert done.code == 1, "there is one of that name already"
        assert not (folder / "k.pem").exists()

    def test_in_json_it_is_a_field(self, cli):
        made = the(cli("keys", "create", "lisbon", "--name", "mine", "-f", "json"))
        assert made["private_key"].startswith("-----BEGIN")


class TestBlobs:
    def test_get_to_stdout_and_to_a_file(self, program, folder):
        done = program("blobs", "get", "lisbon/bucket1/blob1")
        assert done.code == 0
        assert done.out
        assert program("blobs", "get", "lisbon/bucket1/blob1", "copy").code == 0
        assert (folder / "copy").read_text() == done.out
        assert not (folder / "copy.part").exists()

    @pytest.mark.parametrize("segments", [[], ["--segment-size", "1"]])
    def test_put(self, program, folder, segments):
        (folder / "big").write_bytes(b"0123456789abcdef" * 150_000)
        target = "lisbon/bucket1/folder/big.txt"
        done = program("blobs", "put", "big", target, "--metadata", "a=b", "-f", "json", *segments)
        made = the(done)
        assert made["content_length"] == 2_400_000
        assert made["content_type"] == "text/plain"
        assert made["metadata"] == {"a": "b"}

    def test_put_from_stdin(self, program):
        made = the(program("blobs", "put", "-", "lisbon/bucket1/x", "-f", "json", stdin="hello"))
        assert made["content_length"] == 5

    def test_what_is_not_there(self, program, folder):
        done = program("blobs", "get", "lisbon/bucket1/none", "copy")
        assert done.code == 1
        assert "none" in done.error
        assert not list(folder.glob("copy*"))
        assert program("blobs", "put", "none", "lisbon/bucket1/x").code == 2
        assert program("blobs", "get", "lisbon/bucket1").code == 2
