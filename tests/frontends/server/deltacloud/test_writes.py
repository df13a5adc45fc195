"""What is made: parameters become specifications, and what is wrong is told before it is sent."""

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from anabranch.hooks import hookimpl
from anabranch.models import InstanceSpec

from .asking import JSON, Serve, mock, parsed

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoR0zWd9bYyYmYyO3E8ZJmV9k5G8h3dQn0nXlYQ4b7T me"


class Recorder:
    """Keeps what the driver is asked to make."""

    def __init__(self) -> None:
        self.specs: list[Any] = []

    @hookimpl(wrapper=True)
    def create_instance(self, spec):
        self.specs.append(spec)
        return (yield)

    @hookimpl(wrapper=True)
    def create_instances(self, spec, count):
        self.specs.append((spec, count))
        return (yield)

    @hookimpl(wrapper=True)
    def create_network_interface(self, spec):
        self.specs.append(spec)
        return (yield)

    @hookimpl(wrapper=True)
    def add_firewall_rule(self, spec):
        self.specs.append(spec)
        return (yield)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def api(serve: Serve, recorder: Recorder) -> httpx.AsyncClient:
    return serve({"lisbon": mock()}, recorder)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def test_an_instance_has_everything_that_deltacloud_names(api, recorder):
    wall = (await api.post("/api/firewalls", params={"name": "web"})).headers["Location"]
    wall = wall.rpartition("/")[2]
    balancer = await api.post(
        "/api/load_balancers",
        params={
            "name": "front",
            "realm_id": "us",
            "listener_protocol": "http",
            "listener_balancer_port": "80",
            "listener_instance_port": "8080",
        },
    )
    assert balancer.status_code == 201
    balancer = balancer.headers["Location"].rpartition("/")[2]
    await api.post("/api/keys", params={"name": "mine"})
    made = await api.post(
        "/api/instances",
        params={
            "image_id": "img1",
            "realm_id": "us",
            "hwp_id": "m1-large",
            "hwp_cpu": "2",
            "hwp_memory": "8192",
            "hwp_storage": "1024",
            "keyname": "mine",
            "name": "foo <&>",
            "user_data": b64(b"#cloud-config\n\xff"),
            "password": "s3cret",
            "metrics": "true",
            "firewalls1": wall,
            "snapshot_id": "snap1",
            "device_name": "/dev/sdb",
            "load_balancer_id": balancer,
            "sandbox": "true",
            "user_iso": b64(b"iso"),
            "path1": "/etc/motd",
            "content1": "hello",
            "path3": "/etc/issue",
            "content3": "there",
            "networks1": "net1",
            "tags1": "role=web=1",
            "client_token": "t-1",
        },
    )
    assert made.status_code == 201, made.text
    (spec,) = recorder.specs
    assert spec.hardware.cpu == 2
    assert spec.hardware.memory_mib == 8192
    assert spec.hardware.storage_gb == 1024
    assert spec.password.get_secret_value() == "s3cret"
    plain = {name: getattr(spec, name) for name in InstanceSpec.__struct_fields__}
    del plain["hardware"], plain["password"]
    assert plain == {
        "image_id": "img1",
        "realm_id": "us",
        "hardware_profile_id": "m1-large",
        "name": "foo <&>",
        "key_id": "mine",
        "user_data": b"#cloud-config\n\xff",
        "user_files": {"/etc/motd": b"hello", "/etc/issue": b"there"},
        "user_iso": b"iso",
        "firewall_ids": (wall,),
        "network_ids": ("net1",),
        "metrics": True,
        "snapshot_id": "snap1",
        "device_name": "/dev/sdb",
        "load_balancer_id": balancer,
        "sandbox": True,
        "tags": {"role": "web=1"},
        "client_token": "t-1",
    }
    assert parsed(made).findtext("name") == "foo <&>"
    shown = await api.get(made.headers["Location"])
    assert parsed(shown).get("id") == parsed(made).get("id")


