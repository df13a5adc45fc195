"""The script of a machine's life, unchanged on every platform."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

import anyio.to_thread
import pytest

from anabranch import Broker, CloudError, Configuration
from anabranch.testing.fleet import simulated_kinds

SCRIPT = Path(__file__).parents[2] / "examples" / "machine_life.py"
OPTIONS = ("image", "hardware_profile", "network", "address_network", "public_key")
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoR0zWd9bYyYmYyO3E8ZJmV9k5G8h3dQn0nXlYQ4b7T me"
OWNED = ("instances", "keys", "firewalls", "storage_volumes", "storage_snapshots", "addresses")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("machine_life", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def options():
    return argparse.Namespace(**{**dict.fromkeys(OPTIONS), "public_key": PUBLIC_KEY})


async def broker_of(configuration: Configuration) -> Broker:
    return await anyio.to_thread.run_sync(Broker, configuration)


async def possessions(configuration: Configuration) -> dict[str, set[str]]:
    async with await broker_of(configuration) as broker:
        return {
            name: {item.id for item in await getattr(broker, name).list(timeout=20)}
            for name in OWNED
        }


@pytest.mark.parametrize("kind", [*simulated_kinds(), "mock"])
async def test_it_is_lived_on_every_platform(simulated_fleet, script, options, kind, capsys):
    if kind == "mock":
        configuration = Configuration(clouds={"mock-1": {"driver": "mock"}})
    else:
        configuration = simulated_fleet(**{kind: 1}, instances=2).configuration(timeout=20)
    options.cloud = f"{kind}-1"
    before = await possessions(configuration)
    broker = await broker_of(configuration)
    offered = broker.capabilities(options.cloud)
    await script.main(broker, options)
    told = capsys.readouterr().out
    steps = {
        "create_key": "made the key",
        "create_firewall": "made the firewall",
        "create_instance": f"created {kind}-1/",
        "stop_instance": "stopped it: STOPPED",
        "start_instance": "started it: RUNNING",
        "reboot_instance": "rebooted it: RUNNING",
        "attach_storage_volume": "attached a volume as",
        "create_storage_snapshot": "took a snapshot of the",
        "associate_address": "reached it by ",
        "remove_firewall_rule": "closed it",
        "destroy_instance": "destroyed the machine",
    }
    for operation, text in steps.items():
        assert (f"done   {text}" in told) == (operation in offered), operation
    if kind != "mock":  # whose clouds are gone with the broker
        assert await possessions(configuration) == before


async def test_what_was_made_is_destroyed_when_it_fails(simulated_fleet, script, options, capsys):
    fleet = simulated_fleet(openstack=1, instances=2)
    options.cloud = "openstack-1"
    configuration = fleet.configuration(timeout=20)
    before = await possessions(configuration)
    fleet.break_with(["401:POST */os-volume_attachments"])
    with pytest.raises(CloudError, match="attach_storage_volume"):
        await script.main(await broker_of(configuration), options)
    told = capsys.readouterr().out
    assert "done   destroyed the volume" in told
    assert "done   destroyed the key" in told
    assert await possessions(configuration) == before
