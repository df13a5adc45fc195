"""The settings of an OpenNebula cloud."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings

__all__ = ["HardwareProfileSettings", "OpenNebulaSettings"]

_Text = str | None
_Id = Annotated[str, Meta(pattern="^[0-9]{1,9}$")]


class HardwareProfileSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One size in which instances come: OpenNebula has no objects for those."""

    name: Annotated[
        str,
        Meta(
            pattern="^(?![0-9]+$).+",
            max_length=128,
            description="Its name and id; no mere number, for those are the ids of templates",
        ),
    ]
    vcpu: Annotated[int, Meta(ge=1, description="Virtual processors")] = 1
    cpu: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Physical processors' worth of time; unset: as many as `vcpu`"),
    ] = None
    memory_mib: Annotated[int, Meta(ge=1, description="Main memory, MiB")]
    storage_gb: Annotated[
        int, Meta(ge=0, description="Root disk, GiB; 0: as large as the image")
    ] = 0
    template_id: Annotated[
        _Id | None,
        Meta(description="Id of the VM template to take all the rest from; unset: none"),
    ] = None


class OpenNebulaSettings(CloudSettings, frozen=True, kw_only=True):
    """What can be set for an OpenNebula cloud."""

    endpoint: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^/@?#\s]+(/[^@?#\s]*)?$",
            description="URL of the XML-RPC API, with its path, mostly /RPC2",
        ),
    ]
    username: Annotated[_Text, Meta(description="Name of the user")] = None
    password: Annotated[
        SecretStr | None, Meta(description="Password of the user, or a login token")
    ] = None
    auth_file: Annotated[
        _Text,
        Meta(description="File that holds `user:password`, instead of the two; as ONE_AUTH names"),
    ] = None
    page_size: Annotated[
        int, Meta(ge=1, le=1000, description="Items to ask for per page of a list")
    ] = 200
    scope: Annotated[
        Literal["all", "group", "mine"],
        Meta(
            description="Whose instances and volumes are listed: all that the user may use, those "
            "of the user's groups, or the user's own"
        ),
    ] = "all"
    max_connections: Annotated[
        int,
        Meta(
            ge=1,
            le=8,
            description="Connections to the cloud at once; oned serves 15 of all its users",
        ),
    ] = 8
    request_timeout: Annotated[
        float,
        Meta(gt=0, description="Seconds that one request may take; oned stalls for 10 at times"),
    ] = 30.0
    hardware_profiles: Annotated[
        tuple[HardwareProfileSettings, ...],
        Meta(description="Sizes in which instances come, beside the cloud's VM templates"),
    ] = ()
    default_hardware_profile: Annotated[
        _Text,
        Meta(
            description="Id of the profile of instances that name none; unset: the smallest one, "
            "of `hardware_profiles` if there are any"
        ),
    ] = None
    default_networks: Annotated[
        tuple[_Id, ...],
        Meta(
            description="Ids of the networks of instances that name none; unset: those of the "
            "template"
        ),
    ] = ()
    public_networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Ids or names of the networks whose addresses are public, though they "
            "are none by their numbers; the first one gives the addresses that are reserved"
        ),
    ] = ()
    network_template_id: Annotated[
        _Id | None,
        Meta(
            description="Id of the network template to make networks of; unset: they are "
            "reservations in other networks"
        ),
    ] = None
    network_size: Annotated[
        int,
        Meta(
            ge=2,
            le=65_536,
            description="Addresses to reserve for a network that is made without a block",
        ),
    ] = 16
    datastore_id: Annotated[
        _Id | None,
        Meta(
            description="Id of the datastore of volumes that name none; unset: the image "
            "datastore with the most room"
        ),
    ] = None
    destroy_patience: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds that a guest may take to shut down when it is destroyed, before "
            "its power is cut; 0: it is cut at once",
        ),
    ] = 15.0
    destroy_timeout: Annotated[
        float,
        Meta(
            gt=0,
            description="Seconds to try to destroy an instance that cannot be, while it boots",
        ),
    ] = 50.0
    change_timeout: Annotated[
        float,
        Meta(
            gt=0,
            description="Seconds to wait for a disk, an interface or a snapshot to be there, or "
            "gone",
        ),
    ] = 50.0
