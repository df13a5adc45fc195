"""Checks of lists: complete, stable, cheap, and of whatever a platform may hold."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import pytest

from anabranch.errors import CloudError
from anabranch.facade import Broker
from anabranch.models import Instance, to_builtins
from anabranch.states import InstanceState
from anabranch.testing.behaviour import Behaviour
from anabranch.testing.conformance.base import ConformanceBase
from anabranch.testing.conformance.bench import NAME, Bench, first_page, listable, told

__all__ = ["ListingChecks"]

_MACHINES: Final = 25
_PAGE: Final = 10
_FEW, _SOME, _MANY = 4, 5, 9
_LEAST_PAGES: Final = 2
_LONG: Final = 100


class ListingChecks(ConformanceBase):
    """What is asked of lists."""

    async def test_paging_is_complete(self) -> None:
        """What comes in pages of a few is what comes at once, each item once; and all of it."""
        short = {"page_size": _PAGE} if self.has_setting("page_size") else {}
        async with self.bench(instances=_MACHINES) as bench:
            whole = await self._everything(bench, await bench.broker())
            if bench.simulated:
                bench.simulated.behaviour.page_size = _PAGE
            broker = await bench.broker(**short)
            paged = await self._everything(bench, broker)
            pages = 0
            if "list_instances" in whole:
                pages = len([page async for page in bench.pages(broker, "list_instances")])
        if not whole:
            pytest.fail(
                "the driver offers no list that can be asked for without an argument"
                " (list_instances, list_images, …): there is no level without one",
                pytrace=False,
            )
        for operation, ids in paged.items():
            _complete(operation, whole[operation], ids)
        machines = whole.get("list_instances")
        if machines is not None and len(set(machines)) != _MACHINES:
            pytest.fail(
                f"list_instances gave {len(set(machines))} instances of {_MACHINES} that the"
                " simulated cloud was made with",
                pytrace=False,
            )
        if machines is not None and pages < _LEAST_PAGES and not self.unpaged:
            pytest.fail(
                f"list_instances gave {_MACHINES} instances in {pages} pages, although a page was"
                f" to hold {_PAGE}: let the simulator keep Behaviour.page_size, or the driver a"
                " setting page_size; if the platform's lists have no pages: unpaged = 'why'",
                pytrace=False,
            )

    async def test_ids_are_stable(self) -> None:
        """The same things have the same ids each time, for a new broker too, and from get."""
        async with self.bench() as bench:
            broker = await bench.broker()
            once = await self._everything(bench, broker)
            again = await self._everything(bench, broker)
            # What has no wire lives in its broker, and another one has another world.
            anew = await self._everything(bench, await bench.broker()) if self.simulator else once
            for operation, ids in once.items():
                for other in (again[operation], anew[operation]):
                    if sorted(other) != sorted(ids):
                        odd = sorted({*other} ^ {*ids})[:3]
                        pytest.fail(
                            f"{operation} gave other ids for the same things the second time:"
                            f" {odd}. An id is the platform's own, not a number in the list",
                            pytrace=False,
                        )
                await self._found_again(bench, broker, operation, ids[:2])

    async def test_requests_are_few(self) -> None:
        """A page of a list costs one request, or what the suite declares."""
        self.needs_wire()
        few, many = await self._costs(_FEW), await self._costs(_MANY)
        wrong: list[str] = []
        for operation, cost in many.items():
            allowed = self.budget.get(operation, 1)
            more = cost - few[operation]
            good = more <= _MANY - _FEW if allowed == "n" else max(cost, few[operation]) <= allowed
            if not good:
                grows = f", {more} more with {_MANY - _FEW} more instances" if more else ""
                wrong.append(f"{operation} cost {cost}{grows} (allowed: {allowed})")
        if wrong:
            pytest.fail(
                f"requests for one page, or one item, with a login in hand: {'; '.join(wrong)}."
                " Ask for what is needed in one request; where the platform has no other way,"
                " declare it: budget = {'list_…': 2}, or 'n' for one more for each item",
                pytrace=False,
            )

    async def test_unknown_fields_are_tolerated(self) -> None:
        """Members and elements that a later version of the platform may add change nothing."""
        self.needs_wire()
        async with self.bench() as bench:
            plain = await self._contents(bench, await bench.broker())
            if bench.simulated is None:
                raise AssertionError
            bench.simulated.behaviour = Behaviour(unknown_fields=True)
            bench.simulated.requests.reset()
            grown = await self._contents(
                bench, await bench.broker(), "the replies have fields that nobody knows yet: "
            )
            if not bench.simulated.requests.grown:
                pytest.fail(
                    "no reply had unknown fields although Behaviour.unknown_fields asks for them:"
                    " put anabranch.testing.simulation.Misbehaving in front of the simulator; it"
                    " adds to JSON and XML by their content types, and takes `grow` for others",
                    pytrace=False,
                )
        for operation, items in plain.items():
            if items != grown[operation]:
                changed = next(i for i, item in items.items() if grown[operation].get(i) != item)
                pytest.fail(
                    f"{operation} read {changed!r} differently when the replies had fields that"
                    " nobody knows yet: take what you know and leave the rest",
                    pytrace=False,
                )

    async def test_odd_data_is_listed(self) -> None:
        """Machines without an address, of an unknown state, with any name: listed, and found."""
        plain = 2
        async with self.bench(instances=plain, odd=True) as bench:
            broker = await bench.broker()
            if "list_instances" not in broker.capabilities(NAME):
                pytest.skip("list_instances is not offered")
            items = await bench.items(broker, "list_instances")
            _odd_enough(items)
            await self._odd_ones(bench, broker, items)

    # -------------------------------------------------------------------------------------

    async def _everything(self, bench: Bench, broker: Broker) -> dict[str, list[str]]:
        """The ids of all that each list gives."""
        found: dict[str, list[str]] = {}
        for operation in listable(broker.capabilities(NAME)):
            found[operation] = [_ident(i) for i in await bench.items(broker, operation)]
        return found

    async def _contents(
        self, bench: Bench, broker: Broker, when: str = ""
    ) -> dict[str, dict[str, Any]]:
        """All that each list gives, without the platform's own fields, by the ids."""
        found: dict[str, dict[str, Any]] = {}
        for operation in listable(broker.capabilities(NAME)):
            items: dict[str, Any] = {}
            cursor: str | None = None
            while True:
                given = {**first_page(operation), "cursor": cursor}
                try:
                    page = await broker.invoke(NAME, operation, given)
                except CloudError as exc:
                    pytest.fail(f"{when}{operation} raised {told(exc)}", pytrace=False)
                if page.problems:
                    text = page.problems[0].message
                    pytest.fail(f"{when}{operation} could not read an item: {text}", pytrace=False)
                items |= {_ident(i): _plain(i) for i in page.items}
                if (cursor := page.cursor) is None:
                    break
            found[operation] = items
        return found

    async def _found_again(
        self, bench: Bench, broker: Broker, operation: str, ids: list[str]
    ) -> None:
        singular = operation.removeprefix("list_").removesuffix("s")
        get = f"get_{singular}"
        if get not in broker.capabilities(NAME):
            return
        for item in ids:
            found = await bench.call(broker, get, **{f"{singular}_id": item})
            if found.id != item:
                pytest.fail(
                    f"{get}({item!r}) returned what is called {found.id!r}: the id of a list is"
                    " the id to get it by, and stays the same",
                    pytrace=False,
                )

    async def _costs(self, instances: int) -> dict[str, int]:
        """The requests of the first and the second page of each list, and of a get from each."""
        costs: dict[str, int] = {}
        short = {"page_size": _SOME} if self.has_setting("page_size") else {}
        async with self.bench(instances=instances) as bench:
            broker = await bench.warm()
            operations = listable(broker.capabilities(NAME))
            for operation in operations:
                page, costs[operation] = await self._cost(bench, broker, operation)
                if operation == "list_instances" and "get_instance" in broker.capabilities(NAME):
                    given = {"instance_id": page.items[0].id}
                    _, costs["get_instance"] = await _asked(bench, broker, "get_instance", given)
            if bench.simulated:
                bench.simulated.behaviour.page_size = _SOME
            broker = await bench.warm(**short)
            for operation in operations:
                page = await bench.call(broker, operation, **first_page(operation))
                if page.cursor is not None:
                    given = {**first_page(operation), "cursor": page.cursor}
                    page, cost = await _asked(bench, broker, operation, given)
                    costs[operation] = max(cost, costs[operation])
                    if operation == "list_instances" and "get_instance" in costs:
                        given = {"instance_id": page.items[-1].id}
                        _, cost = await _asked(bench, broker, "get_instance", given)
                        costs["get_instance"] = max(cost, costs["get_instance"])
        return costs

    async def _cost(self, bench: Bench, broker: Broker, operation: str) -> tuple[Any, int]:
        """The first page of a list, and its requests: what is asked only once was asked before."""
        await bench.call(broker, operation, **first_page(operation))
        return await _asked(bench, broker, operation, first_page(operation))

    async def _odd_ones(self, bench: Bench, broker: Broker, items: list[Instance]) -> None:
        ids = [item.id for item in items]
        if len(set(ids)) != len(ids):
            pytest.fail(f"list_instances gave an id twice: {ids}", pytrace=False)
        for item in items:
            try:
                json.dumps(to_builtins(item, extra=True))
            except (TypeError, ValueError) as exc:
                pytest.fail(f"the instance {item.id!r} is no JSON: {exc}", pytrace=False)
            if "get_instance" not in broker.capabilities(NAME):
                continue
            again = await bench.call(broker, "get_instance", instance_id=item.id)
            for field in ("id", "name", "state"):
                listed, found = getattr(item, field), getattr(again, field)
                if listed != found:
                    pytest.fail(
                        f"{field} of the instance {item.id!r} is {listed!r} in the list and"
                        f" {found!r} from get_instance",
                        pytrace=False,
                    )