async def test_form_query_and_json_make_the_same(api, recorder):
    given = {"image_id": "img1", "name": "x", "hwp_id": "m1-small"}
    for sent in (
        {"params": given},
        {"data": given},
        {"json": given},
        {"files": {name: (None, value) for name, value in given.items()}},
    ):
        made = await api.post("/api/instances", **sent)
        assert made.status_code == 201, made.text
    first, *others = recorder.specs
    for other in others:
        assert (other.image_id, other.name) == (first.image_id, first.name)


async def test_links_with_matrix_parameters_can_be_followed(api):
    image = parsed(await api.get("/api/images/img1"))
    (launch,) = image.xpath("actions/link[@rel='create_instance']/@href")
    made = await api.post(launch, params={"name": "of a link"})
    assert made.status_code == 201, made.text
    instance = parsed(made)
    assert instance.find("image").get("id") == "img1"
    (create,) = instance.xpath("actions/link[@rel='create_image']/@href")
    pictured = await api.post(create, params={"name": "mine", "description": "of a link"})
    assert pictured.status_code == 201, pictured.text
    assert parsed(pictured).findtext("name") == "mine"


async def test_several_are_made_at_once(api, recorder):
    made = await api.post("/api/instances", params={"image_id": "img1", "instance_count": "3"})
    assert made.status_code == 201
    document = parsed(made)
    assert document.tag == "instances"
    assert len({instance.get("id") for instance in document}) == 3
    ((spec, count),) = recorder.specs
    assert (spec.image_id, count) == ("img1", 3)


@pytest.mark.parametrize("kind", ["xml", "json"])
async def test_the_password_of_each_of_several_is_told_this_once(api, kind):
    fields = {"image_id": "img1", "instance_count": "2", "password": "Geheim-1234"}
    made = await api.post("/api/instances", params={"format": kind}, data=fields)
    assert made.status_code == 201
    assert made.text.count("Geheim-1234") == 2
    assert "no-store" in made.headers["Cache-Control"]
    later = await api.get("/api/instances", params={"format": kind})
    assert "Geheim-1234" not in later.text


async def test_one_of_several_is_one(api):
    made = await api.post("/api/instances", params={"image_id": "img1", "instance_count": "1"})
    assert parsed(made).tag == "instance"
    assert made.headers["Location"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ["'image_id'", "missing"]),
        ({"image_id": "img1", "user_data": "no base64!"}, ["'user_data'", "base64"]),
        ({"image_id": "img1", "user_data": "YQ"}, ["'user_data'", "base64"]),
        ({"image_id": "img1", "user_iso": "%"}, ["'user_iso'", "base64"]),
        ({"image_id": "img1", "hwp_cpu": "many"}, ["'hwp_cpu'", "'many'", "number"]),
        ({"image_id": "img1", "hwp_cpu": "nan"}, ["'hwp_cpu'", "number"]),
        ({"image_id": "img1", "hwp_memory": "1.5"}, ["'hwp_memory'", "whole number"]),
        ({"image_id": "img1", "hwp_memory": "-1"}, ["'hwp_memory'", "0 or more"]),
        ({"image_id": "img1", "instance_count": "0"}, ["'instance_count'", "1 or more"]),
        ({"image_id": "img1", "path1": "/a"}, ["'path1'", "'content1'"]),
        ({"image_id": "img1", "content2": "a"}, ["'path2'", "'content2'"]),
        (
            {"image_id": "img1", "path1": "/a", "content1": "x", "path2": "/a", "content2": "y"},
            ["same"],
        ),
        ({"image_id": "img1", "tags1": "role"}, ["'tags1'", "NAME=VALUE"]),
        ({"image_id": "img1", "hwp_id": "nope"}, [": hwp_id: there is no", "nope"]),
        (
            {"image_id": "img1", "hwp_id": "m1-large", "hwp_memory": "1"},
            [": hwp_memory: 1 is not possible", "7680 to 15360"],
        ),
    ],
)
async def test_what_is_wrong_is_told_by_its_name(api, recorder, given, told):
    refused = await api.post("/api/instances", data=given, headers=JSON)
    assert refused.status_code == 400, refused.text
    message = refused.json()["message"]
    for part in told:
        assert part in message, message
    if "hwp_id" not in given:
        assert recorder.specs == []


