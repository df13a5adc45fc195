"""Features: optional parameters of operations that a driver may honour, and says so.

A parameter whose feature the driver does not declare is refused before anything is sent; it is
never silently dropped. The names of Deltacloud's features are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

__all__ = ["FEATURES", "Feature", "Offer", "Parameters", "offered_by", "offers", "requested"]

F = TypeVar("F", bound=Callable[..., Any])


class Feature(StrEnum):
    """The features that there are."""

    ADDRESS_NETWORK = "address_network"
    ADDRESS_REALM = "address_realm"
    ARCHITECTURE_FILTER = "architecture"
    ATTACH_SNAPSHOT = "attach_snapshot"
    AUTHENTICATION_KEY = "authentication_key"
    AUTHENTICATION_PASSWORD = "authentication_password"
    BUCKET_LOCATION = "bucket_location"
    CLIENT_TOKEN = "client_token"
    FIREWALLS = "firewalls"
    HARD_REBOOT = "hard_reboot"
    HARDWARE_PROFILES = "hardware_profiles"
    IMAGE_DESCRIPTION = "image_description"
    IMAGE_NAME = "image_name"
    IMAGE_TAGS = "image_tags"
    IMPORT_KEY = "import_key"
    LOAD_BALANCER_NETWORK = "load_balancer_network"
    METRICS = "metrics"
    NETWORKS = "networks"
    OWNER_FILTER = "owner_id"
    REALM_FILTER = "realm_filter"
    REGISTER_TO_LOAD_BALANCER = "register_to_load_balancer"
    SANDBOXING = "sandboxing"
    SNAPSHOT_DESCRIPTION = "snapshot_description"
    SNAPSHOT_NAME = "snapshot_name"
    SNAPSHOT_OF_INSTANCE = "snapshot_of_instance"
    SNAPSHOT_OF_VOLUME = "snapshot_of_volume"
    TAGS = "tags"
    USER_DATA = "user_data"
    USER_FILES = "user_files"
    USER_ISO = "user_iso"
    USER_NAME = "user_name"
    VOLUME_DESCRIPTION = "volume_description"
    VOLUME_KIND = "volume_kind"
    VOLUME_NAME = "volume_name"
    VOLUME_TAGS = "volume_tags"


class Parameters(NamedTuple):
    """Where a feature is asked for: fields of the operation's spec, arguments, or filters."""

    operations: tuple[str, ...]
    fields: tuple[str, ...]


_CREATE_INSTANCE = ("create_instance", "create_instances")


def _of(operations: tuple[str, ...] | str, *fields: str) -> Parameters:
    return Parameters((operations,) if isinstance(operations, str) else operations, fields)


