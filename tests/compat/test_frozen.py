"""The driver of version 1 works with the core of today, and nobody has touched it."""

import hashlib
import inspect
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anabranch import (
    FEATURES,
    OPERATIONS,
    AuthenticationError,
    Broker,
    CloudStatus,
    Configuration,
    ConfigurationError,
    Conflict,
    Feature,
    FeatureNotSupported,
    InstanceState,
    InvalidState,
    NotFound,
    OperationNotSupported,
    Ops,
    OutcomeUnknown,
    PluginRegistry,
    QuotaExceeded,
    contract,
    features,
)
from anabranch.hooks import DriverSpec
from anabranch.models import ConsoleKind, InstanceSpec, KeySpec
from anabranch.plugins import DRIVER_GROUP
from anabranch.results import nonsense

from .conftest import HEADERS, PASSWORD

FOLDER = Path(__file__).parent / "v1"
DIGESTS = {"frozen_v1.py": "7ceb3e22c596b9d47b8adbabac96a56825da3ee65b9a2a4ce1d626e653dd9e4d"}


@pytest.fixture
def registry(monkeypatch) -> PluginRegistry:
    """Finds it as it finds any driver that is installed."""
    monkeypatch.syspath_prepend(FOLDER)
    yield PluginRegistry(points=[EntryPoint("frozen", "frozen_v1:driver", DRIVER_GROUP)])
    sys.modules.pop("frozen_v1", None)


@pytest.fixture
def make(registry, url):
    """Makes a broker of one cloud, whose entry may be changed."""

    def broker(**changes: Any) -> Broker:
        login = {"user": "me", "password": PASSWORD}
        entry = {"driver": "frozen", "url": url, "login": login, "retries": 0, **changes}
        return Broker(Configuration(clouds={"old": entry}), registry=registry)

    return broker


def test_nobody_has_edited_it():
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in FOLDER.glob("*.py")}
    assert found == DIGESTS, (
        "a driver in tests/compat is what third parties have published: it is never edited. "
        "Mend the core; a new version of the contract gets a frozen driver of its own"
    )


def test_it_is_loaded(registry):
    (row,) = registry.report()
    assert (row.kind, row.title, row.api_version, row.error) == ("frozen", "Frozen", 1, "")


async def test_listing_pages_problems_and_filters(make, platform):
    async with make() as broker:
        answer = await broker.instances.list()
        assert [i.id for i in answer] == ["vm1", "vm2", "vm3"]
        states = [i.state for i in answer]
        assert states == [InstanceState.RUNNING, InstanceState.STOPPED, InstanceState.UNKNOWN]
        report = answer.cloud("old")
        assert (report.status, report.problems[0].id) == (CloudStatus.PARTIAL, "bad")
        assert platform.asked == ["POST /login", "GET /vms", "GET /vms"]
        found = await broker.images.list(where={"architecture": "aarch64", "name": "img2"})
        assert [(i.id, dict(i.extra)["colour"]) for i in found] == [("img2", "red")]
        assert (await broker.instances.list(where={"name": "machine 2"})).items[0].id == "vm2"
        assert (await broker.realms.list()).complete
        assert platform.logins == 1


async def test_a_machine_from_its_key_to_its_end(make, platform):
    async with make() as broker:
        key = await broker.keys.create("old", KeySpec(name="ours"))
        assert key.private_key is not None
        spec = InstanceSpec(
            image_id="img1", name="web", key_id="ours", user_data=b"#!", tags={"a": "b"}
        )
        made = await broker.instances.create("old", spec, wait=10)
        assert (made.state, made.name, made.tags) == (InstanceState.RUNNING, "web", {"a": "b"})
        assert made.client_token
        assert (await broker.instances.reboot(made.qualified_id)).id == made.id
        console = await broker.call("old", Ops.get_instance_console, made.id, None)
        assert console.kind is ConsoleKind.NOVNC
        stopped = await broker.instances.stop(made.qualified_id, wait=10)
        assert stopped.state is InstanceState.STOPPED
        with pytest.raises(InvalidState, match="it is off"):
            await broker.instances.reboot(made.qualified_id)
        await broker.instances.start(made.qualified_id, wait=10)
        assert await broker.instances.destroy(made.qualified_id, wait=10)
        assert not await broker.instances.destroy(made.qualified_id)
        assert await broker.keys.destroy("old/ours")
        with pytest.raises(NotFound, match="no key 'ours'"):
            await broker.keys.get("old/ours")


