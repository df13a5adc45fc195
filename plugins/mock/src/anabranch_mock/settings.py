"""The settings of a mock cloud: who may use it, what is in it, how it behaves."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings

__all__ = [
    "PASSWORD",
    "USERNAME",
    "Dataset",
    "Delays",
    "Fault",
    "FaultKind",
    "MockSettings",
    "Quotas",
]

USERNAME: Final = "mockuser"
PASSWORD: Final = SecretStr("mockpassword")
"""The one account of every mock cloud; both are the defaults."""


Seconds = Annotated[float, Meta(ge=0)]
Limit = Annotated[int, Meta(ge=0)]


class Dataset(StrEnum):
    """What is in a cloud to begin with."""

    DELTACLOUD = "deltacloud"
    """What Apache Deltacloud's mock driver had: inst0, img1, vol1, …"""
    EMPTY = "empty"
    """Realms, hardware profiles, images and the outer network; nothing of the user's own."""
    GENERATED = "generated"
    """As many instances as `instances` says, of all sorts, the same at every start."""


class FaultKind(StrEnum):
    """What goes wrong."""

    HANG = "hang"
    """There is no answer, ever."""
    SLOW = "slow"
    """The answer takes `seconds` longer."""
    REFUSE = "refuse"
    """Nobody listens at the endpoint."""
    RESET = "reset"
    """The connection is cut before the answer: a change is made, and nobody knows."""
    UNAVAILABLE = "unavailable"
    """As with HTTP status 503."""
    UNAUTHORIZED = "unauthorized"
    """The credentials are refused, although they are right."""
    FORBIDDEN = "forbidden"
    """The credentials are good, but not for this."""
    RATE_LIMITED = "rate_limited"
    """There are too many requests; try again after `seconds`."""
    GARBAGE = "garbage"
    """The answer cannot be understood."""
    ODD_ITEM = "odd_item"
    """The first item of a page cannot be understood."""
    CRASH = "crash"
    """The driver itself breaks: an exception that is no `CloudError`."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong."""

    kind: Annotated[FaultKind, Meta(description="What goes wrong")]
    operations: Annotated[
        tuple[str, ...], Meta(description="Operations that meet it; none named: all")
    ] = ()
    times: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="How often, before it is over; unset: for ever"),
    ] = None
    seconds: Annotated[
        Seconds, Meta(description="Of slow: how much longer; of rate_limited: how long to wait")
    ] = 1.0


class Delays(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the states last that lead to another, in seconds; 0: they are not seen."""

    pending: Annotated[Seconds, Meta(description="PENDING, until an instance is RUNNING")] = 0.0
    stopping: Annotated[Seconds, Meta(description="STOPPING, until it is STOPPED")] = 0.0
    finish: Annotated[Seconds, Meta(description="FINISH, until it is gone")] = 0.0
    creating: Annotated[
        Seconds, Meta(description="Until an image, volume or snapshot is AVAILABLE")
    ] = 0.0


class Quotas(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much the account may have; a limit for everything, so that no cloud grows for ever."""

    instances: Annotated[Limit, Meta(description="Instances")] = 10_000
    images: Annotated[Limit, Meta(description="Images")] = 1_000
    keys: Annotated[Limit, Meta(description="Keys")] = 1_000
    firewalls: Annotated[Limit, Meta(description="Firewalls")] = 1_000
    firewall_rules: Annotated[Limit, Meta(description="Rules in each firewall")] = 100
    addresses: Annotated[Limit, Meta(description="Addresses")] = 250
    load_balancers: Annotated[Limit, Meta(description="Load balancers")] = 1_000
    storage_volumes: Annotated[Limit, Meta(description="Storage volumes")] = 10_000
    storage_snapshots: Annotated[Limit, Meta(description="Storage snapshots")] = 10_000
    networks: Annotated[Limit, Meta(description="Networks")] = 1_000
    subnets: Annotated[Limit, Meta(description="Subnets")] = 1_000
    network_interfaces: Annotated[Limit, Meta(description="Network interfaces")] = 20_000
    buckets: Annotated[Limit, Meta(description="Buckets")] = 1_000
    blobs: Annotated[Limit, Meta(description="Blobs in each bucket")] = 10_000
    blob_bytes: Annotated[Limit, Meta(description="Bytes in all blobs together")] = (
        256 * 1024 * 1024
    )
    blob_uploads: Annotated[Limit, Meta(description="Uploads in segments at once")] = 100


class MockSettings(CloudSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set for a mock cloud; `driver: mock` alone is enough."""

    username: Annotated[str, Meta(description="User name; `mockuser` is the right one")] = USERNAME
    password: Annotated[
        SecretStr, Meta(description="Password; `mockpassword` is the right one")
    ] = msgspec.field(default_factory=lambda: PASSWORD)  # a JSON schema cannot hold a secret
    dataset: Annotated[Dataset, Meta(description="What is in the cloud to begin with")] = (
        Dataset.DELTACLOUD
    )
    instances: Annotated[
        int, Meta(ge=0, le=100_000, description="Instances of the data set `generated`")
    ] = 100
    odd_data: Annotated[
        bool, Meta(description="Whether to add instances with odd names, states and addresses")
    ] = False
    page_size: Annotated[int, Meta(ge=1, description="Items in one page of a list")] = 100
    latency: Annotated[Seconds, Meta(description="Seconds that every operation takes")] = 0.0
    delays: Annotated[Delays, Meta(description="Seconds that transient states last")] = Delays()
    faults: Annotated[
        tuple[Fault, ...], Meta(description="What goes wrong; the first that applies happens")
    ] = ()
    lacks: Annotated[
        tuple[str, ...],
        Meta(description="Operations, or operation:feature, that this cloud does not offer"),
    ] = ()
    quotas: Annotated[Quotas, Meta(description="How much the account may have")] = Quotas()
