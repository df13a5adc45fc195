"""The driver, assembled from one module per collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anabranch.hooks import DriverSpec
from anabranch.redaction import SecretStr
from anabranch_paci.accounts import account
from anabranch_paci.configure import configure
from anabranch_paci.creation import InstanceCreation
from anabranch_paci.firewalls import Firewalls
from anabranch_paci.hardware_profiles import HardwareProfiles
from anabranch_paci.images import Images
from anabranch_paci.instance_actions import InstanceActions
from anabranch_paci.instances import Instances
from anabranch_paci.lifecycle import Lifecycle
from anabranch_paci.load_balancers import LoadBalancers
from anabranch_paci.metrics import Metrics
from anabranch_paci.realms import Realms
from anabranch_paci.settings import PaciSettings
from anabranch_paci.states import INSTANCE_STATES
from anabranch_paci.storage_snapshots import StorageSnapshots

__all__ = ["PaciDriver", "driver"]


class PaciDriver(
    Realms,
    HardwareProfiles,
    Images,
    Instances,
    InstanceCreation,
    InstanceActions,
    Firewalls,
    LoadBalancers,
    StorageSnapshots,
    Metrics,
    Lifecycle,
    DriverSpec[PaciSettings],
):
    """PACI, by its REST API 1.0."""

    title = "PACI"
    settings_type = PaciSettings
    instance_states = INSTANCE_STATES
    provider_help = "URL of the API"

    def configure(
        self, cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]
    ) -> PaciSettings:
        """Make the settings of a cloud."""
        del environment
        return configure(cloud, entry)

    def account(self, provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
        """Return the entry of an account; see `accounts` for how each part is written."""
        return account(provider, user, password)


driver: Final = PaciDriver()
