"""Tags: names and values on resources of every kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from anabranch.errors import CloudError
from anabranch_cloudstack.client import Session

__all__ = ["add_tags", "made_untagged", "remove_tags"]


async def add_tags(session: Session, kind: str, resource_id: str, tags: Mapping[str, str]) -> None:
    """Give a resource tags that it has not; nothing is asked for none.

    Args:
        session: Where.
        kind: CloudStack's type of the resource: `UserVm`, `Volume`, …
        resource_id: The resource.
        tags: Names and values.

    Raises:
        Conflict: it has a tag of such a name: CloudStack changes none.
    """
    if not tags:
        return
    parameters = {"resourceids": resource_id, "resourcetype": kind}
    for index, (name, value) in enumerate(tags.items()):
        parameters[f"tags[{index}].key"] = name
        parameters[f"tags[{index}].value"] = value
    await session.carry_out("createTags", parameters)


async def remove_tags(session: Session, kind: str, resource_id: str, names: Iterable[str]) -> None:
    """Take tags from a resource by their names; nothing is asked for none."""
    parameters = {"resourceids": resource_id, "resourcetype": kind}
    for index, name in enumerate(names):
        parameters[f"tags[{index}].key"] = name
    if len(parameters) > 2:
        await session.carry_out("deleteTags", parameters, idempotent=True)


def made_untagged(exc: CloudError, what: str) -> CloudError:
    """Return the error again, saying that the thing itself is there."""
    exc.message = f"{what} was made, but its tags were not: {exc.message}"
    return exc
