"""The driver: every collection, and what is said about the driver as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anabranch.errors import ConfigurationError
from anabranch.features import FEATURES
from anabranch.hooks import COLLECTIONS, DriverSpec
from anabranch.redaction import SecretStr
from anabranch.settings import check_login, suggestion
from anabranch_mock.addresses import Addresses
from anabranch_mock.blobs import Blobs
from anabranch_mock.buckets import Buckets
from anabranch_mock.firewalls import Firewalls
from anabranch_mock.hardware_profiles import HardwareProfiles
from anabranch_mock.images import Images
from anabranch_mock.instances import Instances
from anabranch_mock.keys import Keys
from anabranch_mock.lifecycle import Lifecycle
from anabranch_mock.load_balancers import LoadBalancers
from anabranch_mock.metrics import Metrics, QuotaList
from anabranch_mock.network_interfaces import NetworkInterfaces
from anabranch_mock.networks import Networks
from anabranch_mock.realms import Realms
from anabranch_mock.settings import MockSettings
from anabranch_mock.states import INSTANCE_STATES
from anabranch_mock.storage_snapshots import StorageSnapshots
from anabranch_mock.storage_volumes import StorageVolumes
from anabranch_mock.subnets import Subnets

__all__ = ["MockDriver", "driver"]


class MockDriver(
    Realms,
    HardwareProfiles,
    Images,
    Instances,
    Keys,
    Firewalls,
    Addresses,
    LoadBalancers,
    StorageVolumes,
    StorageSnapshots,
    Networks,
    Subnets,
    NetworkInterfaces,
    Buckets,
    Blobs,
    Metrics,
    QuotaList,
    Lifecycle,
    DriverSpec[MockSettings],
):
    """The driver of clouds made of memory.

    It keeps no state, like any driver: the state of each cloud is in its `Cloud.local`.
    """

    title = "Mock"
    settings_type = MockSettings
    instance_states = INSTANCE_STATES

    def configure(
        self, cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]
    ) -> MockSettings:
        """Make the settings of a cloud; a name of no operation would go unnoticed later.

        Raises:
            ConfigurationError: a field is wrong.
        """
        settings = super().configure(cloud, entry, environment)
        for index, fault in enumerate(settings.faults):
            for name in fault.operations:
                _check(cloud, f"faults[{index}].operations", name, _OPERATIONS)
        for name in settings.lacks:
            _check(cloud, "lacks", name, _OPERATIONS | _FEATURES_OF_OPERATIONS)
        return settings

    def account(self, provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
        """Return the entry of an account; whatever the provider, it is memory.

        Raises:
            ConfigurationError: user or password is missing, or has control characters.
        """
        del provider
        check_login(user, password)
        return {"username": user, "password": password}


_OPERATIONS: Final = {"check", "probe"} | {
    name for spec in COLLECTIONS.values() for name in vars(spec) if not name.startswith("_")
}
_FEATURES_OF_OPERATIONS: Final = {
    f"{operation}:{feature}" for feature in FEATURES for operation in FEATURES[feature].operations
}


def _check(cloud: str, field: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise ConfigurationError(
            f"{name!r} is no operation of the driver",
            cloud=cloud,
            field=field,
            remedy=suggestion(name, known),
        )


driver: Final = MockDriver()
