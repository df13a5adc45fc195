"""The settings of a PACI cloud."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings

__all__ = ["DEFAULT_PROFILES", "PaciSettings", "ProfileSettings", "SizeRange"]


class SizeRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A size that users may choose: the usual value, the least and the greatest."""

    value: Annotated[int, Meta(ge=1, description="The usual value")]
    first: Annotated[int, Meta(ge=1, description="The least")]
    last: Annotated[int, Meta(ge=1, description="The greatest")]


Size = Annotated[int, Meta(ge=1)] | SizeRange


class ProfileSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hardware profile. A number is a fixed size; a range may be chosen from."""

    name: Annotated[str, Meta(min_length=1, description="Its name, and its id")]
    cpu: Annotated[Size, Meta(description="Number of processors")]
    memory_mib: Annotated[Size, Meta(description="Main memory, MiB")]
    storage_gb: Annotated[Size, Meta(description="Root disk, GB")]


_SOLD: Final = ((1, 512, 10), (1, 1024, 50), (2, 2048, 100), (2, 4096, 250), (2, 8192, 500))
_LARGEST: Final = (4, 16384, 1000)


def _sold() -> tuple[ProfileSettings, ...]:
    names = ("cpu", "memory_mib", "storage_gb")
    first, last = dict(zip(names, _SOLD[0], strict=True)), dict(zip(names, _LARGEST, strict=True))
    return tuple(
        ProfileSettings(
            name=f"cpu{sizes[0]}-mem{sizes[1]}-disk{sizes[2]}",
            **{
                name: SizeRange(value=size, first=first[name], last=last[name])
                for name, size in zip(names, sizes, strict=True)
            },
        )
        for sizes in (*_SOLD, _LARGEST)
    )


DEFAULT_PROFILES: Final = _sold()
"""What Lunacloud sold, as Deltacloud's driver lists it; each size ranges over what all have."""


class PaciSettings(CloudSettings, frozen=True, kw_only=True):
    """What can be set for a PACI cloud."""

    endpoint: Annotated[
        str,
        Meta(
            pattern="^[Hh][Tt][Tt][Pp][Ss]?://",
            description="URL of the API; `/paci/v1.0` is added to one without a path",
        ),
    ]
    username: Annotated[str, Meta(description="Login of the account; often an e-mail address")]
    password: Annotated[
        SecretStr, Meta(description="Password of the account, or an API key from its control panel")
    ]
    subscription: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Id of the subscription to work in; unset: all, new things in the usual"),
    ] = None
    hardware_profiles: Annotated[
        tuple[ProfileSettings, ...],
        Meta(min_length=1, description="Sizes that servers come in: the platform has none"),
    ] = DEFAULT_PROFILES
    cpu_power: Annotated[
        int, Meta(ge=1, description="Power of each processor of new servers, MHz")
    ] = 1600
    bandwidth: Annotated[int, Meta(ge=1, description="Bandwidth of new servers, kbit/s")] = 10240
    public_ipv4: Annotated[
        int, Meta(ge=0, le=255, description="Number of public IPv4 addresses of new servers")
    ] = 1
    public_ipv6: Annotated[
        int, Meta(ge=0, le=255, description="Number of public IPv6 addresses of new servers")
    ] = 0
    backup_schedule: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Name of the backup schedule of new servers; unset: none"),
    ] = None
    page_size: Annotated[
        int, Meta(ge=1, le=1000, description="Servers whose details make one page of a list")
    ] = 64
    max_connections: Annotated[
        int, Meta(ge=1, le=64, description="Connections to the cloud at once")
    ] = 16
    detail_concurrency: Annotated[
        int,
        Meta(
            ge=1,
            le=64,
            description="Details of a list that are asked for at once, as far as there are "
            "connections",
        ),
    ] = 16
    create_wait: Annotated[
        float,
        Meta(ge=0, description="Seconds to wait for a new server in order to start it, at most"),
    ] = 45.0
    stop_wait: Annotated[
        float,
        Meta(ge=0, description="Seconds to wait for a stop, of reboot and destroy, at most"),
    ] = 45.0
    console_wait: Annotated[
        float, Meta(ge=0, description="Seconds to wait for the address of a console, at most")
    ] = 15.0
    backup_days: Annotated[
        int, Meta(ge=1, le=36500, description="Days back that backups are listed of")
    ] = 365
    usage_hours: Annotated[
        int, Meta(ge=1, le=87600, description="Hours back that metrics tell the usage of")
    ] = 24
