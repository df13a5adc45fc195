"""Every write of every platform through the API: its simulator shows that it was done.

The kit's walk uses all that a cloud offers. Here it reads from the cloud itself, and writes through
the API, in the parameters of the vocabulary.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote

import anyio.to_thread
import httpx
import pytest

from anabranch import Broker, CloudError, Configuration, NotFound
from anabranch.testing.fleet import simulated_kinds
from anabranch.testing.walk import Walk
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Configured
from anabranch_server.deltacloud.running import OPERATION
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Action, Collection, Parameter

from .asking import JSON

WRITES: Mapping[str, tuple[Collection, Action]] = {
    action.operation: (collection, action)
    for collection in COLLECTIONS.values()
    for action in collection.actions
    if action.operation != OPERATION
}


class ThroughTheApi(Broker):
    """A broker that has the API do what changes anything, and looks at the cloud itself."""

    def __init__(self, served: Broker, api: httpx.AsyncClient) -> None:
        super().__init__(served.configuration)
        self.served, self.api, self.written = served, api, set[str]()

    async def invoke(
        self,
        cloud: str,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        timeout: float = 60.0,
    ) -> Any:
        several = operation == "create_instances"
        found = WRITES.get("create_instance" if several else operation)
        if found is None:
            return await self.served.invoke(cloud, operation, arguments, timeout=timeout)
        self.written.add(operation)
        collection, action = found
        reply = await self._by_api(collection, action, arguments)
        if reply.status_code == 404:
            raise NotFound(reply.text)
        if reply.status_code != action.status:
            raise CloudError(f"{reply.status_code}: {reply.text}")
        if action.name == "destroy":
            return None
        if action.empty:
            return await self._now(collection, cloud, arguments[f"{collection.singular}_id"])
        document = reply.json()
        if several:
            made = [one["id"] for one in document[collection.name]]
            return [await self._now(collection, cloud, one) for one in made]
        shown = document.get(collection.singular, document)
        if action.name == "create":
            assert reply.headers["Location"] == shown["href"]
            await self._is_there(collection, cloud, shown)
        return await self._now(collection, cloud, shown["id"])

    async def _by_api(
        self, collection: Collection, action: Action, arguments: Mapping[str, Any]
    ) -> httpx.Response:
        path = f"/api/{collection.name}"
        if action.member:
            path += f"/{quote(arguments[f'{collection.singular}_id'], safe='')}"
        for below in action.paths[:1]:
            path += "/" + below.format(rule_id=quote(arguments.get("rule_id", ""), safe=""))
        given = parameters(action, arguments)
        return await self.api.request(action.method, path, params=given)

    async def _is_there(self, collection: Collection, cloud: str, shown: Any) -> None:
        """See that the API shows what it made, and lists it."""
        if collection.show_operation in self.capabilities(cloud):
            alone = await self.api.get(shown["href"])
            assert alone.status_code == 200, alone.text
        listed = await self.api.get(f"/api/{collection.name}")
        assert shown["id"] in [one["id"] for one in listed.json()[collection.name]]

    async def _now(self, collection: Collection, cloud: str, ident: str) -> Any:
        facade: Any = getattr(self, collection.name)
        if collection.show_operation in self.capabilities(cloud):
            return await facade.get(f"{cloud}/{ident}")
        answer = await facade.list(clouds=[cloud])
        return next(item for item in answer.items if item.id == ident)


def parameters(action: Action, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that say what the arguments of an operation say."""
    fields = {"instance": arguments.get("instance_id"), "instance_count": arguments.get("count")}
    fields |= arguments
    if (spec := fields.pop("spec", None)) is not None:
        fields |= {name: getattr(spec, name) for name in spec.__struct_fields__}
    for listener in fields.pop("listeners", ()):
        fields["listener_protocol"] = listener.protocol
        fields["listener_balancer_port"] = listener.load_balancer_port
        fields["listener_instance_port"] = listener.instance_port
    if "sources" in fields:
        fields["ip_address"] = [source.cidr for source in fields.pop("sources")]
    given: dict[str, str] = {}
    for parameter in action.parameters:
        given |= texts(parameter, fields.get(parameter.target))
    return given


def texts(parameter: Parameter, value: Any) -> dict[str, str]:
    if value in (None, "", False):
        return {}
    if parameter.numbered:
        values = [f"{k}={v}" for k, v in value.items()] if isinstance(value, dict) else value
        return {parameter.numbered.format(n): str(one) for n, one in enumerate(values, 1)}
    return {parameter.name: str(value)}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["mock", *simulated_kinds()])
async def test_all_that_a_platform_can_do_is_done_through_the_api(simulated_fleet, kind):
    if kind == "mock":
        configuration = Configuration(clouds={"mock-1": {"driver": "mock"}})
    else:
        configuration = simulated_fleet(**{kind: 1}, instances=3).configuration(timeout=30)
    (cloud,) = configuration.clouds
    async with AsyncExitStack() as stack:
        served = await anyio.to_thread.run_sync(Broker, configuration)
        await stack.enter_async_context(served)
        api = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=Deltacloud(Configured(served))),
                base_url="http://broker.test",
                headers=JSON,
            )
        )
        broker = await anyio.to_thread.run_sync(ThroughTheApi, served, api)
        await stack.enter_async_context(broker)

        async def same() -> Broker:
            return broker

        await served.probe(cloud)
        offered = await broker.probe(cloud)
        await Walk(same, cloud, offered, lambda: 0).go()
    writes = {*WRITES, "create_instances"} & offered.keys()
    assert broker.written == writes
