"""A thousand machines come complete, in pages, on every platform."""

from __future__ import annotations

import anyio.to_thread
import pytest

from anabranch import Broker
from anabranch.testing import Behaviour
from anabranch.testing.fleet import simulated_kinds

MACHINES = 1000


@pytest.mark.parametrize("kind", simulated_kinds())
async def test_a_thousand_machines_in_pages(simulated_fleet, kind):
    fleet = simulated_fleet(**{kind: 1}, instances=MACHINES, behaviour=Behaviour(page_size=100))
    async with await anyio.to_thread.run_sync(Broker, fleet.configuration(timeout=50)) as broker:
        found: list[str] = []
        pages = 0
        async with broker.instances.stream() as arrivals:
            async for page in arrivals:
                pages += 1
                found += [item.id for item in page.items]
        (report,) = arrivals.clouds
    assert report.status == "ok", report
    assert len(set(found)) == len(found) == MACHINES
    assert pages > 4
