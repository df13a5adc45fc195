import json
from datetime import UTC, datetime

import msgspec
import pytest

from anabranch.models import ImageState, NetworkAddress, NetworkAddressKind, RealmState, to_builtins
from anabranch.reading import Reader
from anabranch.states import InstanceState
from anabranch_openstack import convert, wire
from anabranch_openstack.reading import listing

SERVER = Reader(wire.Server)


def instances(*servers):
    raws = [msgspec.Raw(json.dumps(s).encode()) for s in servers]
    return SERVER.read_all(raws, lambda server, raw: convert.instance("lisbon", server, raw))


def test_a_running_server(captured):
    body = captured("nova show 2.1").body["server"]
    (found,), problems = instances(body)
    assert not problems
    assert found.qualified_id == ("lisbon", body["id"])
    assert (found.name, found.state, found.platform_state) == ("web-1", "RUNNING", "ACTIVE")
    assert not found.busy
    assert found.hardware_profile_id == "93d9d2bc-c1ab-4ef2-8679-acae41870576"
    assert found.image_id == "98e8ad78-3033-4fa4-ab52-c48c4834c895"
    assert found.realm_id == "az-b"
    assert found.key_id == "demo-key"
    assert found.owner_id == "13a3159d257544c88cfa8a4e40043752"
    assert found.private_addresses == (NetworkAddress("10.10.3.194"),)
    assert found.public_addresses == ()
    assert found.created_at == datetime(2026, 11, 22, 15, 21, 13, tzinfo=UTC)
    assert found.launched_at == datetime(2026, 11, 22, 15, 21, 16, tzinfo=UTC)
    assert found.tags == {"owner": "broker", "oslab_spawn_seconds": "2"}
    assert found.extra["security_groups"] == [{"name": "web"}]
    assert "metadata" not in found.extra


def test_a_server_at_a_new_microversion_has_no_flavor_id(captured):
    (found,), problems = instances(captured("nova show latest").body["server"])
    assert (found.hardware_profile_id, problems) == (None, [])


def test_a_server_being_made(captured):
    (found,), _ = instances(captured("nova show building").body["server"])
    assert (found.state, found.platform_state) == ("PENDING", "BUILD/scheduling")
    assert found.busy
    assert found.launched_at is None


def test_a_server_being_resized(captured):
    (found,), _ = instances(captured("nova during resize").body["server"])
    assert (found.state, found.platform_state) == ("PENDING", "RESIZE/resize_prep")


def test_a_server_that_failed_tells_why(captured):
    (found,), _ = instances(captured("nova error server").body["server"])
    assert found.state == "ERROR"
    assert found.fault.startswith("Exceeded maximum number of retries.")
    assert found.realm_id is None


def test_floating_addresses_are_public():
    addresses = {
        "private": [
            {"version": 4, "addr": "10.0.0.4", "OS-EXT-IPS:type": "fixed"},
            {"version": 6, "addr": "fd00::4", "OS-EXT-IPS:type": "fixed"},
            {"version": 4, "addr": "203.0.113.9", "OS-EXT-IPS:type": "floating"},
        ]
    }
    (found,), _ = instances({"id": "1", "addresses": addresses, "accessIPv4": "203.0.113.9"})
    assert [a.address for a in found.public_addresses] == ["203.0.113.9"]
    assert found.private_addresses == (
        NetworkAddress("10.0.0.4"),
        NetworkAddress("fd00::4", NetworkAddressKind.IPV6),
    )


def test_the_access_address_is_public():
    (found,), _ = instances({"id": "1", "accessIPv4": "203.0.113.9", "accessIPv6": ""})
    assert [a.address for a in found.public_addresses] == ["203.0.113.9"]


def test_a_server_booted_from_a_volume_has_no_image():
    (found,), problems = instances(
        {"id": "1", "image": "", "os-extended-volumes:volumes_attached": [{"id": "vol"}]}
    )
    assert (found.image_id, problems) == (None, [])
    assert [v.storage_volume_id for v in found.storage_volumes] == ["vol"]


def test_our_own_metadata_are_no_tags():
    (found,), _ = instances({"id": "1", "metadata": {"anabranch:client_token": "t", "team": "a"}})
    assert (found.client_token, found.tags) == ("t", {"team": "a"})


@pytest.mark.parametrize(
    ("odd", "id_"),
    [
        ({"id": "1", "created": "yesterday"}, "1"),
        ({"id": "1", "addresses": [1, 2]}, "1"),
        ({"id": "1", "metadata": {"a": 3}}, "1"),
        ({"id": "1", "status": None}, "1"),
        ({"name": "no id"}, "no id"),
        ("no object", ""),
        (None, ""),
    ],
)
def test_an_odd_server_spoils_no_list(odd, id_):
    items, problems = instances({"id": "0"}, odd, {"id": "2"})
    assert [i.id for i in items if i.id != "1"] == ["0", "2"]
    assert [p.id for p in problems] == [id_]


def test_an_odd_server_is_shown_with_what_can_be_read():
    (found,), (problem,) = instances({"id": "1", "name": "web", "created": "?", "status": "ACTIVE"})
    assert (found.name, found.state, found.created_at) == ("web", "RUNNING", None)
    assert problem.message == "a server with odd created"


