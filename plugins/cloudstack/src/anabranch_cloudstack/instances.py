"""Instances: virtual machines, read, made, destroyed, renamed and tagged."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from anabranch.errors import CloudError, InvalidRequest, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Authentication, Instance, InstanceSpec
from anabranch.paging import Page
from anabranch.states import InstanceState
from anabranch_cloudstack import convert, jobs, wire
from anabranch_cloudstack.capabilities import may_expunge
from anabranch_cloudstack.client import Accepted, CloudStackCloud, session
from anabranch_cloudstack.launching import MOST_USER_DATA, deployment, refined
from anabranch_cloudstack.machines import DETAILS, VM, Undertaking, show, undertakings
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.states import view
from anabranch_cloudstack.tagging import add_tags, made_untagged, remove_tags

__all__ = ["Instances"]

_LIMITS: Final[Mapping[Feature, Mapping[str, str]]] = {
    Feature.USER_DATA: {"max_length": str(MOST_USER_DATA)},
    Feature.USER_NAME: {"max_length": "255"},
}


class Instances(InstancesSpec[CloudStackSettings]):
    """Virtual machines: read, make, destroy, rename, tag."""

    @hookimpl
    @offers(Feature.REALM_FILTER)
    async def list_instances(
        self, cloud: CloudStackCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Instance]:
        cloudstack = session(cloud)
        return await cloudstack.page(
            "listVirtualMachines",
            reader=VM,
            convert=partial(convert.instance, cloud.name),
            cursor=cursor,
            parameters={
                "details": DETAILS,
                "zoneid": where.get("realm_id"),
                **cloudstack.scope,
            },
        )

    @hookimpl
    async def get_instance(self, cloud: CloudStackCloud, instance_id: str) -> Instance:
        return await show(cloud, instance_id)

    @hookimpl
    @offers(
        Feature.AUTHENTICATION_KEY,
        Feature.CLIENT_TOKEN,
        Feature.FIREWALLS,
        Feature.HARDWARE_PROFILES,
        Feature.NETWORKS,
        Feature.TAGS,
        Feature.USER_DATA,
        Feature.USER_NAME,
        constraints=_LIMITS,
    )
    async def create_instance(self, cloud: CloudStackCloud, spec: InstanceSpec) -> Instance:
        try:
            accepted, parameters = await _deploy(cloud, spec)
        except NotFound as exc:  # of what the specification names
            raise InvalidRequest(exc.message, provider_code=exc.provider_code) from exc
        instance_id = accepted.made
        if accepted.jobid:
            undertaking = Undertaking(accepted.jobid, InstanceState.PENDING)
            undertakings(cloud).begin(instance_id, undertaking)
        try:
            await add_tags(session(cloud), "UserVm", instance_id, spec.tags)
        except CloudError as exc:
            raise made_untagged(exc, f"the instance {instance_id}") from exc
        if cloud.settings.wait_for_deployment and accepted.jobid:
            made = await _deployed(cloud, instance_id, accepted.jobid)
            return msgspec.structs.replace(made, tags=dict(spec.tags))
        return _accepted(cloud, spec, instance_id, parameters)

    @hookimpl
    async def rename_instance(
        self, cloud: CloudStackCloud, instance_id: str, name: str
    ) -> Instance:
        cloudstack = session(cloud)
        await cloudstack.carry_out(
            "updateVirtualMachine", {"id": instance_id, "displayname": name}, idempotent=True
        )
        return await show(cloud, instance_id)

    @hookimpl
    async def destroy_instance(self, cloud: CloudStackCloud, instance_id: str) -> None:
        expunge = await may_expunge(cloud)
        accepted = await session(cloud).change(
            "destroyVirtualMachine",
            {"id": instance_id, "expunge": True if expunge else None},
            idempotent=True,
        )
        if accepted.jobid:
            undertaking = Undertaking(accepted.jobid, InstanceState.STOPPING)
            undertakings(cloud).begin(instance_id, undertaking)

    @hookimpl
    async def set_instance_tags(
        self, cloud: CloudStackCloud, instance_id: str, tags: Mapping[str, str]
    ) -> Instance:
        cloudstack = session(cloud)
        before = await show(cloud, instance_id)
        gone = [name for name, value in before.tags.items() if tags.get(name) != value]
        new = {name: value for name, value in tags.items() if before.tags.get(name) != value}
        await remove_tags(cloudstack, "UserVm", instance_id, gone)
        try:
            await add_tags(cloudstack, "UserVm", instance_id, new)
        except CloudError as exc:
            if gone:
                exc.message = f"the tags {', '.join(gone)} are gone, but no new ones: {exc.message}"
            raise
        return msgspec.structs.replace(before, tags=dict(tags))


async def _deploy(
    cloud: CloudStackCloud, spec: InstanceSpec
) -> tuple[Accepted, Mapping[str, str | int]]:
    parameters = await deployment(cloud, spec)
    try:
        return await _ask(cloud, parameters), parameters
    except (InvalidRequest, NotFound) as exc:
        parameters = await refined(cloud, spec, parameters, exc)
    return await _ask(cloud, parameters), parameters


async def _ask(cloud: CloudStackCloud, parameters: Mapping[str, str | int]) -> Accepted:
    user_data = str(parameters.get("userdata", ""))
    try:
        return await session(cloud).change("deployVirtualMachine", parameters, hide=[user_data])
    except InvalidRequest as exc:
        if "networkids" in exc.message.lower() and "specify" in exc.message.lower():
            exc.remedy = "Name network_ids, or set network for the cloud"
        raise


async def _deployed(cloud: CloudStackCloud, instance_id: str, job_id: str) -> Instance:
    cloudstack = session(cloud)
    try:
        body = await jobs.result(cloudstack, "deployVirtualMachine", job_id)
    except CloudError as exc:
        exc.message = f"the instance {instance_id} was made, but not brought up: {exc.message}"
        exc.remedy = exc.remedy or f"Destroy {instance_id}"
        raise
    raw = VM.wrapped(body)
    if raw is None:
        return await show(cloud, instance_id)
    return convert.instance(cloud.name, VM.read(raw), raw)


def _accepted(
    cloud: CloudStackCloud,
    spec: InstanceSpec,
    instance_id: str,
    parameters: Mapping[str, str | int],
) -> Instance:
    """Return the instance as it is right after its deployment was accepted."""
    starting = wire.VirtualMachine(
        id=instance_id,
        displayname=spec.name,
        state="Starting",
        zoneid=str(parameters["zoneid"]),
        templateid=spec.image_id,
        serviceofferingid=str(parameters["serviceofferingid"]),
        keypairs=spec.key_id,
        securitygroup=[wire.Identified(id=i) for i in spec.firewall_ids],
        tags=[wire.Tag(key=k, value=v) for k, v in spec.tags.items()],
    )
    made = convert.instance(cloud.name, starting, msgspec.Raw(b"{}"))
    return msgspec.structs.replace(
        made,
        busy=view("Starting").busy,
        client_token=spec.client_token,
        authentication=Authentication(key_id=spec.key_id) if spec.key_id else None,
    )
