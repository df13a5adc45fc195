"""The settings of a CloudStack cloud; the first names are those of `cloudstack.ini`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings

__all__ = ["CloudStackSettings"]

_Text = str | None


class CloudStackSettings(CloudSettings, frozen=True, kw_only=True):
    """What can be set for a CloudStack cloud."""

    endpoint: Annotated[str, Meta(description="URL of the API, mostly http(s)://HOST/client/api")]
    key: Annotated[SecretStr, Meta(description="API key of the user")]
    secret: Annotated[SecretStr, Meta(description="Secret key of the user")]
    region: Annotated[
        _Text,
        Meta(
            description="Section of the user's cloudstack.ini to start from; "
            "`envvars`: the CLOUDSTACK_* variables"
        ),
    ] = None
    config_file: Annotated[
        _Text, Meta(description="File to look for `region` in; unset: where `cs` looks")
    ] = None
    project_id: Annotated[
        _Text, Meta(description="Id of the project to work in; unset: the account itself")
    ] = None
    list_all: Annotated[
        bool, Meta(description="Whether an administrator's lists show all accounts")
    ] = False
    zone: Annotated[
        _Text,
        Meta(description="Id or name of the zone of what names no realm; unset: the first enabled"),
    ] = None
    service_offering: Annotated[
        _Text,
        Meta(description="Id of the offering of instances that name none; unset: the smallest"),
    ] = None
    network: Annotated[
        _Text,
        Meta(description="Id of the network of instances that name none; unset: CloudStack's"),
    ] = None
    cpu_speed_mhz: Annotated[
        int,
        Meta(ge=1, description="MHz per processor where neither offering nor instance tells"),
    ] = 1000
    disk_offering: Annotated[
        _Text,
        Meta(description="Id of the disk offering of volumes; unset: one of the size, or custom"),
    ] = None
    vpc_block: Annotated[
        str,
        Meta(description="CIDR block of networks that are made without one, for subnets: VPCs"),
    ] = "10.0.0.0/8"
    network_offering: Annotated[
        _Text, Meta(description="Id of the offering of isolated networks; unset: the default one")
    ] = None
    tier_offering: Annotated[
        _Text, Meta(description="Id of the offering of VPC tiers; unset: the first usable")
    ] = None
    vpc_offering: Annotated[
        _Text, Meta(description="Id of the offering of VPCs; unset: the default one")
    ] = None
    expunge: Annotated[
        bool | None,
        Meta(
            description="Whether destroying an instance leaves nothing to recover; "
            "unset: where the account may"
        ),
    ] = None
    wait_for_deployment: Annotated[
        bool,
        Meta(description="Whether create waits until the instance runs, which tells its password"),
    ] = False
    page_size: Annotated[
        int,
        Meta(
            ge=1,
            le=500,
            description="Items to ask for per page of a list; where the cloud allows fewer, those",
        ),
    ] = 500
    signature_lifetime: Annotated[
        float,
        Meta(
            ge=60,
            le=900,
            description="Seconds until a signed request expires; this clock may be off by less",
        ),
    ] = 600.0
    job_timeout: Annotated[
        float, Meta(gt=0, description="Seconds to wait for an asynchronous job that is awaited")
    ] = 600.0
    job_first_pause: Annotated[
        float, Meta(gt=0, description="Seconds before a job is looked at first; it grows by half")
    ] = 0.2
    job_longest_pause: Annotated[
        float, Meta(gt=0, description="Seconds between two looks at a job at most")
    ] = 5.0
