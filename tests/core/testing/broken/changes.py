"""Drivers that change what they should not, or again."""

from __future__ import annotations

import msgspec

from anabranch.errors import CloudUnavailable, InvalidRequest, NotFound, OutcomeUnknown
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl

from .acme import AcmeDriver
from .acme.client import Client

_FEATURES = (Feature.USER_NAME, Feature.AUTHENTICATION_KEY, Feature.CLIENT_TOKEN)


class SaysThatCreateIsIdempotent(AcmeDriver):
    """Lets the HTTP client repeat a create."""

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            return await super().send(method, path, token, body, True)


class RepeatsALostCreate(AcmeDriver):
    """Repeats a create whose answer was lost, by itself."""

    @hookimpl
    @offers(*_FEATURES)
    async def create_instance(self, cloud, spec):
        try:
            return await super().create_instance(cloud, spec)
        except OutcomeUnknown:
            return await super().create_instance(cloud, spec)


class SaysThatALostCreateFailed(AcmeDriver):
    """Claims that nothing happened, and so invites to repeat it."""

    @hookimpl
    @offers(*_FEATURES)
    async def create_instance(self, cloud, spec):
        try:
            return await super().create_instance(cloud, spec)
        except OutcomeUnknown as exc:
            raise CloudUnavailable(exc.message) from exc


class ListsWithoutToken(AcmeDriver):
    """Sends the token, and does not tell it in lists: what is lost cannot be found."""

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        page = await super().list_instances(cloud, cursor, where)
        bare = [msgspec.structs.replace(item, client_token=None) for item in page.items]
        return msgspec.structs.replace(page, items=bare)


class GoneIsWrongToDestroy(AcmeDriver):
    """Says of what is gone that the request was wrong."""

    @hookimpl
    async def destroy_instance(self, cloud, instance_id):
        try:
            await super().destroy_instance(cloud, instance_id)
        except NotFound as exc:
            raise InvalidRequest(exc.message) from exc


class StumblesOverGoneKeys(AcmeDriver):
    """Has a bug where a key is gone."""

    @hookimpl
    async def destroy_key(self, cloud, key_id):
        try:
            await super().destroy_key(cloud, key_id)
        except NotFound as exc:
            raise KeyError(key_id) from exc
