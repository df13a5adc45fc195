"""The façade and `broker.call`, as the type checkers see them. Checked by `make lint`, never run.

What must be an error is marked as ignored, as in `driver.py`.
"""

from collections.abc import Mapping, Sequence
from typing import assert_type

from anabranch import (
    Answer,
    Arrival,
    Broker,
    Capabilities,
    CloudIdentity,
    FanOut,
    InstanceState,
    Ops,
    load_configuration,
)
from anabranch.models import (
    Address,
    Blob,
    BlobContent,
    Console,
    Firewall,
    FirewallRuleSpec,
    HardwareProfile,
    Image,
    ImageSpec,
    Instance,
    InstanceSpec,
    Key,
    KeySpec,
    LoadBalancer,
    Metric,
    Quota,
    Realm,
    StorageVolume,
)
from anabranch.paging import Page


async def lists(broker: Broker) -> None:
    """Each collection knows its model."""
    assert_type(await broker.realms.list(), Answer[Realm])
    assert_type(await broker.hardware_profiles.list(), Answer[HardwareProfile])
    assert_type(await broker.images.list(where={"name": "x"}), Answer[Image])
    assert_type(await broker.metrics.list(), Answer[Metric])
    assert_type(await broker.quotas.list(), Answer[Quota])
    assert_type(await broker.blobs.list("lisbon/bucket"), Answer[Blob])
    answer = await broker.instances.list(clouds=["lisbon"], require="all", keep=is_running)
    assert_type(answer, Answer[Instance])
    assert_type(answer.items, Sequence[Instance])
    assert_type(answer.cursors, Mapping[str, str])
    assert_type(broker.sibling({}), Broker)
    assert_type([item.state for item in answer], list[InstanceState])
    assert_type(broker.instances.stream(), FanOut[Instance])
    async with broker.instances.stream() as arrivals:
        assert_type(arrivals, FanOut[Instance])
        async for arrival in arrivals:
            assert_type(arrival, Arrival[Instance])


def is_running(instance: Instance) -> bool:
    """A filter of instances."""
    return instance.state is InstanceState.RUNNING


async def acts(broker: Broker) -> None:
    """Each verb knows what it takes and returns."""
    assert_type(await broker.instances.get("lisbon/7"), Instance)
    assert_type(await broker.instances.create("lisbon", InstanceSpec(image_id="1")), Instance)
    assert_type(await broker.instances.destroy("lisbon/7", wait=5), bool)
    assert_type(await broker.instances.console("lisbon/7"), Console)
    assert_type(await broker.keys.create("lisbon", KeySpec(name="mine")), Key)
    assert_type(await broker.images.create("lisbon", ImageSpec(instance_id="7")), Image)
    assert_type(await broker.firewalls.add_rule("lisbon/1", FirewallRuleSpec()), Firewall)
    assert_type(await broker.addresses.associate("lisbon/1", "7"), Address)
    assert_type(await broker.load_balancers.register("lisbon/1", "7"), LoadBalancer)
    assert_type(await broker.storage_volumes.attach("lisbon/1", "7", wait=5), StorageVolume)
    assert_type(await broker.images.wait("lisbon/1", "AVAILABLE"), Image)
    async with broker.blobs.open("lisbon/bucket/blob") as content:
        assert_type(content, BlobContent)
    assert_type(broker.capabilities("lisbon"), Capabilities)
    assert_type(await broker.check("lisbon"), CloudIdentity)
    await broker.keys.create("lisbon", InstanceSpec(image_id="1"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def calls(broker: Broker) -> None:
    """The hookspec is the key: it brings the types of its parameters and of its result."""
    assert_type(await broker.call("lisbon", Ops.start_instance, instance_id="7"), Instance)
    assert_type(await broker.call("lisbon", Ops.start_instance, "7"), Instance)
    assert_type(await broker.call("lisbon", Ops.list_realms, None), Page[Realm])
    assert_type(await broker.call("lisbon", Ops.destroy_key, "mine"), None)
    assert_type(
        await broker.call("lisbon", Ops.create_instance, InstanceSpec(image_id="1")), Instance
    )
    assert_type(
        await broker.call("lisbon", Ops.create_instances, InstanceSpec(image_id="1"), count=2),
        Sequence[Instance],
    )
    await broker.call("lisbon", Ops.start_instance, server_id="7")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await broker.call("lisbon", Ops.start_instance, 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await broker.call("lisbon", Ops.start_instance)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def begins() -> None:
    """Leaving the block closes the connections."""
    async with Broker(load_configuration()) as broker:
        assert_type(broker, Broker)
        assert_type(broker.fan_out(Ops.list_instances), FanOut[Instance])
        assert_type(await broker.list_all(Ops.list_keys), Answer[Key])
