"""Drivers that claim what they lack."""

from __future__ import annotations

import msgspec

from anabranch.errors import OperationNotSupported
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl

from .acme import AcmeDriver


class NotYetImplemented(AcmeDriver):
    @hookimpl
    async def stop_instance(self, cloud, instance_id):
        raise NotImplementedError


class NotSupportedAfterAll(AcmeDriver):
    @hookimpl
    async def stop_instance(self, cloud, instance_id):
        raise OperationNotSupported("machines of this cloud cannot be stopped")


class DoesNothing(AcmeDriver):
    """Answers that it was done, and did not do it."""

    @hookimpl
    async def stop_instance(self, cloud, instance_id):
        return await self.get_instance(cloud, instance_id)


class PretendsToStop(AcmeDriver):
    """Answers that it stops, and did not ask the cloud."""

    @hookimpl
    async def stop_instance(self, cloud, instance_id):
        found = await self.get_instance(cloud, instance_id)
        return msgspec.structs.replace(found, state="STOPPED")


class PretendsToDestroy(AcmeDriver):
    @hookimpl
    async def destroy_instance(self, cloud, instance_id):
        await self.get_instance(cloud, instance_id)


class DestroysWhenToldToStop(AcmeDriver):
    @hookimpl
    async def stop_instance(self, cloud, instance_id):
        found = await self.get_instance(cloud, instance_id)
        await self.destroy_instance(cloud, instance_id)
        return found


class RenamesNothing(AcmeDriver):
    """Offers to rename, and answers as if it had."""

    @hookimpl
    async def rename_instance(self, cloud, instance_id, name):
        found = await self.get_instance(cloud, instance_id)
        return msgspec.structs.replace(found, name=name)


class ForgetsTheName(AcmeDriver):
    """Claims to honour a name, and drops it."""

    @hookimpl
    @offers(Feature.USER_NAME, Feature.AUTHENTICATION_KEY, Feature.CLIENT_TOKEN)
    async def create_instance(self, cloud, spec):
        return await super().create_instance(cloud, msgspec.structs.replace(spec, name=None))


class ForgetsTheToken(AcmeDriver):
    """Claims to carry a client token, and drops it."""

    @hookimpl
    @offers(Feature.USER_NAME, Feature.AUTHENTICATION_KEY, Feature.CLIENT_TOKEN)
    async def create_instance(self, cloud, spec):
        bare = msgspec.structs.replace(spec, client_token=None)
        return await super().create_instance(cloud, bare)


class ForgetsTheKey(AcmeDriver):
    """Claims to honour a key, and drops it."""

    @hookimpl
    @offers(Feature.USER_NAME, Feature.AUTHENTICATION_KEY, Feature.CLIENT_TOKEN)
    async def create_instance(self, cloud, spec):
        return await super().create_instance(cloud, msgspec.structs.replace(spec, key_id=None))


class ForgetsTheTags(AcmeDriver):
    """Claims to honour tags, of which it knows nothing."""

    @hookimpl
    @offers(Feature.USER_NAME, Feature.AUTHENTICATION_KEY, Feature.CLIENT_TOKEN, Feature.TAGS)
    async def create_instance(self, cloud, spec):
        return await super().create_instance(cloud, spec)


class NamesKeysItself(AcmeDriver):
    """Gives a key another name than was asked for."""

    @hookimpl
    @offers(Feature.IMPORT_KEY)
    async def create_key(self, cloud, spec):
        return await super().create_key(cloud, msgspec.structs.replace(spec, name="my-key"))


class HidesAnOperation(AcmeDriver):
    """Has an operation that is missing its mark, so that it is offered to nobody."""

    async def reboot_instance(self, cloud, instance_id, hard):
        return await self.get_instance(cloud, instance_id)
