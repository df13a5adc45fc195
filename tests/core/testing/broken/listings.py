"""Drivers that list wrongly."""

from __future__ import annotations

from typing import Any

import msgspec

from anabranch.errors import CloudUnavailable, NotFound, ProtocolError
from anabranch.hooks import hookimpl
from anabranch.models import Instance
from anabranch.paging import Page

from .acme import AcmeDriver, convert, wire
from .acme.client import Client


class DropsTheLastPage(AcmeDriver):
    """Takes the page without a link to the next for the end, and not for the last."""

    class client_type(Client):
        async def page(self, path, cursor, kind, convert):
            page = await super().page(path, cursor, kind, convert)
            return page if page.cursor or cursor is None else Page(())


class StopsAtTheFirstPage(AcmeDriver):
    """Has not read that there are pages."""

    class client_type(Client):
        async def page(self, path, cursor, kind, convert):
            page = await super().page(path, cursor, kind, convert)
            return Page(page.items, None, page.problems)


class BeginsAgain(AcmeDriver):
    """Links the last page to the first."""

    class client_type(Client):
        async def page(self, path, cursor, kind, convert):
            page = await super().page(path, cursor, kind, convert)
            return Page(page.items, page.cursor or "from=0", page.problems)


class RepeatsItems(AcmeDriver):
    """Is off by one: each page begins with the last item of the page before."""

    class client_type(Client):
        async def page(self, path, cursor, kind, convert):
            if cursor:
                start = int(cursor.removeprefix("from="))
                cursor = f"from={start - 1}"
            return await super().page(path, cursor, kind, convert)


class SkipsItems(AcmeDriver):
    """Is off by one the other way."""

    class client_type(Client):
        async def page(self, path, cursor, kind, convert):
            if cursor:
                cursor = f"from={int(cursor.removeprefix('from=')) + 1}"
            return await super().page(path, cursor, kind, convert)


class NumbersWhatItLists(AcmeDriver):
    """Makes ids of its own, which are others in the next listing."""

    def __init__(self) -> None:
        self.listed = 0

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        page = await super().list_instances(cloud, cursor, where)
        self.listed += 1
        return Page([_renamed(item, f"{item.id}-{self.listed}") for item in page.items])


class ListsOtherIdsThanItGets(AcmeDriver):
    """Lists machines by their names, and gets them by their ids."""

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        page = await super().list_instances(cloud, cursor, where)
        items = [_renamed(item, item.name or item.id) for item in page.items]
        return Page(items, page.cursor, page.problems)


class TakesFailureForNothing(AcmeDriver):
    """Answers with an empty list when the cloud answers with a 5xx."""

    class client_type(Client):
        async def page(self, path, cursor, kind, convert):
            try:
                return await super().page(path, cursor, kind, convert)
            except CloudUnavailable:
                return Page(())


class TakesGarbageForNothing(AcmeDriver):
    """Answers with an empty list when the reply cannot be read."""

    class client_type(Client):
        async def page(self, path, cursor, kind, convert):
            try:
                return await super().page(path, cursor, kind, convert)
            except ProtocolError:
                return Page(())


class LetsTheDecoderSpeak(AcmeDriver):
    """Lets the decoder's own exception out."""

    class client_type(Client):
        def read(self, content, kind):
            return wire.decoded(content, kind)


class KnowsEveryField(AcmeDriver):
    """Cannot read a machine that has a field more."""

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        return await self.client(cloud).page(
            "/v1/machines", cursor, StrictMachine, convert.instance
        )


class StrictMachine(wire.Machine, forbid_unknown_fields=True):
    pass


class KnowsEveryPage(AcmeDriver):
    """Cannot read a page that tells more than it did."""

    class client_type(Client):
        def read(self, content, kind):
            names = [(name, Any, None) for name in kind.__struct_fields__]
            rename = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
            fields = msgspec.defstruct("Fields", names, rename=rename, forbid_unknown_fields=True)
            super().read(content, fields)
            return super().read(content, kind)


class KnowsEveryState(AcmeDriver):
    """Raises at the first machine whose state it does not know, and lists nothing."""

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        page = await super().list_instances(cloud, cursor, where)
        for item in page.items:
            if item.state == "UNKNOWN":
                raise KeyError(item.platform_state)
        return page


class HidesStrangeStates(AcmeDriver):
    """Leaves out machines whose state it does not know."""

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        page = await super().list_instances(cloud, cursor, where)
        items = [item for item in page.items if item.state != "UNKNOWN"]
        return Page(items, page.cursor, page.problems)


class AsksForEach(AcmeDriver):
    """Asks for each machine of a list again, one by one."""

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        page = await super().list_instances(cloud, cursor, where)
        items = [await self.get_instance(cloud, item.id) for item in page.items]
        return Page(items, page.cursor, page.problems)


class LogsInEachTime(AcmeDriver):
    """Logs in before every request."""

    class client_type(Client):
        async def token(self):
            return await self.log_in()


class FetchesAllForEachPage(AcmeDriver):
    """Walks from the first page again for every page."""

    class client_type(Client):
        async def page(self, path, cursor, kind, convert):
            page = await super().page(path, None, kind, convert)
            before = None
            while before != cursor:
                before = page.cursor
                page = await super().page(path, before, kind, convert)
            return page


class LooksForOneAmongAll(AcmeDriver):
    """Lists all machines to get one."""

    @hookimpl
    async def get_instance(self, cloud, instance_id):
        page = await self.list_instances(cloud, None, {})
        while not (found := [item for item in page.items if item.id == instance_id]):
            if page.cursor is None:
                raise NotFound(f"there is no {instance_id}")
            page = await self.list_instances(cloud, page.cursor, {})
        return found[0]


def _renamed(item: Instance, ident: str) -> Instance:
    return msgspec.structs.replace(item, id=ident)
