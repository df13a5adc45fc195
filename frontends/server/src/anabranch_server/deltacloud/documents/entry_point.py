"""The entry point: which collections there are, and what their operations take beyond the usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from anabranch_server.deltacloud.documents.markup import attribute, text

__all__ = [
    "CollectionLink",
    "EntryPoint",
    "FeatureEntry",
    "entry_point_plain",
    "entry_point_xml",
]


class FeatureEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A feature of an operation.

    Attributes:
        name: Deltacloud's name of it (`user_name`).
        operation: The operation that it extends (`create`).
        params: The parameters that it adds.
        constraints: Limits of those, by name.
    """

    name: str
    operation: str
    params: tuple[str, ...] = ()
    constraints: Mapping[str, str] = {}


class CollectionLink(msgspec.Struct, frozen=True, kw_only=True):
    """A collection that is served.

    Attributes:
        name: Its name.
        href: Its URL.
        features: What its operations take beyond the usual.
    """

    name: str
    href: str
    features: tuple[FeatureEntry, ...] = ()


class EntryPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What is served.

    Attributes:
        version: Version of Deltacloud's API.
        driver: Kind of the driver that is asked.
        provider: The provider that was chosen, or None.
        links: The collections.
    """

    version: str
    driver: str
    provider: str | None = None
    links: tuple[CollectionLink, ...] = ()


def entry_point_xml(entry: EntryPoint) -> bytes:
    """Return the entry point; as in Deltacloud, without a declaration."""
    provider = "" if entry.provider is None else f" provider='{attribute(entry.provider)}'"
    links = "".join(
        f"  <link href='{attribute(link.href)}' rel='{attribute(link.name)}'>\n"
        f"{''.join(_feature(feature) for feature in link.features)}  </link>\n"
        for link in entry.links
    )
    return (
        f"<api driver='{attribute(entry.driver)}'{provider} version='{attribute(entry.version)}'>\n"
        f"{links}</api>\n"
    ).encode()


def _feature(feature: FeatureEntry) -> str:
    params = "".join(f"      <param name='{attribute(name)}' />\n" for name in feature.params)
    constraints = "".join(
        f"      <constraint name='{attribute(name)}'>{text(value)}</constraint>\n"
        for name, value in feature.constraints.items()
    )
    return (
        f"    <feature name='{attribute(feature.name)}' rel='{attribute(feature.operation)}'>\n"
        f"{params}{constraints}    </feature>\n"
    )


def entry_point_plain(entry: EntryPoint) -> dict[str, Any]:
    """Return the entry point for JSON."""
    return {
        "api": {
            "version": entry.version,
            "driver": entry.driver,
            "provider": "default" if entry.provider is None else entry.provider,
            "links": [
                {
                    "rel": link.name,
                    "href": link.href,
                    # Deltacloud: a list per feature, with an item per operation that it extends.
                    "features": [[_plain_feature(feature)] for feature in link.features],
                }
                for link in entry.links
            ],
        }
    }


def _plain_feature(feature: FeatureEntry) -> dict[str, Any]:
    return {
        "name": feature.name,
        "rel": feature.operation,
        "params": [f"{name}:string:optional" for name in feature.params],
        "constraints": dict(feature.constraints),
    }