async def test_a_secret_that_is_wrong_is_not_repeated(api):
    refused = await api.post(
        "/api/instances", data={"image_id": "img1", "password": "hunter2", "hwp_cpu": "x"}
    )
    assert refused.status_code == 400
    assert "hunter2" not in refused.text


async def test_unknown_parameters_are_ignored(api):
    made = await api.post("/api/instances", params={"image_id": "img1", "commit": "Create"})
    assert made.status_code == 201


@pytest.mark.parametrize(
    ("parameter", "value", "feature"),
    [
        ("keyname", "k", "authentication_key"),
        ("hwp_memory", "8192", "hardware_profiles"),
        ("firewalls1", "fw", "firewalls"),
        ("path1", "/a", "user_files"),
        ("metrics", "on", "metrics"),
    ],
)
async def test_a_parameter_that_is_not_honoured_is_refused(
    serve, recorder, parameter, value, feature
):
    poor = serve({"lisbon": mock(lacks=[f"create_instance:{feature}"])}, recorder)
    await _probed(poor)
    refused = await poor.post(
        "/api/instances", params={"image_id": "img1", parameter: value}, headers=JSON
    )
    assert refused.status_code == 400, refused.text
    message = refused.json()["message"]
    for part in ("lisbon", "create_instance", repr(parameter), repr(feature)):
        assert part in message, message
    assert recorder.specs == []


async def _probed(api: httpx.AsyncClient) -> None:
    """Let the daemon ask what its clouds lack."""
    await api.get("/api")


async def test_base64_comes_in_lines_and_with_blanks_for_plus(api, recorder):
    data = bytes(range(256)) * 2
    lines = base64.encodebytes(data).decode()
    for text in (lines, b64(data).replace("+", " ")):
        made = await api.post("/api/instances", data={"image_id": "img1", "user_data": text})
        assert made.status_code == 201, made.text
    assert [spec.user_data for spec in recorder.specs] == [data, data]


async def test_a_file_is_taken_as_it_is(api, recorder):
    made = await api.post(
        "/api/instances",
        data={"image_id": "img1", "path1": "/etc/x"},
        files={"user_data": ("init", b"#!\xff"), "content1": ("x", b"\x00\xff")},
    )
    assert made.status_code == 201, made.text
    (spec,) = recorder.specs
    assert spec.user_data == b"#!\xff"
    assert spec.user_files == {"/etc/x": b"\x00\xff"}


CREATES: list[tuple[str, dict[str, str], Callable[[Any], bool]]] = [
    ("keys", {"name": "mine"}, lambda key: key.findtext("name") == "mine"),
    ("keys", {"name": "mine", "public_key": KEY}, lambda key: key.get("id") == "mine"),
    ("addresses", {}, lambda address: address.findtext("ip")),
    ("addresses", {"realm_id": "us"}, lambda address: address.findtext("ip")),
    ("storage_volumes", {}, lambda volume: volume.findtext("capacity") == "1"),
    (
        "storage_volumes",
        {"capacity": "7", "realm_id": "us", "name": "data", "description": "of mine"},
        lambda volume: (volume.findtext("capacity"), volume.findtext("name")) == ("7", "data"),
    ),
    ("storage_volumes", {"snapshot_id": "snap1"}, lambda volume: volume.get("id")),
    (
        "storage_snapshots",
        {"volume_id": "vol1", "name": "before"},
        lambda snap: snap.find("storage_volume").get("id") == "vol1",
    ),
    ("storage_snapshots", {"instance_id": "inst1"}, lambda snap: snap.get("id")),
    ("buckets", {"name": "attic", "location": "eu"}, lambda b: b.findtext("name") == "attic"),
    ("firewalls", {"name": "web", "description": "x"}, lambda w: w.findtext("name") == "web"),
    ("firewalls", {"name": "web"}, lambda wall: wall.findtext("name") == "web"),
    (
        "load_balancers",
        {
            "name": "front",
            "realm_id": "us",
            "listener_protocol": "TCP",
            "listener_balancer_port": "443",
            "listener_instance_port": "8443",
        },
        lambda b: b.findtext("listeners/listener/load_balancer_port") == "443",
    ),
    (
        "networks",
        {"name": "lab", "address_block": "10.9.0.0/16"},
        lambda net: net.findtext("address_blocks/address_block") == "10.9.0.0/16",
    ),
    (
        "subnets",
        {"network_id": "net1", "address_block": "192.168.77.0/24", "name": "s"},
        lambda subnet: subnet.findtext("address_block") == "192.168.77.0/24",
    ),
    ("images", {"instance_id": "inst1", "name": "mine"}, lambda i: i.findtext("name") == "mine"),
    (
        "network_interfaces",
        {"instance": "inst1", "network": "net1"},
        lambda nic: nic.find("instance").get("id") == "inst1",
    ),
]


