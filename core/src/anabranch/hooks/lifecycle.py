"""Hooks that are about a cloud as a whole, not about a collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from anabranch.cloud import Cloud
from anabranch.features import Feature
from anabranch.hooks._markers import operation
from anabranch.settings import CloudSettings

__all__ = ["CloudIdentity", "DiscoveredCloud", "Lacks", "LifecycleSpec"]

S = TypeVar("S", bound=CloudSettings)


class DiscoveredCloud(msgspec.Struct, frozen=True, kw_only=True):
    """A cloud that the user has already configured for another program.

    Attributes:
        name: A name for it.
        entry: Its entry for `anabranch.yaml`. It refers to where the secrets are and repeats none.
        source: Where it was found: a file, or environment variables.
    """

    name: str
    entry: Mapping[str, Any]
    source: str


class CloudIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who one is at a cloud, and what it is.

    Attributes:
        account: User, project, tenant: as people there call it.
        endpoint: URL that was asked.
        version: Version of the platform's API, or empty.
        owner_id: What the account's own images and instances tell as their `owner_id`; None: not
            told.
    """

    account: str
    endpoint: str
    version: str = ""
    owner_id: str | None = None


class Lacks(msgspec.Struct, frozen=True, kw_only=True):
    """What one cloud lacks of what its driver offers, each with the reason.

    Attributes:
        operations: Reasons by operation (`list_load_balancers`).
        features: Reasons by operation and feature.
    """

    operations: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    features: Mapping[tuple[str, Feature], str] = msgspec.field(
        default_factory=dict[tuple[str, Feature], str]
    )


class LifecycleSpec(Generic[S]):
    """What can be asked about a cloud."""

    @operation
    async def discover(self, environment: Mapping[str, str]) -> list[DiscoveredCloud]:
        """Find clouds of this platform that the user has configured elsewhere.

        Args:
            environment: The environment variables to look in.

        Raises:
            ConfigurationError: what was found cannot be read.
        """
        raise NotImplementedError

    @operation
    async def check(self, cloud: Cloud[S]) -> CloudIdentity:
        """Log in and tell who one is. Changes nothing.

        Raises:
            AuthenticationError: the credentials are refused.
            CloudUnavailable: it does not answer.
        """
        raise NotImplementedError

    @operation
    async def probe(self, cloud: Cloud[S]) -> Lacks:
        """Tell what this cloud lacks today of what the driver offers; it can add nothing.

        Raises:
            CloudError: it cannot be told.
        """
        raise NotImplementedError
