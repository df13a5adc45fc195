"""Lists over the wire: what they cost, and that nothing is missing or twice."""

import threading

import anyio
import pytest

from anabranch.cloud import Cloud
from anabranch.errors import InvalidRequest, NotFound, OperationNotSupported
from anabranch.models import InstanceSpec, NetworkAddressKind
from anabranch.states import InstanceState
from anabranch_opennebula import client, driver
from anabranch_opennebula.client import session
from anabranch_opennebula.simulator import app
from anabranch_opennebula.simulator.oddities import ODDITIES


async def everything(cloud: Cloud, between=None):
    """All instances, page by page, and the number of pages."""
    found, pages, cursor = [], 0, None
    while True:
        page = await driver.list_instances(cloud, cursor, {})
        found += page.items
        pages += 1
        cursor = page.cursor
        if cursor is None:
            return [i.id for i in found], pages
        if between:
            between(pages)


async def test_lists_cost_one_request(served):
    async with served(instances=5) as there:
        cloud = there.cloud
        lists = {
            "hardware_profiles": "templatepool.info",
            "keys": "user.info",
            "firewalls": "secgrouppool.info",
            "addresses": "vnpool.info",
            "storage_volumes": "imagepool.info",
            "storage_snapshots": "imagepool.info",
            "networks": "vnpool.info",
            "subnets": "vnpool.info",
            "network_interfaces": "vmpool.infoextended",
            "metrics": "vmpool.info",
            "quotas": "user.info",
        }
        for name, method in lists.items():
            with there.costs(method):
                page = await getattr(driver, f"list_{name}")(cloud, None)
            assert not page.problems
            assert page.items or name in ("addresses", "storage_volumes", "storage_snapshots")
        with there.costs("imagepool.info"):
            assert len((await driver.list_images(cloud, None, {})).items) == 3
        with there.costs("vmpool.infoextended"):
            assert len((await driver.list_instances(cloud, None, {})).items) == 5
        with there.costs("clusterpool.info", "datastorepool.info"):
            (realm,) = (await driver.list_realms(cloud, None)).items
        assert realm.id == "0"
        with there.costs("clusterpool.info"):
            (named,) = (await driver.list_realms(there.again(user="oneadmin"), None)).items
        assert (named.id, named.name) == ("0", "default")


@pytest.mark.parametrize(("page_size", "pages"), [(1, 12), (5, 3), (6, 2), (11, 2), (12, 1)])
async def test_pages(served, page_size, pages):
    async with served({"page_size": page_size}, instances=12) as there:
        assert await everything(there.cloud) == ([str(n) for n in range(11, -1, -1)], pages)
        assert there.asked("vmpool.infoextended") == pages


async def test_an_empty_list(served):
    async with served(instances=0) as there:
        assert await everything(there.cloud) == ([], 1)


async def test_machines_that_come_meanwhile_move_no_others_out_of_the_list(served):
    async with served({"page_size": 4}, instances=10) as there:
        made = there.again()

        async def make(count):
            for _ in range(count):
                await session(made).change("template.instantiate", 0, "", False, "", False)

        first = await driver.list_instances(there.cloud, None, {})
        await make(9)
        second = await driver.list_instances(there.cloud, first.cursor, {})
        await make(1)
        pages = [first, second]
        while pages[-1].cursor:
            pages.append(await driver.list_instances(there.cloud, pages[-1].cursor, {}))
        assert [i.id for page in pages for i in page.items] == [str(n) for n in range(9, -1, -1)]
        await made.aclose()


async def test_machines_that_go_meanwhile_take_no_others_with_them(served):
    async with served({"page_size": 4}, instances=20) as there:

        def destroy(page):
            newest = [m for m in there.simulated.machines if m.state != 6]
            for machine in newest[:3]:
                machine.state = 6
                machine.changed()

        ids, _ = await everything(there.cloud, destroy)
        # What went was on a page before, or is seen to be gone; the rest is there once.
        assert len(ids) == len(set(ids))
        alive = {str(m.id) for m in there.simulated.machines if m.state != 6}
        assert alive <= set(ids)


async def test_even_the_last_seen_may_go(served):
    async with served({"page_size": 3}, instances=9) as there:
        first = await driver.list_instances(there.cloud, None, {})
        for machine in there.simulated.machines:
            if machine.id in (6, 7, 5):
                machine.state = 6
                machine.changed()
        rest = await driver.list_instances(there.cloud, first.cursor, {})
        assert [i.id for i in rest.items] == ["4", "3", "2"]


async def test_all_may_go(served):
    async with served({"page_size": 3}, instances=9) as there:
        first = await driver.list_instances(there.cloud, None, {})
        for machine in there.simulated.machines:
            machine.state = 6
            machine.changed()
        rest = await driver.list_instances(there.cloud, first.cursor, {})
        assert (list(rest.items), rest.cursor) == ([], None)


async def test_what_is_no_cursor(served):
    async with served(instances=1) as there:
        for cursor in ("x", "1.2", "-1.2.0", "1.2.3.4"):
            with there.costs(), pytest.raises(InvalidRequest, match="no cursor"):
                await driver.list_instances(there.cloud, cursor, {})


