"""Settings, and what the cloud says of itself."""

from pathlib import Path

import msgspec
import pytest

from anabranch.errors import AuthenticationError, ConfigurationError
from anabranch.features import Feature
from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings
from anabranch_mock.settings import Dataset, FaultKind


def test_the_driver_alone_is_enough(driver):
    settings = driver.configure("here", {"driver": "mock"}, {})
    assert (settings.username, settings.dataset, settings.page_size) == (
        "mockuser",
        "deltacloud",
        100,
    )
    assert settings.password == SecretStr("mockpassword")
    assert "mockpassword" not in repr(settings)


def test_every_setting_is_described(driver):
    info = msgspec.inspect.type_info(driver.settings_type)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        assert isinstance(field.type, msgspec.inspect.Metadata), field.name
        assert field.type.extra_json_schema is not None, field.name
        assert field.type.extra_json_schema["description"], field.name


@pytest.mark.parametrize(
    ("entry", "field", "says"),
    [
        ({"usrname": "x"}, "usrname", "Did you mean 'username'"),
        ({"latency": -1}, "latency", ">= 0"),
        ({"page_size": 0}, "page_size", ">= 1"),
        ({"dataset": "huge"}, "dataset", "huge"),
        ({"instances": 100_001}, "instances", "<= 100000"),
        ({"delays": {"pendng": 1}}, "delays.pendng", "Did you mean 'pending'"),
        ({"quotas": {"instances": -1}}, "quotas.instances", ">= 0"),
        ({"faults": [{"kind": "quake"}]}, "faults[0].kind", "quake"),
        ({"faults": [{"kind": "hang", "times": 0}]}, "faults[0].times", ">= 1"),
        (
            {"faults": [{"kind": "hang"}, {"kind": "hang", "operations": ["list_instance"]}]},
            "faults[1].operations",
            "Did you mean 'list_instances'",
        ),
        ({"lacks": ["list_imags"]}, "lacks", "Did you mean 'list_images'"),
        (
            {"lacks": ["create_instance:user_dat"]},
            "lacks",
            "Did you mean 'create_instance:user_data'",
        ),
    ],
)
def test_mistakes_are_named(entry, field, says, driver):
    with pytest.raises(ConfigurationError) as caught:
        driver.configure("here", {"driver": "mock", **entry}, {})
    assert (caught.value.cloud, caught.value.field) == ("here", field)
    assert says in str(caught.value)


async def test_check(driver, cloud, make_cloud):
    identity = await driver.check(cloud)
    assert (identity.account, identity.endpoint) == ("mockuser", "memory:mock1")
    with pytest.raises(AuthenticationError, match=r"'mockuser' is wrong.*defaults"):
        await driver.check(make_cloud(password="guess"))


async def test_probe(driver, cloud, make_cloud):
    nothing = await driver.probe(cloud)
    assert not nothing.operations
    assert not nothing.features
    lacks = await driver.probe(
        make_cloud(lacks=["list_metrics", "create_instance:user_data", "get_metric"])
    )
    assert set(lacks.operations) == {"list_metrics", "get_metric"}
    assert set(lacks.features) == {("create_instance", Feature.USER_DATA)}


def test_the_readme_tells_of_every_setting(driver):
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    known = {field.name for field in msgspec.structs.fields(CloudSettings)}
    names = {field.name for field in msgspec.structs.fields(driver.settings_type)} - known
    for part in ("delays", "quotas"):
        value = getattr(driver.configure("here", {"driver": "mock"}, {}), part)
        names |= {field.name for field in msgspec.structs.fields(type(value))}
    names |= set(FaultKind) | set(Dataset)
    assert not [name for name in names if f"`{name}`" not in readme]