FEATURES: Final[Mapping[Feature, Parameters]] = {
    Feature.ADDRESS_NETWORK: _of("create_address", "network_id"),
    Feature.ADDRESS_REALM: _of("create_address", "realm_id"),
    Feature.ARCHITECTURE_FILTER: _of("list_images", "architecture"),
    Feature.ATTACH_SNAPSHOT: _of(_CREATE_INSTANCE, "snapshot_id", "device_name"),
    Feature.AUTHENTICATION_KEY: _of(_CREATE_INSTANCE, "key_id"),
    Feature.AUTHENTICATION_PASSWORD: _of(_CREATE_INSTANCE, "password"),
    Feature.BUCKET_LOCATION: _of("create_bucket", "location"),
    Feature.CLIENT_TOKEN: _of(_CREATE_INSTANCE, "client_token"),
    Feature.FIREWALLS: _of(_CREATE_INSTANCE, "firewall_ids"),
    Feature.HARD_REBOOT: _of("reboot_instance", "hard"),
    Feature.HARDWARE_PROFILES: _of(_CREATE_INSTANCE, "hardware"),
    Feature.IMAGE_DESCRIPTION: _of("create_image", "description"),
    Feature.IMAGE_NAME: _of("create_image", "name"),
    Feature.IMAGE_TAGS: _of("create_image", "tags"),
    Feature.IMPORT_KEY: _of("create_key", "public_key"),
    Feature.LOAD_BALANCER_NETWORK: _of("create_load_balancer", "network_id"),
    Feature.METRICS: _of(_CREATE_INSTANCE, "metrics"),
    Feature.NETWORKS: _of(_CREATE_INSTANCE, "network_ids"),
    Feature.OWNER_FILTER: _of("list_images", "owner_id"),
    Feature.REALM_FILTER: _of("list_instances", "realm_id"),
    Feature.REGISTER_TO_LOAD_BALANCER: _of(_CREATE_INSTANCE, "load_balancer_id"),
    Feature.SANDBOXING: _of(_CREATE_INSTANCE, "sandbox"),
    Feature.SNAPSHOT_DESCRIPTION: _of("create_storage_snapshot", "description"),
    Feature.SNAPSHOT_NAME: _of("create_storage_snapshot", "name"),
    Feature.SNAPSHOT_OF_INSTANCE: _of("create_storage_snapshot", "instance_id"),
    Feature.SNAPSHOT_OF_VOLUME: _of("create_storage_snapshot", "storage_volume_id"),
    Feature.TAGS: _of(_CREATE_INSTANCE, "tags"),
    Feature.USER_DATA: _of(_CREATE_INSTANCE, "user_data"),
    Feature.USER_FILES: _of(_CREATE_INSTANCE, "user_files"),
    Feature.USER_ISO: _of(_CREATE_INSTANCE, "user_iso"),
    Feature.USER_NAME: _of(_CREATE_INSTANCE, "name"),
    Feature.VOLUME_DESCRIPTION: _of("create_storage_volume", "description"),
    Feature.VOLUME_KIND: _of("create_storage_volume", "kind"),
    Feature.VOLUME_NAME: _of("create_storage_volume", "name"),
    Feature.VOLUME_TAGS: _of("create_storage_volume", "tags"),
}


class Offer(NamedTuple):
    """The features that one hookimpl declares, and the limits of some of them."""

    features: frozenset[Feature]
    constraints: Mapping[Feature, Mapping[str, str]]


_ATTRIBUTE = "anabranch_offer"
NO_OFFER: Final = Offer(frozenset(), {})


def offers(
    *features: Feature, constraints: Mapping[Feature, Mapping[str, str]] | None = None
) -> Callable[[F], F]:
    """Declare, beside `@hookimpl`, which features the operation honours.

    Args:
        *features: The features.
        constraints: Limits to tell users of: `{Feature.USER_NAME: {"max_length": "63"}}`.

    Raises:
        ValueError: a feature is not one of that operation (at decoration time).
    """

    def declare(hookimpl: F) -> F:
        for feature in features:
            if hookimpl.__name__ not in FEATURES[feature].operations:
                msg = f"{feature} is no feature of {hookimpl.__name__}"
                raise ValueError(msg)
        setattr(hookimpl, _ATTRIBUTE, Offer(frozenset(features), constraints or {}))
        return hookimpl

    return declare


def offered_by(hookimpl: Callable[..., Any]) -> Offer:
    """Return what `offers` declared for `hookimpl`."""
    offer: Offer = getattr(hookimpl, _ATTRIBUTE, NO_OFFER)
    return offer


def requested(operation: str, arguments: Mapping[str, Any]) -> dict[Feature, str]:
    """Tell which features a call asks for, each with the parameter that asks for it.

    A parameter asks for its feature when it is neither empty nor its default (or, as an argument
    of the hook itself, neither None nor False); a filter, when it is there.
    """
    found: dict[Feature, str] = {}
    for feature, field in _BY_OPERATION.get(operation, ()):
        for name, value in arguments.items():
            if name == field:
                asked = value is not None and value is not False
            elif name == "where":
                asked = field in value
            elif isinstance(value, msgspec.Struct):
                asked = field in _not_default(value)
            else:
                asked = False
            if asked:
                found.setdefault(feature, field)
    return found


def _not_default(spec: msgspec.Struct) -> set[str]:
    return {
        field.name
        for field in msgspec.structs.fields(type(spec))
        if (value := getattr(spec, field.name)) is not None
        and value != field.default
        and (value or not isinstance(value, Collection))
    }


_BY_OPERATION: dict[str, list[tuple[Feature, str]]] = {}
for _feature, _parameters in FEATURES.items():
    for _operation in _parameters.operations:
        _BY_OPERATION.setdefault(_operation, []).extend((_feature, f) for f in _parameters.fields)