async def test_a_create_whose_answer_is_lost_is_found(make, platform, monkeypatch):
    platform.lose = True
    async with make() as broker:
        del platform.vms["bad"]
        made = await broker.instances.create("old", InstanceSpec(image_id="img1", name="web"))
        assert made.client_token == platform.bodies[-1]["token"]
        assert platform.asked.count("POST /vms") == 1
        with pytest.raises(OutcomeUnknown):
            await broker.call("old", Ops.create_instance, InstanceSpec(image_id="img1"))


async def test_errors_are_as_narrow_as_ever(make, platform):
    async with make() as broker:
        spec = InstanceSpec(image_id="img1", name="one too many")
        with pytest.raises(QuotaExceeded) as caught:
            await broker.instances.create("old", spec)
        error = caught.value
        assert (error.cloud, error.operation, error.remedy) == (
            "old",
            "create_instance",
            "Destroy one",
        )
        assert (error.provider_code, error.request_id) == ("quota", HEADERS["x-request-id"])
        with pytest.raises(NotFound):
            await broker.images.get("old/nothing")
        with pytest.raises(Conflict):
            await broker.keys.create("old", KeySpec(name="mine"))
        platform.token = "t2"  # the one that is held is refused: it logs in once more
        assert (await broker.check("old")).account == "me"
        assert platform.logins == 2
    async with make(login={"user": "me", "password": "wrong"}) as broker:
        with pytest.raises(AuthenticationError) as refused:
            await broker.check("old")
        assert "wrong" in str(refused.value)


async def test_what_it_lacks_is_refused(make, platform):
    async with make() as broker:
        assert "create_instances" not in broker.capabilities("old")
        offered = broker.capabilities("old")["create_instance"]
        assert offered.constraints[Feature.USER_NAME] == {"max_length": "20"}
        spec = InstanceSpec(image_id="img1", network_ids=("n",))
        for refused in (
            broker.instances.create("old", spec),
            broker.instances.reboot("old/vm1", hard=True),
            broker.call("old", Ops.get_instance_console, "vm1", ConsoleKind.VNC),
            broker.call("old", Ops.list_instances, None, {"name": "x"}),
        ):
            with pytest.raises(FeatureNotSupported):
                await refused
        with pytest.raises(OperationNotSupported):
            await broker.instances.rename("old/vm1", "x")
        assert platform.asked == []
        platform.lacks = {"operations": {"start_instance": "not today"}, "features": {}}
        platform.lacks["features"]["user_data"] = "never"
        assert "start_instance" not in await broker.probe("old")
        with pytest.raises(OperationNotSupported, match="not today"):
            await broker.instances.start("old/vm1")
        with pytest.raises(FeatureNotSupported, match="never"):
            await broker.instances.create("old", InstanceSpec(image_id="i", user_data=b"x"))


async def test_settings_and_discovery(make, registry, url):
    with pytest.raises(ConfigurationError, match=r"ends in a slash. Leave it out"):
        make(url=f"{url}/")
    with pytest.raises(ConfigurationError, match=r"page_size.*<= 100"):
        make(page_size=1000)
    found, failed = await registry.discover({"FROZEN_URL": url})
    assert (found[0].entry, failed) == ({"driver": "frozen", "url": url}, {})
    async with make() as broker:
        assert (await broker.check("old")).version == "4.2"


