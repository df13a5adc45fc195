"""Instances: OpenNebula's VMs."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from anabranch.errors import InvalidState
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Instance, InstanceSpec
from anabranch.paging import Page
from anabranch_opennebula import own, pools
from anabranch_opennebula.after import after
from anabranch_opennebula.client import OpenNebulaCloud, session
from anabranch_opennebula.creation import create
from anabranch_opennebula.machines import read_instances
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.sizes import profile_of, size_attributes
from anabranch_opennebula.templates import template
from anabranch_opennebula.vms import change_vm, show, vm_number

__all__ = ["Instances"]


class Instances(InstancesSpec[OpenNebulaSettings]):
    """VMs: read, make, rename, resize, tag."""

    @hookimpl
    @offers(Feature.REALM_FILTER)
    async def list_instances(
        self, cloud: OpenNebulaCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Instance]:
        convert = read_instances(cloud.name, cloud.settings.public_networks)
        realm_id = where.get("realm_id")

        def in_realm(vm: Thing) -> list[Instance]:
            return [found for found in convert(vm) if found.realm_id == realm_id]

        wanted = convert if realm_id is None else in_realm
        return await pools.page(session(cloud), pools.VMS, cursor, wanted)

    @hookimpl
    async def get_instance(self, cloud: OpenNebulaCloud, instance_id: str) -> Instance:
        return await show(session(cloud), instance_id)

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
        constraints={Feature.USER_NAME: {"max_length": "128"}},
    )
    async def create_instance(self, cloud: OpenNebulaCloud, spec: InstanceSpec) -> Instance:
        return await create(session(cloud), spec)

    @hookimpl
    async def rename_instance(
        self, cloud: OpenNebulaCloud, instance_id: str, name: str
    ) -> Instance:
        one = session(cloud)
        await change_vm(one, "vm.rename", vm_number(instance_id), name, idempotent=True)
        return await show(one, instance_id)

    @hookimpl
    async def resize_instance(
        self, cloud: OpenNebulaCloud, instance_id: str, hardware_profile_id: str
    ) -> Instance:
        one = session(cloud)
        number = vm_number(instance_id)
        profile = await profile_of(one, hardware_profile_id)
        try:
            # The last parameter: within quotas and the capacity of the host.
            await change_vm(
                one, "vm.resize", number, template(size_attributes(profile)), True, idempotent=True
            )
        except InvalidState as exc:
            exc.remedy = "Stop it, resize it, start it: this cloud cannot do it while it runs"
            raise
        chosen = template([(own.HARDWARE_PROFILE, hardware_profile_id)])
        with after(f"instance {number} has its new size"):
            await change_vm(one, "vm.update", number, chosen, 1, idempotent=True)
            return await show(one, instance_id)

    @hookimpl
    async def set_instance_tags(
        self, cloud: OpenNebulaCloud, instance_id: str, tags: Mapping[str, str]
    ) -> Instance:
        one = session(cloud)
        text = template([(own.TAGS, own.written(tags))])
        await change_vm(one, "vm.update", vm_number(instance_id), text, 1, idempotent=True)
        return msgspec.structs.replace(await show(one, instance_id), tags=dict(tags))
