"""The settings of an OpenStack cloud, in the spelling of `clouds.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings

__all__ = ["AuthSettings", "AuthType", "OpenStackSettings"]

AuthType = Literal["password", "token", "application_credential"]

_Text = str | None


def _override(service: str) -> Meta:
    return Meta(description=f"URL of the {service} service instead of the catalog's")


class AuthSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Who logs in, where, and to what. A name needs its domain; an id does not."""

    auth_url: Annotated[str, Meta(description="URL of keystone, with or without /v3")]
    username: Annotated[_Text, Meta(description="Name of the user")] = None
    user_id: Annotated[_Text, Meta(description="Id of the user, instead of the name")] = None
    user_domain_name: Annotated[_Text, Meta(description="Name of the user's domain")] = None
    user_domain_id: Annotated[_Text, Meta(description="Id of the user's domain")] = None
    password: Annotated[SecretStr | None, Meta(description="Password of the user")] = None
    project_name: Annotated[_Text, Meta(description="Name of the project to work in")] = None
    project_id: Annotated[_Text, Meta(description="Id of the project to work in")] = None
    project_domain_name: Annotated[_Text, Meta(description="Name of the project's domain")] = None
    project_domain_id: Annotated[_Text, Meta(description="Id of the project's domain")] = None
    domain_name: Annotated[_Text, Meta(description="Domain to work in, instead of a project")] = (
        None
    )
    domain_id: Annotated[_Text, Meta(description="Id of the domain to work in")] = None
    system_scope: Annotated[
        Literal["all"] | None, Meta(description="`all`: work on the system itself")
    ] = None
    default_domain_name: Annotated[
        _Text, Meta(description="Name of the domain of user and project that have none")
    ] = None
    default_domain_id: Annotated[
        _Text,
        Meta(description="Id of the domain of user and project that have none; unset: `default`"),
    ] = None
    application_credential_id: Annotated[
        _Text, Meta(description="Id of the application credential")
    ] = None
    application_credential_name: Annotated[
        _Text, Meta(description="Name of the application credential, with its user")
    ] = None
    application_credential_secret: Annotated[
        SecretStr | None, Meta(description="Secret of the application credential")
    ] = None
    token: Annotated[SecretStr | None, Meta(description="Token to log in with")] = None


class OpenStackSettings(CloudSettings, frozen=True, kw_only=True):
    """What can be set for an OpenStack cloud."""

    auth: Annotated[AuthSettings, Meta(description="Who logs in, where, and to what")]
    cloud: Annotated[
        _Text,
        Meta(description="Cloud of the user's clouds.yaml to start from; `envvars`: the OS_* ones"),
    ] = None
    clouds_file: Annotated[
        _Text, Meta(description="File to look for `cloud` in; unset: where OpenStack's tools look")
    ] = None
    auth_type: Annotated[
        AuthType | None,
        Meta(description="How to log in; unset: by what `auth` holds"),
    ] = None
    region_name: Annotated[_Text, Meta(description="Region; needed where there are several")] = None
    interface: Annotated[
        Literal["public", "internal", "admin"],
        Meta(description="Which of the catalog's endpoints to use"),
    ] = "public"
    identity_api_version: Annotated[
        Literal["3"], Meta(description="Accepted for the sake of clouds.yaml; only 3 there is")
    ] = "3"
    page_size: Annotated[
        int, Meta(ge=1, le=10_000, description="Items to ask for per page of a list")
    ] = 500
    default_network: Annotated[
        _Text,
        Meta(
            description="Network of instances that name none: an id, `auto` or `none`; "
            "unset: nova decides"
        ),
    ] = None
    default_hardware_profile: Annotated[
        _Text, Meta(description="Id of the flavor of instances that name none; unset: the smallest")
    ] = None
    default_address_network: Annotated[
        _Text,
        Meta(
            description="Id of the network that addresses are taken from where none is named; "
            "unset: the only external one"
        ),
    ] = None
    resize_timeout: Annotated[
        float, Meta(gt=0, description="Seconds to wait for a resize before its confirmation")
    ] = 600.0
    load_balancer_timeout: Annotated[
        float,
        Meta(gt=0, description="Seconds to wait until a load balancer can be changed"),
    ] = 300.0
    attach_timeout: Annotated[
        float, Meta(gt=0, description="Seconds to wait until a volume is attached or detached")
    ] = 50.0
    load_balancer_algorithm: Annotated[
        Literal["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP", "SOURCE_IP_PORT"],
        Meta(
            description="How new load balancers choose an instance; octavia's provider `ovn` "
            "knows SOURCE_IP_PORT alone"
        ),
    ] = "ROUND_ROBIN"
    compute_endpoint_override: Annotated[_Text, _override("compute")] = None
    image_endpoint_override: Annotated[_Text, _override("image")] = None
    network_endpoint_override: Annotated[_Text, _override("network")] = None
    block_storage_endpoint_override: Annotated[_Text, _override("block storage")] = None
    load_balancer_endpoint_override: Annotated[_Text, _override("load balancer")] = None
    object_store_endpoint_override: Annotated[_Text, _override("object store")] = None
    metric_endpoint_override: Annotated[_Text, _override("metric")] = None
