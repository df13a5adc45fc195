"""The service catalog: which URL serves what, by region and interface."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from anabranch.errors import InvalidRequest, OperationNotSupported
from anabranch_openstack.settings import OpenStackSettings

__all__ = [
    "BLOCK_STORAGE",
    "COMPUTE",
    "IMAGE",
    "LOAD_BALANCER",
    "METRIC",
    "NETWORK",
    "OBJECT_STORE",
    "CatalogService",
    "Endpoint",
    "Service",
    "endpoint",
    "offered",
    "region_of",
]


class Service(NamedTuple):
    """A kind of service.

    Attributes:
        name: As the settings spell it (`compute_endpoint_override`).
        types: Its types in catalogs, the official one first.
        version: Path to append to a URL that ends without a version.
    """

    name: str
    types: tuple[str, ...]
    version: str


COMPUTE: Final = Service("compute", ("compute", "computev21"), "/v2.1")
IMAGE: Final = Service("image", ("image",), "/v2")
NETWORK: Final = Service("network", ("network",), "/v2.0")
BLOCK_STORAGE: Final = Service(
    "block_storage", ("block-storage", "volumev3", "block-store", "volume"), "/v3"
)
LOAD_BALANCER: Final = Service("load_balancer", ("load-balancer",), "/v2/lbaas")
OBJECT_STORE: Final = Service("object_store", ("object-store",), "")
METRIC: Final = Service("metric", ("metric",), "/v1")


class Endpoint(msgspec.Struct, frozen=True):
    """One URL of a service."""

    url: str = ""
    interface: str = ""
    region_id: str | None = None
    region: str | None = None

    @property
    def place(self) -> str:
        """Its region."""
        return self.region_id or self.region or ""


class CatalogService(msgspec.Struct, frozen=True):
    """One service of a catalog."""

    type: str = ""
    name: str = ""
    endpoints: Sequence[Endpoint] = ()


def offered(
    catalog: Sequence[CatalogService], service: Service, settings: OpenStackSettings
) -> bool:
    """Whether the cloud has the service at all, anywhere."""
    return bool(_override(settings, service) or _endpoints(catalog, service))


def region_of(catalog: Sequence[CatalogService], settings: OpenStackSettings) -> str | None:
    """Return the region to work in; None: the catalog names none.

    Raises:
        InvalidRequest: there are several, and none is configured.
    """
    if settings.region_name:
        return settings.region_name
    regions = _regions(_endpoints(catalog, COMPUTE) or [e for s in catalog for e in s.endpoints])
    if len(regions) > 1:
        raise InvalidRequest(
            f"the cloud has several regions: {', '.join(regions)}",
            remedy="Set region_name to one of them, or write URL;REGION as the provider",
        )
    return regions[0] if regions else None


def endpoint(
    catalog: Sequence[CatalogService], service: Service, settings: OpenStackSettings
) -> str:
    """Return the URL of a service, with its version and without a final slash.

    Raises:
        OperationNotSupported: the cloud has no such service.
        InvalidRequest: it has, but not in the region, or not at the interface, that is configured.
    """
    if override := _override(settings, service):
        return _versioned(override, service)
    candidates = _endpoints(catalog, service)
    if not candidates:
        kind = service.types[0]
        raise OperationNotSupported(f"the cloud has no service of type {kind!r} in its catalog")
    region = region_of(catalog, settings)
    here = [e for e in candidates if region in (None, e.place)]
    if not here:
        raise InvalidRequest(
            f"the cloud has no {service.name} service in region {region!r}",
            remedy=f"Set region_name to one of: {', '.join(_regions(candidates))}",
        )
    for found in here:
        if found.interface == settings.interface and found.url:
            return _versioned(found.url, service)
    interfaces = ", ".join(sorted({e.interface for e in here}))
    raise InvalidRequest(
        f"the catalog has no {settings.interface!r} endpoint of {service.name}, but: {interfaces}",
        remedy=f"Set interface, or {service.name}_endpoint_override",
    )


def _override(settings: OpenStackSettings, service: Service) -> str | None:
    url: str | None = getattr(settings, f"{service.name}_endpoint_override")
    return url


def _endpoints(catalog: Sequence[CatalogService], service: Service) -> Sequence[Endpoint]:
    for kind in service.types:
        if found := [e for s in catalog if s.type == kind for e in s.endpoints]:
            return found
    return ()


def _regions(endpoints: Sequence[Endpoint]) -> list[str]:
    return sorted({e.place for e in endpoints} - {""})


_VERSION: Final = re.compile(r"/v\d+(\.\d+)?(/|$)")


def _versioned(url: str, service: Service) -> str:
    url = url.rstrip("/")
    if _VERSION.search(urlsplit(url).path) is None:
        return url + service.version
    if service is LOAD_BALANCER and not url.endswith("/lbaas"):
        return f"{url}/lbaas"
    return url