def test_a_record_of_a_cell_that_is_down():
    (found,), problems = instances({"id": "1", "status": "UNKNOWN", "links": []})
    assert (found.state, found.name, problems) == (InstanceState.UNKNOWN, "", [])


def test_secrets_are_not_in_extra():
    (found,), _ = instances(
        {"id": "1", "adminPass": "hush", "OS-EXT-SRV-ATTR:user_data": "aHVzaA==", "colour": "red"}
    )
    assert dict(found.extra) == {"colour": "red"}
    assert "hush" not in repr(found)
    assert "hush" not in str(to_builtins(found, extra=True))


def test_flavors(captured):
    page = captured("nova flavors page")
    raw = page.raw("flavors", 0)
    flavor = Reader(wire.Flavor).read(raw)
    found = convert.hardware_profile("lisbon", flavor, raw)
    assert found.name == "m1.large"
    assert {n: p.value for n, p in found.properties.items()} == {
        "cpu": 4,
        "memory_mib": 8192,
        "storage_gb": 80,
    }
    assert {p.kind for p in found.properties.values()} == {"fixed"}
    assert found.extra["extra_specs"]["hw:cpu_policy"] == "shared"


def test_images(captured):
    page = captured("glance page")
    raw = page.raw("images", 0)
    found = convert.image("lisbon", Reader(wire.Image).read(raw, page.reply), raw)
    assert (found.name, found.state, found.public) == ("debian-12-lab", "AVAILABLE", True)
    assert (found.size_bytes, found.min_memory_mib, found.min_storage_gb) == (2097152, 64, 1)
    assert found.extra["os_distro"] == "debian"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", "PENDING"),
        ("killed", "ERROR"),
        ("deactivated", "UNAVAILABLE"),
        ("new", "UNKNOWN"),
    ],
)
def test_image_states(status, state):
    raw = msgspec.Raw(json.dumps({"id": "1", "status": status}).encode())
    found = convert.image("lisbon", msgspec.json.decode(raw, type=wire.Image), raw)
    assert (found.state, found.platform_state) == (ImageState(state), status)


@pytest.mark.parametrize("names", ['["team","gone"]', "no json", "3"])
def test_image_tags(names):
    document = {"id": "1", "tags": ["gold"], "team": "a", "anabranch_tags": names}
    raw = msgspec.Raw(json.dumps(document).encode())
    found = convert.image("lisbon", msgspec.json.decode(raw, type=wire.Image), raw)
    assert found.tags == ({"gold": "", "team": "a"} if names[0] == "[" else {"gold": ""})


def test_realms(captured):
    page = captured("nova az")
    raw = page.raw("availabilityZoneInfo", 0)
    zone = Reader(wire.AvailabilityZone).read(raw, page.reply)
    found = convert.realm("lisbon", zone, raw, "RegionOne")
    assert (found.id, found.name, found.region) == ("az-a", "az-a", "RegionOne")
    closed = wire.AvailabilityZone("az-c", wire.ZoneState(available=False))
    assert convert.realm("lisbon", closed, raw, None).state == RealmState.UNAVAILABLE


def test_keys(captured):
    page = captured("nova keypairs")
    raw = page.raw("keypairs", 0)
    found = convert.listed_key("lisbon", Reader(wire.KeypairItem).read(raw, page.reply), raw)
    assert (found.id, found.name, found.private_key) == ("demo-key", "demo-key", None)
    assert found.public_key.startswith("ssh-ed25519 ")
    assert dict(found.extra) == {"type": "ssh"}


def test_a_generated_key_hides_its_private_half():
    raw = msgspec.Raw(b'{"name":"k","private_key":"-----BEGIN","user_id":"u"}')
    found = convert.key("lisbon", msgspec.json.decode(raw, type=wire.Keypair), raw)
    assert found.private_key.get_secret_value() == "-----BEGIN"
    assert "BEGIN" not in repr(found)
    assert dict(found.extra) == {"user_id": "u"}


def test_quotas(captured):
    absolute = captured("nova limits").body["limits"]["absolute"]
    found = {q.id: q for q in convert.quotas("lisbon", {**absolute, "maxTotalCores": -1})}
    assert (found["instances"].limit, found["instances"].used) == (500, 100)
    assert found["cpu"].limit is None
    assert found["memory"].unit == "MiB"


def test_the_marker_of_a_link_is_used_and_nothing_else(captured):
    page = listing("flavors").decode(captured("nova flavors page").reply.content)
    assert page.marker == "93d9d2bc-c1ab-4ef2-8679-acae41870576"
    assert page.cursor == (
        "93d9d2bc-c1ab-4ef2-8679-acae41870576,41fe5bf1-e5cc-4435-a6dd-40412c0b154d"
    )
    glance = listing("images").decode(captured("glance page").reply.content)
    assert glance.cursor == "c8425c4d-0a41-46b6-b7bf-c1a5457f4f4e"
    assert listing("servers").decode(b'{"servers":[]}').cursor is None


def test_a_link_without_a_marker_means_the_last_id():
    document = b'{"s":[{"id":"1"},{"id":"2"}],"s_links":[{"rel":"next","href":"http://x/y?p=2"}]}'
    assert listing("s").decode(document).cursor == "2,1"
