"""Write docs/reference/requests.md: how many requests each operation sends upstream.

Measured by walking through all that each driver offers, on its platform's simulator. A test fails
when the page is out of date. Run it with `.venv/bin/python scripts/request_table.py`.
"""

from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import anyio.to_thread

from anabranch import OPERATIONS, Broker
from anabranch.testing import Fleet
from anabranch.testing.fleet import simulated_kinds
from anabranch.testing.walk import Walk

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "requests.md"
FEW, MANY = 4, 9
INTRODUCTION = f"""# Requests per operation

Made by `scripts/request_table.py`, which uses every operation of every driver on its platform's
simulator; a test measures it anew and fails when it differs.

The first number is that of a broker in use, with a login in hand; the second, where it differs, is
that of the first thing that a new broker does. A list is one page. *n* is the number of
instances, where the count depends on it (measured with {FEW} and with {MANY}); such requests are
sent at most 16 at once. What starts, stops or reboots an instance of opennebula or openstack, and
what starts or stops one of paci, is sent at once with the look at the instance: two requests take
the time of one. In the same way the key and the template of an opennebula instance that is made,
and the parts of an openstack load balancer, are asked for at once. What waits for the platform
asks once more for every pause that it makes.
"""


async def count(kind: str, instances: int, *, warm: bool) -> dict[str, int]:
    """Count the requests of every operation, with one broker for all, or one for each."""
    fleet = Fleet.of({kind: 1}, instances=instances)
    (name,) = fleet.clouds
    requests = fleet[name].requests
    async with AsyncExitStack() as stack:
        stack.enter_context(fleet.serving())
        configuration = fleet.configuration(timeout=30)

        async def make() -> Broker:
            broker = await anyio.to_thread.run_sync(Broker, configuration)
            return await stack.enter_async_context(broker)

        first = await make()

        async def same() -> Broker:
            return first

        offered = await first.probe(name)
        if not warm:
            return await Walk(make, name, offered, lambda: requests.total).go()
        await Walk(same, name, offered, lambda: requests.total).go()
        return await Walk(same, name, offered, lambda: requests.total).go()


def cell(operation: str, few: dict[str, int], many: dict[str, int], cold: dict[str, int]) -> str:
    """One operation of one platform."""
    if operation not in few:
        return ""
    more = many[operation] - few[operation]
    if more:
        each = more / (MANY - FEW)
        return f"{few[operation] - each * FEW:g} + {'' if each == 1 else f'{each:g} '}*n*"
    first = cold[operation]
    return f"{few[operation]}" if first == few[operation] else f"{few[operation]} / {first}"


async def rows() -> list[list[str]]:
    """The table, its titles first."""
    kinds = simulated_kinds()
    counts: dict[tuple[str, int, bool], dict[str, int]] = {}

    async def measure(kind: str, instances: int, warm: bool) -> None:
        counts[kind, instances, warm] = await count(kind, instances, warm=warm)

    async with anyio.create_task_group() as group:
        for kind in kinds:
            for instances, warm in ((FEW, True), (MANY, True), (FEW, False)):
                group.start_soon(measure, kind, instances, warm)
    columns = [(counts[k, FEW, True], counts[k, MANY, True], counts[k, FEW, False]) for k in kinds]
    table = [["operation", *kinds]]
    for operation in OPERATIONS:
        cells = [cell(operation, *column) for column in columns]
        if any(cells):
            table.append([f"`{operation}`", *cells])
    return table


async def page() -> str:
    """The whole page."""
    titles, *lines = await rows()
    table = [titles, ["---"] * len(titles), *lines]
    return INTRODUCTION + "\n" + "".join(f"| {' | '.join(line)} |\n" for line in table)


if __name__ == "__main__":
    PAGE.write_text(anyio.run(page))