# ---------------------------------------------------------------- a core that has grown since then


class GrownSpec(InstanceSpec, frozen=True, kw_only=True):
    """What to make, with a field that version 1 did not have, and its feature."""

    nested: bool = False


class Grown:
    """Two operations, with a parameter more."""

    async def stop_instance(self, cloud, instance_id: str, force: bool = False): ...

    async def list_images(self, cloud, cursor, where, order: str | None = None): ...


@pytest.fixture
def grown(monkeypatch) -> None:
    """A core whose operations have got more parameters, and a spec another field."""
    for name in ("stop_instance", "list_images"):
        plain, function = getattr(DriverSpec, name), getattr(Grown, name)
        vars(function).update(vars(plain))
        parameters = tuple(inspect.signature(function).parameters)[2:]
        changed = msgspec.structs.replace(
            OPERATIONS[name],
            parameters=parameters,
            optional=OPERATIONS[name].optional | {parameters[-1]},
            defaults={parameters[-1]: function.__defaults__[0]},
        )
        monkeypatch.setitem(OPERATIONS, name, changed)
        monkeypatch.setitem(contract._HOOKS, name, function)
        nonsense(name, "", None)  # what it returns is read off the hookspec that is
        monkeypatch.setattr(DriverSpec, name, function)
    known = features._BY_OPERATION
    both = [*known["create_instance"], (Feature.SANDBOXING, "nested")]
    monkeypatch.setitem(known, "create_instance", both)


async def test_new_arguments_and_fields_are_left_out_or_refused(grown, make, platform):
    async with make() as broker:
        assert (await broker.instances.stop("old/vm1")).state is InstanceState.STOPPED
        assert len((await broker.images.list()).items) == 3
        stopped = await broker.call("old", Ops.stop_instance, "vm1", force=False)
        assert stopped.state is InstanceState.STOPPED
        with pytest.raises(FeatureNotSupported, match="does not honour parameter 'force'"):
            await broker.call("old", Ops.stop_instance, "vm1", force=True)
        with pytest.raises(FeatureNotSupported, match="does not honour parameter 'order'"):
            await broker.call("old", Ops.list_images, None, {}, order="name")
        made = await broker.instances.create("old", GrownSpec(image_id="img1"))
        assert made.state is InstanceState.PENDING
        with pytest.raises(FeatureNotSupported, match="'nested'"):
            await broker.instances.create("old", GrownSpec(image_id="img1", nested=True))
        with pytest.raises(TypeError, match="unknown: colour"):
            await broker.call("old", Ops.stop_instance, "vm1", colour="red")


FIELDS_OF_VERSION_1 = {
    "BlobSpec": "bucket_id name content_type content_length metadata",
    "BucketSpec": "name",
    "FirewallRuleSpec": "protocol port_from port_to sources direction action",
    "FirewallSpec": "name description",
    "ImageSpec": "instance_id",
    "InstanceSpec": "image_id realm_id hardware_profile_id",
    "KeySpec": "name",
    "LoadBalancerSpec": "name listeners realm_id",
    "NetworkInterfaceSpec": "instance_id network_id subnet_id name ip_address",
    "NetworkSpec": "name address_block realm_id",
    "StorageVolumeSpec": "capacity_gb snapshot_id realm_id",
    "SubnetSpec": "network_id address_block name",
}
"""The fields of specs that every driver honours without saying so. It does not grow."""


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if "spec" in op.types()])
def test_every_other_field_of_a_spec_has_a_feature(name: str):
    """Without one it would be dropped in silence by the drivers that do not know it."""
    spec = OPERATIONS[name].types()["spec"]
    asked = {f for p in FEATURES.values() if name in p.operations for f in p.fields}
    known = asked | set(FIELDS_OF_VERSION_1.get(spec.__name__, "").split())
    assert set(spec.__struct_fields__) <= known
