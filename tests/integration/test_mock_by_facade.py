"""Every verb of the façade beyond list and get, on the mock driver as it is installed."""

import pytest

from anabranch import (
    Broker,
    Configuration,
    ConfigurationError,
    DeadlineExceeded,
    InstanceState,
    InvalidState,
    NotFound,
)
from anabranch.models import (
    AddressSpec,
    BlobSpec,
    BucketSpec,
    ConsoleKind,
    FirewallRuleSpec,
    FirewallSpec,
    ImageSpec,
    ImageState,
    InstanceSpec,
    KeySpec,
    Listener,
    LoadBalancerSpec,
    RuleSource,
    StorageSnapshotSpec,
    StorageVolumeSpec,
    StorageVolumeState,
)


@pytest.fixture
def broker():
    return Broker(Configuration(clouds={"one": {"driver": "mock"}, "two": {"driver": "mock"}}))


async def chunks(*parts: bytes):
    for part in parts:
        yield part


async def test_instances(broker):
    async with broker:
        made = await broker.instances.create(
            "one", InstanceSpec(image_id="img1", name="a", tags={"role": "db"}), wait=5
        )
        assert made.state is InstanceState.RUNNING
        assert made.client_token
        target = made.qualified_id
        assert (await broker.instances.rename(target, "b")).name == "b"
        assert (await broker.instances.set_tags(target, {"role": "web"})).tags == {"role": "web"}
        assert (await broker.instances.resize(target, "m1-large")).hardware_profile_id == "m1-large"
        assert (await broker.instances.reboot(target, hard=True, wait=5)).state == "RUNNING"
        assert (await broker.instances.console(target)).kind in ConsoleKind
        image = await broker.images.create("one", ImageSpec(instance_id=made.id, name="copy"))
        assert await broker.images.destroy(image.qualified_id) is True
        assert (await broker.instances.stop(target, wait=5)).state == "STOPPED"
        assert await broker.instances.destroy(target, wait=5) is True
        assert await broker.instances.destroy(target) is False
        many = await broker.instances.create_many("two", InstanceSpec(image_id="img1"), 3)
        assert len({i.qualified_id for i in many}) == 3


async def test_firewalls(broker):
    async with broker:
        wall = await broker.firewalls.create("one", FirewallSpec(name="web"))
        rule = FirewallRuleSpec(
            protocol="tcp", port_from=80, port_to=80, sources=(RuleSource(cidr="0.0.0.0/0"),)
        )
        with_it = await broker.firewalls.add_rule(wall.qualified_id, rule)
        (added,) = [r for r in with_it.rules if r.port_from == 80]
        without = await broker.firewalls.remove_rule(wall.qualified_id, added.id)
        assert added.id not in [r.id for r in without.rules]


async def test_addresses(broker):
    async with broker:
        address = await broker.addresses.create("one", AddressSpec())
        led = await broker.addresses.associate(address.qualified_id, "one/inst0")
        assert (led.instance_id, led.associated) == ("inst0", True)
        assert not (await broker.addresses.disassociate(address.qualified_id)).associated
        with pytest.raises(ConfigurationError, match="different clouds"):
            await broker.addresses.associate(address.qualified_id, "two/inst0")


async def test_load_balancers(broker):
    async with broker:
        listener = Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080)
        balancer = await broker.load_balancers.create(
            "one", LoadBalancerSpec(name="front", listeners=(listener,), realm_id="us")
        )
        target = balancer.qualified_id
        assert (await broker.load_balancers.register(target, "inst0")).instance_ids == ("inst0",)
        assert (await broker.load_balancers.unregister(target, "inst0")).instance_ids == ()


async def test_volumes_and_snapshots(broker):
    async with broker:
        volume = await broker.storage_volumes.create("one", StorageVolumeSpec(capacity_gb=2))
        target = volume.qualified_id
        attached = await broker.storage_volumes.attach(target, "one/inst0", "/dev/sdx")
        assert (attached.instance_id, attached.device) == ("inst0", "/dev/sdx")
        assert (await broker.storage_volumes.detach(target)).instance_id is None
        snapshot = await broker.storage_snapshots.create(
            "one", StorageSnapshotSpec(storage_volume_id=volume.id)
        )
        assert snapshot.storage_volume_id == volume.id


async def test_volumes_images_and_snapshots_are_waited_for(broker):
    async with broker:
        spec = StorageVolumeSpec(capacity_gb=2)
        volume = await broker.storage_volumes.create("one", spec, wait=5)
        assert volume.state is StorageVolumeState.AVAILABLE
        target = volume.qualified_id
        attached = await broker.storage_volumes.attach(target, "inst0", wait=5)
        assert attached.state is StorageVolumeState.IN_USE
        with pytest.raises(
            DeadlineExceeded, match=r"one: wait: not AVAILABLE within 0.05 s: it is"
        ):
            await broker.storage_volumes.wait(target, "AVAILABLE", timeout=0.05)
        detached = await broker.storage_volumes.detach(target, wait=5)
        assert detached.state is StorageVolumeState.AVAILABLE
        assert await broker.storage_volumes.destroy(target, wait=5) is True
        with pytest.raises(InvalidState, match="it is gone, not AVAILABLE"):
            await broker.storage_volumes.wait(target, "AVAILABLE", timeout=5)
        image = await broker.images.create("one", ImageSpec(instance_id="inst0"), wait=5)
        assert image.state is ImageState.AVAILABLE


async def test_keys(broker):
    async with broker:
        key = await broker.keys.create("one", KeySpec(name="mine"))
        assert key.private_key
        assert "PRIVATE" not in repr(key)
        assert await broker.keys.destroy(key.qualified_id) is True


async def test_blobs(broker):
    async with broker:
        await broker.buckets.create("one", BucketSpec(name="box"))
        spec = BlobSpec(bucket_id="box", name="a/b", metadata={"k": "v"})
        content = chunks(b"one", b"two")
        made = await broker.blobs.create("one", spec, content)
        assert made.content_length == 6
        async with broker.blobs.open("one/box/a/b") as opened:
            assert b"".join([part async for part in opened]) == b"onetwo"
        changed = await broker.blobs.set_metadata("one/box/a/b", {"x": "y"})
        assert changed.metadata == {"x": "y"}
        big = BlobSpec(bucket_id="box", name="big")
        upload = await broker.blobs.begin_upload("one", big)
        segments = [
            await broker.blobs.upload_segment("one", big, upload, order, chunks(part))
            for order, part in ((2, b"world"), (1, b"hello "))
        ]
        whole = await broker.blobs.complete_upload("one", big, upload, segments)
        assert whole.content_length == 11
        given_up = await broker.blobs.begin_upload("one", big)
        await broker.blobs.abort_upload("one", big, given_up)
        assert {b.id for b in await broker.blobs.list("one/box")} == {"a/b", "big"}
        assert await broker.blobs.destroy("one/box/big") is True
        assert await broker.blobs.destroy("one/box/big") is False
        with pytest.raises(NotFound):
            await broker.blobs.get("one/box/big")
        with pytest.raises(ConfigurationError, match="CLOUD/BUCKET/BLOB"):
            await broker.blobs.get("one/box")


async def test_content_is_closed_though_nobody_read_it(broker):
    closed = []

    async def content():
        try:
            yield b"x"
            yield b"y"
        finally:
            closed.append(True)

    async with broker:
        given = content()
        await anext(given)
        with pytest.raises(NotFound):
            await broker.blobs.create("one", BlobSpec(bucket_id="nowhere", name="n"), given)
    assert closed == [True]