def _odd_enough(items: list[Instance]) -> None:
    """See that what is odd is among what is listed."""
    names = [item.name for item in items]
    addressed = [item for item in items if item.public_addresses or item.private_addresses]
    found = {
        "in a state that nobody knows (InstanceState.UNKNOWN)": any(
            item.state is InstanceState.UNKNOWN for item in items
        ),
        "without an address": len(addressed) < len(items),
        f"with a name of more than {_LONG} characters": any(len(name) > _LONG for name in names),
        "with markup in its name (<script>)": any("<" in name for name in names),
        "with letters of other alphabets in its name": not " ".join(names).isascii(),
    }
    if lacking := [what for what, there in found.items() if not there]:
        pytest.fail(
            f"of the odd instances none is listed {'; none '.join(lacking)}. Either the simulator"
            " makes none with odd=True, or the driver drops it: what is odd is listed as far as it"
            " can be read",
            pytrace=False,
        )


async def _asked(
    bench: Bench, broker: Broker, operation: str, arguments: dict[str, Any]
) -> tuple[Any, int]:
    before = bench.requests()
    result = await bench.call(broker, operation, **arguments)
    return result, bench.requests() - before


def _complete(operation: str, whole: list[str], ids: list[str]) -> None:
    """See that what came in pages is what came at once."""
    twice = sorted(item for item, times in Counter(ids).items() if times > 1)
    if twice:
        pytest.fail(
            f"{operation} gave the same ids on several pages: {twice[:3]}. Where the next"
            " page begins must not be among what came already",
            pytrace=False,
        )
    missing = [item for item in whole if item not in set(ids)]
    if missing:
        pytest.fail(
            f"{operation} lost {len(missing)} of {len(whole)} items when they came in pages of"
            f" {_PAGE}, {missing[0]!r} first: follow the platform's own sign for more until it"
            " says that there is none, and return the last page too",
            pytrace=False,
        )


def _ident(item: Any) -> str:
    return str(getattr(item, "id", None) or getattr(item, "name", ""))


def _plain(item: Any) -> Any:
    """An item as data, without what the user or the platform named, to which fields were added."""
    data = to_builtins(item)
    return {k: v for k, v in data.items() if k not in ("tags", "extra")} if data else data
