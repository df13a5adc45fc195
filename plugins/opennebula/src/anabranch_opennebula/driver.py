"""The driver, assembled from one module per collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anabranch.hooks import DriverSpec
from anabranch.redaction import SecretStr
from anabranch_opennebula.accounts import account
from anabranch_opennebula.addresses import Addresses
from anabranch_opennebula.configure import configure
from anabranch_opennebula.firewalls import Firewalls
from anabranch_opennebula.hardware_profiles import HardwareProfiles
from anabranch_opennebula.images import Images
from anabranch_opennebula.instance_actions import InstanceActions
from anabranch_opennebula.instances import Instances
from anabranch_opennebula.keys import Keys
from anabranch_opennebula.lifecycle import Lifecycle
from anabranch_opennebula.metrics import Metrics
from anabranch_opennebula.network_interfaces import NetworkInterfaces
from anabranch_opennebula.networks import Networks, Subnets
from anabranch_opennebula.quotas import Quotas
from anabranch_opennebula.realms import Realms
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.states import INSTANCE_STATES
from anabranch_opennebula.storage_snapshots import StorageSnapshots
from anabranch_opennebula.storage_volumes import StorageVolumes

__all__ = ["OpenNebulaDriver", "driver"]


class OpenNebulaDriver(
    Realms,
    HardwareProfiles,
    Images,
    Instances,
    InstanceActions,
    Keys,
    Firewalls,
    Addresses,
    StorageVolumes,
    StorageSnapshots,
    Networks,
    Subnets,
    NetworkInterfaces,
    Metrics,
    Quotas,
    Lifecycle,
    DriverSpec[OpenNebulaSettings],
):
    """OpenNebula 5.10 and later, by oned's XML-RPC API."""

    title = "OpenNebula"
    settings_type = OpenNebulaSettings
    instance_states = INSTANCE_STATES
    provider_help = "URL of the XML-RPC API"

    def configure(
        self, cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]
    ) -> OpenNebulaSettings:
        """Make the settings of a cloud, by way of the file with the login if it names one."""
        return configure(cloud, entry, environment)

    def account(self, provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
        """Return the entry of an account; see `accounts` for how each part is written."""
        return account(provider, user, password)


driver: Final = OpenNebulaDriver()
