"""The driver, assembled from one module per collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anabranch.hooks import DriverSpec
from anabranch.redaction import SecretStr
from anabranch_openstack.accounts import account
from anabranch_openstack.addresses import Addresses
from anabranch_openstack.blob_uploads import BlobUploads
from anabranch_openstack.blobs import Blobs
from anabranch_openstack.buckets import Buckets
from anabranch_openstack.configure import configure
from anabranch_openstack.firewalls import Firewalls
from anabranch_openstack.hardware_profiles import HardwareProfiles
from anabranch_openstack.images import Images
from anabranch_openstack.instance_actions import InstanceActions
from anabranch_openstack.instances import Instances
from anabranch_openstack.keys import Keys
from anabranch_openstack.lifecycle import Lifecycle
from anabranch_openstack.load_balancers import LoadBalancers
from anabranch_openstack.metrics import Metrics
from anabranch_openstack.network_interfaces import NetworkInterfaces
from anabranch_openstack.networks import Networks
from anabranch_openstack.quotas import Quotas
from anabranch_openstack.realms import Realms
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.states import INSTANCE_STATES
from anabranch_openstack.storage_snapshots import StorageSnapshots
from anabranch_openstack.storage_volumes import StorageVolumes
from anabranch_openstack.subnets import Subnets
from anabranch_openstack.volume_attachments import VolumeAttachments

__all__ = ["OpenStackDriver", "driver"]


class OpenStackDriver(
    Realms,
    HardwareProfiles,
    Images,
    Instances,
    InstanceActions,
    Keys,
    Firewalls,
    Addresses,
    LoadBalancers,
    Networks,
    Subnets,
    NetworkInterfaces,
    Quotas,
    StorageVolumes,
    VolumeAttachments,
    StorageSnapshots,
    Buckets,
    Blobs,
    BlobUploads,
    Metrics,
    Lifecycle,
    DriverSpec[OpenStackSettings],
):
    """OpenStack, by the REST APIs of its services."""

    title = "OpenStack"
    settings_type = OpenStackSettings
    instance_states = INSTANCE_STATES
    provider_help = "URL of keystone, and after a semicolon the region"

    def configure(
        self, cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]
    ) -> OpenStackSettings:
        """Make the settings of a cloud, by way of the user's clouds.yaml if it says so."""
        return configure(cloud, entry, environment)

    def account(self, provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
        """Return the entry of an account; see `accounts` for how each part is written."""
        return account(provider, user, password)


driver: Final = OpenStackDriver()
