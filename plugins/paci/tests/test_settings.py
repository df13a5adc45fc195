"""Settings, and what is wrong with them."""

import msgspec
import pytest

from anabranch.cloud import Cloud
from anabranch.errors import ConfigurationError, InvalidRequest, NotFound
from anabranch.models import Hardware
from anabranch_paci import driver
from anabranch_paci.client import session
from anabranch_paci.hardware_profiles import profile_of, sizes
from anabranch_paci.settings import PaciSettings, ProfileSettings

ENTRY = {"driver": "paci", "endpoint": "http://h:4465", "username": "demo", "password": "hush"}
RANGE = {"value": 1, "first": 1, "last": 4}


def configure(**entry):
    return driver.configure("lisbon", {**ENTRY, **entry}, {})


def profile(**fields):
    return {"name": "one", "cpu": 1, "memory_mib": 512, "storage_gb": 10, **fields}


@pytest.mark.parametrize("kind", [PaciSettings, ProfileSettings])
def test_every_setting_is_described(kind):
    schema = msgspec.json.schema(kind, schema_hook=lambda _: {"type": "string"})
    for name, field in schema["$defs"][kind.__name__]["properties"].items():
        assert field.get("description"), name


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("http://h:4465", "http://h:4465/paci/v1.0"),
        ("http://h:4465/", "http://h:4465/paci/v1.0"),
        ("https://h/paci/v1.0", "https://h/paci/v1.0"),
        ("https://h/paci/v1.0/", "https://h/paci/v1.0"),
        ("https://h/other/v2", "https://h/other/v2"),
        ("HTTPS://h", "HTTPS://h/paci/v1.0"),
    ],
)
async def test_endpoints(given, asked):
    cloud = Cloud("lisbon", configure(endpoint=given))
    assert session(cloud).endpoint == asked


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"endpoint": "ftp://h"}, "endpoint"),
        ({"endpoint": "h:4465"}, "endpoint"),
        ({"endpoint": "http://"}, "endpoint"),
        ({"endpoint": "http://[::1"}, "endpoint"),
        ({"endpoint": "http://h:99999"}, "endpoint"),
        ({"endpoint": "http://h/?x=1"}, "endpoint"),
        ({"endpoint": "http://demo:hush@h"}, "endpoint"),
        ({"username": "a:b"}, "username"),
        ({"subscription": ""}, "subscription"),
        ({"page_size": 0}, "page_size"),
        ({"detail_concurrency": 65}, "detail_concurrency"),
        ({"hardware_profiles": []}, "hardware_profiles"),
        ({"hardware_profiles": [profile(), profile()]}, "hardware_profiles[1].name"),
        ({"hardware_profiles": [profile(cpu=0)]}, "hardware_profiles[0].cpu"),
        (
            {"hardware_profiles": [profile(cpu={**RANGE, "value": 8})]},
            "hardware_profiles[0].cpu",
        ),
        ({"user": "demo"}, "user"),
    ],
)
def test_what_is_wrong_is_named(entry, field):
    with pytest.raises(ConfigurationError) as raised:
        configure(**entry)
    assert raised.value.field == field
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("field", ["endpoint", "username", "password"])
def test_what_is_needed(field):
    with pytest.raises(ConfigurationError, match="is required"):
        driver.configure("lisbon", {k: v for k, v in ENTRY.items() if k != field}, {})


def test_secrets_are_not_shown():
    assert "hush" not in repr(configure())


async def test_profiles_are_those_of_the_settings():
    sold = Cloud("lisbon", configure())
    page = await driver.list_hardware_profiles(sold, None)
    assert [(p.cpu.value, p.memory_mib.value, p.storage_gb.value) for p in page.items] == [
        (1, 512, 10),
        (1, 1024, 50),
        (2, 2048, 100),
        (2, 4096, 250),
        (2, 8192, 500),
        (4, 16384, 1000),
    ]
    assert {p.cpu.kind for p in page.items} == {"range"}
    assert page.items[0].memory_mib.allows(16384)
    assert not page.items[0].memory_mib.allows(16385)
    ours = Cloud("lisbon", configure(hardware_profiles=[profile(cpu=RANGE)]))
    (one,) = (await driver.list_hardware_profiles(ours, None)).items
    assert (one.id, one.cpu.kind, one.memory_mib.kind) == ("one", "range", "fixed")
    assert await driver.get_hardware_profile(ours, "one") == one
    with pytest.raises(NotFound, match="Known: one"):
        await driver.get_hardware_profile(ours, "two")


async def test_sizes_that_are_chosen():
    cloud = Cloud("lisbon", configure(hardware_profiles=[profile(cpu=RANGE)]))
    one = profile_of(cloud, "one")
    assert sizes(one) == (1, 512, 10)
    assert sizes(one, Hardware(cpu=3.0, memory_mib=512)) == (3, 512, 10)
    for wrong in (
        Hardware(cpu=5),
        Hardware(cpu=1.5),
        Hardware(cpu=float("nan")),
        Hardware(cpu=float("inf")),
        Hardware(memory_mib=1024),
        Hardware(architecture="x86_64"),
    ):
        with pytest.raises(InvalidRequest):
            sizes(one, wrong)


async def test_the_smallest_profile_is_the_default():
    large, small = profile(name="large", memory_mib=1024), profile(name="small")
    cloud = Cloud("lisbon", configure(hardware_profiles=[large, small]))
    assert profile_of(cloud, None).name == "small"
