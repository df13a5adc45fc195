"""The driver, assembled from one module per collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anabranch.hooks import DriverSpec
from anabranch.redaction import SecretStr
from anabranch_cloudstack.accounts import account
from anabranch_cloudstack.addresses import Addresses
from anabranch_cloudstack.configure import configure
from anabranch_cloudstack.firewalls import Firewalls
from anabranch_cloudstack.hardware_profiles import HardwareProfiles
from anabranch_cloudstack.images import Images
from anabranch_cloudstack.instance_actions import InstanceActions
from anabranch_cloudstack.instances import Instances
from anabranch_cloudstack.keys import Keys
from anabranch_cloudstack.lifecycle import Lifecycle
from anabranch_cloudstack.load_balancers import LoadBalancers
from anabranch_cloudstack.metrics import Metrics
from anabranch_cloudstack.network_interfaces import NetworkInterfaces
from anabranch_cloudstack.networks import Networks
from anabranch_cloudstack.quotas import Quotas
from anabranch_cloudstack.realms import Realms
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.states import INSTANCE_STATES
from anabranch_cloudstack.storage_snapshots import StorageSnapshots
from anabranch_cloudstack.storage_volumes import StorageVolumes
from anabranch_cloudstack.subnets import Subnets

__all__ = ["CloudStackDriver", "driver"]


class CloudStackDriver(
    Realms,
    HardwareProfiles,
    Images,
    Instances,
    InstanceActions,
    Keys,
    Firewalls,
    Addresses,
    LoadBalancers,
    StorageVolumes,
    StorageSnapshots,
    Networks,
    Subnets,
    NetworkInterfaces,
    Metrics,
    Quotas,
    Lifecycle,
    DriverSpec[CloudStackSettings],
):
    """CloudStack, by its query API, 4.11 to 4.22."""

    title = "CloudStack"
    settings_type = CloudStackSettings
    instance_states = INSTANCE_STATES
    provider_help = "URL of the API"

    def configure(
        self, cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]
    ) -> CloudStackSettings:
        """Make the settings of a cloud, by way of the user's cloudstack.ini if it says so."""
        return configure(cloud, entry, environment)

    def account(self, provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
        """Return the entry of an account; see `accounts` for how each part is written."""
        return account(provider, user, password)


driver: Final = CloudStackDriver()
