"""The filter language."""

from datetime import UTC, datetime

import pytest

from anabranch import ConfigurationError, InstanceState, parse_filter
from anabranch.models import (
    Extra,
    Hardware,
    HardwareProfile,
    HardwareProperty,
    Image,
    Instance,
    NetworkAddress,
    Quota,
    StorageVolume,
    StorageVolumeState,
)

WEB = Instance(
    cloud="lisbon",
    id="i-1",
    name="web-1",
    state=InstanceState.RUNNING,
    hardware=Hardware(cpu=2, memory_mib=4096),
    public_addresses=(NetworkAddress("192.0.2.1"), NetworkAddress("192.0.2.2", port=80)),
    firewall_ids=("default", "web"),
    created_at=datetime(2026, 11, 1, tzinfo=UTC),
    tags={"role": "web", "team": "a, b"},
    extra=Extra(b'{"OS-EXT:host": "n1", "deep": {"er": [1, 2]}}'),
)
BARE = Instance(cloud="porto", id="i-2", state=InstanceState.STOPPED)


def passes(text: str, item: Instance) -> bool:
    found = parse_filter(text, Instance)
    plain = all(str(getattr(item, field)) == value for field, value in found.where.items())
    return plain and found.keep(item)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "state=RUNNING",
        "state=running",
        "state!=stopped",
        "name=web-1",
        "name~^web",
        "name!~^db",
        "hardware.cpu>=2",
        "hardware.cpu=2.0",
        "hardware.memory_mib<5000,hardware.memory_mib>4095",
        "hardware.cpu<=2",
        "public_addresses.address=192.0.2.2",
        "public_addresses.port>=80",
        "public_addresses.kind=IPV4",
        "firewall_ids=web",
        "firewall_ids!=db",
        "tags.role=web",
        'tags.team="a, b",name=web-1',
        "busy=false",
        "busy=no",
        "created_at>2026-10-31",
        "created_at<=2026-11-01T00:00:00Z",
        "created_at~^2026-11",
        "image_id=",
        "key_id!=mine",
        " state = running , name ~ web ",
        "cloud=lisbon",
        "name>v",
        "extra.deep.er=2",
    ],
)
def test_what_passes(text):
    assert passes(text, WEB)


@pytest.mark.parametrize(
    "text",
    [
        "state=STOPPED",
        "name=web",
        "name!=web-1",
        "name!~web",
        "hardware.cpu>2",
        "firewall_ids!=web",
        "public_addresses.address!=192.0.2.1",
        "public_addresses.port>80",
        "busy=true",
        "state=RUNNING,name~^db",
        "created_at<2026-11-01",
        "tags.role=",
        "extra.deep=1",
        "extra.none>1",
    ],
)
def test_what_does_not(text):
    assert not passes(text, WEB)


@pytest.mark.parametrize(
    "text",
    ["hardware.cpu=", "public_addresses.address=", "tags.role=", "name=", "tags.role!=db"],
)
def test_nothing_told_is_empty(text):
    assert passes(text, BARE)


@pytest.mark.parametrize(
    "text", ["hardware.cpu>0", "name~.", "created_at>2000-01-01", "image_id~."]
)
def test_nothing_told_satisfies_no_comparison(text):
    assert not passes(text, BARE)


def test_a_property_is_compared_by_its_value():
    profile = HardwareProfile(cloud="x", id="m", cpu=HardwareProperty(value=4, first=1, last=8))
    assert parse_filter("cpu>=4,cpu.last=8", HardwareProfile).keep(profile)
    assert not parse_filter("cpu>4", HardwareProfile).keep(profile)


def test_states_are_known_by_their_values():
    volume = StorageVolume(cloud="x", id="v", state=StorageVolumeState.IN_USE)
    found = parse_filter("state=in-use", StorageVolume)
    assert found.where == {"state": "IN-USE"}
    assert found.keep(volume)


def test_plain_equality_is_pushed_down_and_nothing_else():
    found = parse_filter("owner_id=me,architecture=x86_64,size_bytes=1,tags.a=b,name~x", Image)
    assert found.where == {"owner_id": "me", "architecture": "x86_64"}
    twice = parse_filter("name=a,name=b", Image)
    assert twice.where == {"name": "a"}
    assert not twice.keep(Image(cloud="x", id="i", name="a"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stat=RUNNING", "there is no field 'stat'. Did you mean 'state'?"),
        ("hardware.cpus=2", "there is no field 'hardware.cpus'. Did you mean 'cpu'?"),
        ("hardware=2", "'hardware' has several fields. Choose one: hardware.cpu, "),
        ("tags=web", "'tags' has several fields. Choose one: tags.NAME"),
        ("name.first=web", "'name' has no fields, and no 'first'"),
        ("state=RUNING", "'state' is never 'RUNING'. Did you mean 'RUNNING'?"),
        ("state!=up", "'state' is never 'up'"),
        ("state>RUNNING", "'state' is neither more nor less than anything"),
        ("busy=maybe", "'maybe' is neither true nor false"),
        ("hardware.cpu>=two", "'two' is no number"),
        ("hardware.cpu=two", "'two' is no number"),
        ("created_at>yesterday", "'yesterday' is no time. Write it like 2026-11-30"),
        ("name~(", "'(' is no regular expression"),
        ("name", "cannot read 'name'. Write FIELD OPERATOR VALUE"),
        ("name=a,,", "cannot read ','"),
        ("=RUNNING", "cannot read '=RUNNING'"),
    ],
)
def test_what_is_wrong_is_told(text, says):
    with pytest.raises(ConfigurationError) as caught:
        parse_filter(text, Instance)
    assert str(caught.value).startswith("field 'filter': ")
    assert says in str(caught.value)


def test_what_is_not_limited_is_empty():
    quota = Quota(cloud="x", id="instances", limit=None)
    assert parse_filter("limit=", Quota).keep(quota)
