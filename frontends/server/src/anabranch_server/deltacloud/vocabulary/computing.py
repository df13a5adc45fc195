"""Realms, hardware profiles, images, instances, keys and metrics."""

from __future__ import annotations

from typing import Final

from anabranch import Feature, InstanceState
from anabranch_server.deltacloud.vocabulary.words import (
    ID,
    Action,
    Collection,
    Parameter,
    create,
    destroy,
)

__all__ = ["COMPUTING"]

_REALM: Final = Parameter("realm_id", kind="realms")
_MOST_FILES: Final = 5

_CREATE_INSTANCE: Final = create(
    "create_instance",
    Parameter("image_id", required=True, kind="images"),
    _REALM,
    Parameter("hwp_id", kind="hardware_profiles", field="hardware_profile_id"),
    Parameter("name", feature=Feature.USER_NAME),
    *(
        Parameter(
            name, kind=kind, least=0, feature=Feature.HARDWARE_PROFILES, field=field, help=told
        )
        for name, kind, field, told in (
            ("hwp_cpu", "decimal", "hardware.cpu", "number of processors"),
            ("hwp_memory", "number", "hardware.memory_mib", "MB"),
            ("hwp_storage", "decimal", "hardware.storage_gb", "GB"),
            ("hwp_architecture", "text", "hardware.architecture", ""),
        )
    ),
    Parameter("keyname", kind="keys", feature=Feature.AUTHENTICATION_KEY, field="key_id"),
    Parameter("password", kind="password", feature=Feature.AUTHENTICATION_PASSWORD),
    Parameter(
        "user_data",
        kind="base64",
        feature=Feature.USER_DATA,
        help="handed to the instance at boot, in base64; a file as it is",
    ),
    Parameter(
        "user_iso",
        kind="base64",
        feature=Feature.USER_ISO,
        help="a gzipped ISO image to insert, in base64; a file as it is",
    ),
    Parameter(
        "path",
        numbered="path{}",
        count=_MOST_FILES,
        feature=Feature.USER_FILES,
        help="where to put the content of the same number",
    ),
    Parameter(
        "content",
        kind="file",
        numbered="content{}",
        count=_MOST_FILES,
        feature=Feature.USER_FILES,
        help="a file, or its text",
    ),
    Parameter(
        "firewalls",
        kind="firewalls",
        numbered="firewalls{}",
        feature=Feature.FIREWALLS,
        field="firewall_ids",
    ),
    Parameter(
        "networks",
        kind="networks",
        numbered="networks{}",
        feature=Feature.NETWORKS,
        field="network_ids",
    ),
    Parameter("metrics", kind="flag", feature=Feature.METRICS, help="measure it in detail"),
    Parameter("snapshot_id", kind="storage_snapshots", feature=Feature.ATTACH_SNAPSHOT),
    Parameter("device_name", feature=Feature.ATTACH_SNAPSHOT),
    Parameter(
        "load_balancer_id",
        kind="load_balancers",
        feature=Feature.REGISTER_TO_LOAD_BALANCER,
    ),
    Parameter("sandbox", kind="flag", feature=Feature.SANDBOXING),
    Parameter("tags", kind="pair", numbered="tags{}", feature=Feature.TAGS, help="NAME=VALUE"),
    Parameter(
        "client_token",
        feature=Feature.CLIENT_TOKEN,
        help="a unique token by which it can be found again",
    ),
    Parameter(
        "instance_count",
        kind="number",
        least=1,
        operation="create_instances",
        help="how many equal ones",
    ),
)

COMPUTING: Final = (
    Collection(name="realms", singular="realm", title="Realms", filters=(ID,)),
    Collection(
        name="hardware_profiles",
        singular="hardware_profile",
        title="Hardware profiles",
        filters=(ID, Parameter("architecture")),
    ),
    Collection(
        name="images",
        singular="image",
        title="Images",
        filters=(
            ID,
            Parameter("owner_id", feature=Feature.OWNER_FILTER),
            Parameter("architecture", feature=Feature.ARCHITECTURE_FILTER),
        ),
        actions=(
            create(
                "create_image",
                Parameter("instance_id", required=True, kind="instances"),
                Parameter("name", feature=Feature.IMAGE_NAME),
                Parameter("description", feature=Feature.IMAGE_DESCRIPTION),
                Parameter(
                    "tags",
                    kind="pair",
                    numbered="tags{}",
                    feature=Feature.IMAGE_TAGS,
                    help="NAME=VALUE",
                ),
            ),
            destroy("destroy_image"),
        ),
    ),
    Collection(
        name="instances",
        singular="instance",
        title="Instances",
        filters=(
            ID,
            Parameter("state", choices=tuple(InstanceState)),
            Parameter("realm_id", kind="realms", feature=Feature.REALM_FILTER),
            Parameter("owner_id"),
        ),
        actions=(
            _CREATE_INSTANCE,
            Action(name="start", operation="start_instance", paths=("start",)),
            Action(name="stop", operation="stop_instance", paths=("stop",)),
            Action(
                name="reboot",
                operation="reboot_instance",
                paths=("reboot",),
                parameters=(
                    Parameter(
                        "hard", kind="flag", feature=Feature.HARD_REBOOT, help="cut its power"
                    ),
                ),
            ),
            Action(
                name="rename",
                operation="rename_instance",
                paths=("rename",),
                parameters=(Parameter("name", required=True),),
            ),
            Action(
                name="resize",
                operation="resize_instance",
                paths=("resize",),
                parameters=(
                    Parameter(
                        "hwp_id",
                        required=True,
                        kind="hardware_profiles",
                        field="hardware_profile_id",
                    ),
                ),
            ),
            Action(
                name="tags",
                operation="set_instance_tags",
                verb="set_tags",
                paths=("tags",),
                parameters=(
                    Parameter(
                        "tags",
                        kind="pair",
                        numbered="tags{}",
                        help="NAME=VALUE; these replace all others, and none takes all away",
                    ),
                ),
            ),
            Action(
                name="run",
                operation="run_instance",  # of the daemon, not of the broker
                paths=("run",),
                status=200,
                parameters=(
                    Parameter("cmd", required=True, kind="area", help="shell command"),
                    Parameter("user", help="who to log in as; else root"),
                    Parameter("password", kind="password"),
                    Parameter("private_key", kind="area", help="PEM or OpenSSH format"),
                    Parameter("ip", help="which of its public addresses"),
                    Parameter("port", kind="number", least=1, most=65535, help="else 22"),
                ),
            ),
            destroy("destroy_instance"),
        ),
    ),
    Collection(
        name="keys",
        singular="key",
        title="Keys",
        filters=(ID,),
        actions=(
            create(
                "create_key",
                Parameter("name", required=True),
                Parameter(
                    "public_key",
                    kind="area",
                    feature=Feature.IMPORT_KEY,
                    help="in OpenSSH format; without it a pair is made",
                ),
            ),
            destroy("destroy_key"),
        ),
    ),
    Collection(name="metrics", singular="metric", title="Metrics", filters=(ID,)),
)
"""Its collections."""
