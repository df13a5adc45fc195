"""The contract as one class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

from anabranch.errors import ConfigurationError
from anabranch.hooks.addresses import AddressesSpec
from anabranch.hooks.blobs import BlobsSpec
from anabranch.hooks.buckets import BucketsSpec
from anabranch.hooks.firewalls import FirewallsSpec
from anabranch.hooks.hardware_profiles import HardwareProfilesSpec
from anabranch.hooks.images import ImagesSpec
from anabranch.hooks.instances import InstancesSpec
from anabranch.hooks.keys import KeysSpec
from anabranch.hooks.lifecycle import LifecycleSpec
from anabranch.hooks.load_balancers import LoadBalancersSpec
from anabranch.hooks.metrics import MetricsSpec, QuotasSpec
from anabranch.hooks.network_interfaces import NetworkInterfacesSpec
from anabranch.hooks.networks import NetworksSpec
from anabranch.hooks.realms import RealmsSpec
from anabranch.hooks.storage_snapshots import StorageSnapshotsSpec
from anabranch.hooks.storage_volumes import StorageVolumesSpec
from anabranch.hooks.subnets import SubnetsSpec
from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings, to_settings
from anabranch.states import StateMachine

__all__ = ["COLLECTIONS", "DriverSpec", "Ops"]

S = TypeVar("S", bound=CloudSettings)

COLLECTIONS: Final[Mapping[str, type[Any]]] = {
    "realms": RealmsSpec,
    "hardware_profiles": HardwareProfilesSpec,
    "images": ImagesSpec,
    "instances": InstancesSpec,
    "keys": KeysSpec,
    "firewalls": FirewallsSpec,
    "addresses": AddressesSpec,
    "load_balancers": LoadBalancersSpec,
    "storage_volumes": StorageVolumesSpec,
    "storage_snapshots": StorageSnapshotsSpec,
    "networks": NetworksSpec,
    "subnets": SubnetsSpec,
    "network_interfaces": NetworkInterfacesSpec,
    "buckets": BucketsSpec,
    "blobs": BlobsSpec,
    "metrics": MetricsSpec,
    "quotas": QuotasSpec,
}
"""The collections, and the mix-in that holds the hooks of each."""


class DriverSpec(
    RealmsSpec[S],
    HardwareProfilesSpec[S],
    ImagesSpec[S],
    InstancesSpec[S],
    KeysSpec[S],
    FirewallsSpec[S],
    AddressesSpec[S],
    LoadBalancersSpec[S],
    StorageVolumesSpec[S],
    StorageSnapshotsSpec[S],
    NetworksSpec[S],
    SubnetsSpec[S],
    NetworkInterfacesSpec[S],
    BucketsSpec[S],
    BlobsSpec[S],
    MetricsSpec[S],
    QuotasSpec[S],
    LifecycleSpec[S],
):
    """Base class of every driver, and the namespace of all hooks.

    A driver overrides the hooks that it offers, each marked `@hookimpl`; what it does not
    override it does not offer. It is published as an *object*, under the entry-point group
    `anabranch.drivers`; the name of the entry point is the driver's kind. It keeps no state.

    Attributes:
        api_version: Version of the contract that it was written for. Who says nothing wrote for
            the first.
        title: The platform's name, as people write it.
        settings_type: Class of its settings.
        instance_states: The states that its instances go through.
        provider_help: What the provider of an `account` is, for people: `URL of the API`. Empty:
            it needs none.
    """

    api_version: ClassVar[int] = 1
    title: ClassVar[str]
    settings_type: type[S]
    instance_states: ClassVar[StateMachine]
    provider_help: ClassVar[str] = ""

    def configure(self, cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]) -> S:
        """Make the settings of a cloud from its entry in the configuration.

        Override it where an entry may refer to another configuration; it may read files.

        Args:
            cloud: Name of the cloud.
            entry: Its entry, with `driver`.
            environment: Environment variables.

        Raises:
            ConfigurationError: names cloud, field and what would be right.
        """
        del environment
        return to_settings(self.settings_type, entry, cloud=cloud)

    def account(self, provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
        """Return the entry of an account that comes as HTTP Basic carries it, for `configure`.

        A daemon without credentials of its own gets all three with each request, from strangers.
        So the entry holds the endpoint and the credentials and nothing else, no setting that
        names a file or another place to connect to; and making it reads no file, no environment
        and no network.

        Override it where such an account says all that one must know to log in. Pure, so it is
        idempotent.

        Args:
            provider: Which of the platform's clouds, see `provider_help`; may be empty.
            user: User name, as the platform or the driver's documentation writes it.
            password: Password.

        Returns:
            The entry without `driver`, which only the caller knows; the password in it is a
            `SecretStr` still.

        Raises:
            ConfigurationError: of the field `provider`, `user` or `password`, with what would be
                right; or the driver takes no such accounts.
        """
        del provider, user, password
        raise ConfigurationError(
            f"{self.title} takes no accounts that come with each request",
            remedy="Name the cloud in anabranch.yaml instead",
        )


Ops = DriverSpec[Any]
"""The typed key of a call: `broker.call("lisbon", Ops.start_instance, instance_id=…)`."""