async def test_odd_machines(served):
    async with served(instances=3, odd=True) as there:
        page = await driver.list_instances(there.cloud, None, {})
        assert len(page.items) + len(page.problems) == 3 + len(ODDITIES)
        assert [p.message for p in page.problems] == ["a VM without an id"]
        by_kind = {}
        for found in page.items:
            template = found.extra.get("TEMPLATE")
            user = found.extra.get("USER_TEMPLATE")
            for part in (template, user):
                if isinstance(part, dict) and "ODDITY" in part:
                    by_kind[part["ODDITY"]] = found
        assert not by_kind["no-address"].private_addresses
        assert by_kind["unknown-state"].state is InstanceState.UNKNOWN
        assert by_kind["unknown-lcm"].platform_state == "ACTIVE 99"
        assert by_kind["failure"].fault.endswith("no space")
        assert by_kind["script"].name == "<script>alert(1)</script>"
        assert by_kind["emoji"].name == "machine 🚀 ☃ é中文"
        assert by_kind["ampersand"].name == "R&D & <QA>; a=b&c=d"
        assert by_kind["ampersand"].extra["USER_TEMPLATE"]["NOTE"] == "a]]>b & c"
        (address,) = by_kind["odd-address"].private_addresses
        assert (address.address, address.kind) == ("not.an.address", NetworkAddressKind.HOSTNAME)
        for found in page.items:
            assert (await driver.get_instance(there.cloud, found.id)).name == found.name
        for others in (driver.list_network_interfaces, driver.list_metrics):
            assert (await others(there.cloud, None)).items


async def test_filters(served):
    async with served(instances=4) as there:
        assert len((await driver.list_instances(there.cloud, None, {"realm_id": "0"})).items) == 4
        assert not (await driver.list_instances(there.cloud, None, {"realm_id": "7"})).items
        assert len((await driver.list_images(there.cloud, None, {"owner_id": "0"})).items) == 3
        assert not (await driver.list_images(there.cloud, None, {"owner_id": "2"})).items


async def test_scopes(served):
    async with served(instances=4) as there:
        admin = there.again(user="oneadmin")
        assert len((await driver.list_instances(admin, None, {})).items) == 4
        mine = there.again(user="oneadmin", scope="mine")
        assert not (await driver.list_instances(mine, None, {})).items
        # Images are of everybody.
        assert (await driver.list_images(mine, None, {})).items


async def test_one_of_each(served):
    async with served(instances=1) as there:
        cloud = there.cloud
        for name in ("realm", "hardware_profile", "key", "firewall", "network", "subnet"):
            listed = (await getattr(driver, f"list_{name}s")(cloud, None)).items[0]
            get = getattr(driver, f"get_{name}")
            assert await get(cloud, listed.id) == listed or name in ("network", "subnet")
            for ident in ("999999", "no such thing", "-1", "1" * 30):
                with pytest.raises(NotFound):
                    await get(cloud, ident)
        interface = (await driver.list_network_interfaces(cloud, None)).items[0]
        assert await driver.get_network_interface(cloud, interface.id) == interface
        gets = (
            *(driver.get_instance, driver.get_image, driver.get_storage_volume),
            *(driver.get_address, driver.get_storage_snapshot, driver.get_network_interface),
        )
        for get in gets:
            for ident in ("999999", "", "0.9", "volume.1.9", "instance.0.9", "volume.x.0"):
                with pytest.raises(NotFound):
                    await get(cloud, ident)
        with pytest.raises(NotFound):
            await driver.get_address(cloud, "0")
        with pytest.raises(NotFound):
            await driver.get_storage_volume(cloud, "0")


async def test_metrics(served):
    async with served(instances=1) as there:
        page = await driver.list_metrics(there.cloud, None)
        with there.costs("vm.monitoring"):
            metric = await driver.get_metric(there.cloud, page.items[0].id)
        assert [s.name for s in metric.series] == [s.name for s in page.items[0].series]
        (sample,) = metric.series[0].samples
        assert sample.average == 2.5
        with pytest.raises(NotFound):
            await driver.get_metric(there.cloud, "77")


async def test_quotas(served):
    async with served(instances=2) as there:
        by_name = {q.id: q for q in (await driver.list_quotas(there.cloud, None)).items}
        assert (by_name["instances"].limit, by_name["instances"].used) == (None, 2)
        limited = there.again(user="limited")
        await driver.create_instance(limited, InstanceSpec(image_id="0"))
        by_name = {q.id: q for q in (await driver.list_quotas(limited, None)).items}
        assert (by_name["instances"].limit, by_name["instances"].used) == (3, 1)
        assert (by_name["memory"].limit, by_name["memory"].unit) == (None, "MiB")


async def test_an_old_version_is_told(served, monkeypatch):
    async with served(instances=1) as there:
        monkeypatch.delitem(app.METHODS, "one.vmpool.infoextended")
        with pytest.raises(OperationNotSupported, match=r"OpenNebula 7\.4\.0 is too old") as caught:
            await driver.list_instances(there.cloud, None, {})
        assert "5.10" in caught.value.remedy


async def test_at_most_eight_connections(served):
    async with served(instances=1) as there:
        there.simulated.behaviour.latency = 0.02
        settings = there.cloud.settings
        assert settings.max_connections == 8
        started = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for _ in range(32):
                tasks.start_soon(driver.get_instance, there.cloud, "0")
        # Four rounds of eight, each as long as the latency.
        assert anyio.current_time() - started >= 4 * 0.02
        assert there.asked("vm.info") == 32


async def test_long_lists_are_parsed_elsewhere(served, monkeypatch):
    async with served(instances=30) as there:
        loop = threading.get_ident()
        threads = []
        parse = client.parsed

        def noting(content):
            threads.append(threading.get_ident())
            return parse(content)

        monkeypatch.setattr(client, "parsed", noting)
        await driver.list_instances(there.cloud, None, {})
        await driver.get_instance(there.cloud, "1")
        assert threads[0] != loop
        assert threads[1] == loop