@pytest.mark.parametrize(("collection", "given", "as_wanted"), CREATES)
async def test_members_are_made_shown_listed_and_destroyed(api, collection, given, as_wanted):
    made = await api.post(f"/api/{collection}", params=given)
    assert made.status_code == 201, made.text
    assert "X-Backend-Runtime" in made.headers
    document = parsed(made)
    assert as_wanted(document), made.text
    member = made.headers["Location"]
    assert member == document.get("href")
    assert (await api.get(member)).status_code == 200
    listed = parsed(await api.get(f"/api/{collection}", params={"id": document.get("id")}))
    assert [one.get("id") for one in listed] == [document.get("id")]
    gone = await api.delete(member)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await api.get(member)).status_code == 404
    assert (await api.delete(member)).status_code == 404


@pytest.mark.parametrize(
    ("collection", "given", "told"),
    [
        ("keys", {}, "'name'"),
        ("storage_volumes", {"capacity": "much"}, "'capacity'"),
        ("storage_volumes", {"capacity": "0"}, "1 or more"),
        ("storage_snapshots", {}, "'volume_id'"),
        ("storage_snapshots", {"volume_id": "vol1", "instance_id": "inst1"}, "not both"),
        (
            "load_balancers",
            {"name": "x", "listener_balancer_port": "1"},
            "parameters 'listener_protocol', 'listener_instance_port' are missing",
        ),
        (
            "load_balancers",
            {
                "name": "x",
                "listener_protocol": "UDP",
                "listener_balancer_port": "1",
                "listener_instance_port": "1",
            },
            "HTTP, TCP",
        ),
        (
            "load_balancers",
            {
                "name": "x",
                "listener_protocol": "TCP",
                "listener_balancer_port": "65536",
                "listener_instance_port": "1",
            },
            "from 1 to 65535",
        ),
        ("networks", {"address_block": "ten"}, "192.0.2.0/24"),
        ("subnets", {"network_id": "net1"}, "'address_block'"),
        ("network_interfaces", {"instance": "inst1"}, "'network'"),
        ("images", {}, "'instance_id'"),
    ],
)
async def test_a_wrong_create_is_told(api, collection, given, told):
    refused = await api.post(f"/api/{collection}", data=given, headers=JSON)
    assert refused.status_code == 400
    assert told in refused.json()["message"]


@pytest.mark.parametrize(
    "given",
    [
        {"network": "net1"},
        {"network": "subnet1"},
        {"subnet": "subnet1"},
        {"network": "net1", "subnet": "subnet1"},
    ],
)
async def test_an_interface_takes_network_or_subnet(api, recorder, given):
    made = await api.post("/api/network_interfaces", params={"instance": "inst1", **given})
    assert made.status_code == 201, made.text
    (spec,) = recorder.specs
    assert spec.network_id == "net1"
    assert spec.subnet_id in (None, "subnet1")


async def test_what_a_cloud_does_not_offer_is_told_before_what_is_missing(serve):
    poor = serve({"lisbon": mock(lacks=["create_firewall"])})
    await _probed(poor)
    refused = await poor.post("/api/firewalls")
    assert refused.status_code == 412
    assert refused.headers["Expect"] == "create_firewall"
