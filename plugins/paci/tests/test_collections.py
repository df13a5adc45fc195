"""What is not an instance: realms, images, firewalls, load balancers, snapshots, metrics."""

import time
from datetime import UTC, datetime

import anyio
import pytest

from anabranch.errors import (
    CloudUnavailable,
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    OperationNotSupported,
    OutcomeUnknown,
    PermissionDenied,
)
from anabranch.models import (
    Direction,
    FirewallRuleSpec,
    ImageSpec,
    Listener,
    LoadBalancerSpec,
    RuleAction,
    RuleSource,
    SourceKind,
    StorageSnapshotSpec,
)
from anabranch.testing.simulation import Behaviour
from anabranch_paci import driver
from anabranch_paci.convert import LISTENERS

RUNNING, STOPPED = "lisbon-0001", "lisbon-0008"


# --------------------------------------------------------------------------------------- realms


async def test_realms_are_the_subscriptions_of_the_servers(served):
    async with served(instances=4, subscriptions=2) as here:
        with here.costs("GET /ve"):
            realms = (await driver.list_realms(here.cloud, None)).items
        assert [r.id for r in realms] == ["1000077", "1000078"]
        assert (await driver.get_realm(here.cloud, "1000078")).name == "subscription 1000078"
        with pytest.raises(NotFound):
            await driver.get_realm(here.cloud, "12")


async def test_the_configured_realm_costs_nothing(served):
    async with served(instances=1, entry={"subscription": "1000077"}) as here:
        with here.costs():
            assert [r.id for r in (await driver.list_realms(here.cloud, None)).items] == ["1000077"]


# --------------------------------------------------------------------------------------- images


async def test_templates_and_images(served):
    async with served(instances=1) as here:
        with here.costs("GET /template"):
            first = await driver.list_images(here.cloud, None, {})
        with here.costs("GET /image"):
            second = await driver.list_images(here.cloud, first.cursor, {})
        assert second.cursor is None
        template = next(i for i in first.items if i.name == "centos-6-x86_64")
        assert template.id == "template:centos-6-x86_64"
        assert (template.architecture, template.description) == ("x86_64", "CentOS 6")
        assert (template.min_storage_gb, template.public) == (10, True)
        assert template.extra["technology"] == "CT"
        states = {i.name: i.state for i in first.items}
        assert states["fedora-core-14-x86_64"] == "UNAVAILABLE"
        (image,) = second.items
        assert (image.id, image.public) == ("image:lisbon-golden", False)
        assert image.size_bytes == 10 * 2**30
        assert image.created_at.tzinfo
        for listed in (template, image):
            with here.costs(f"GET /{listed.id.replace(':', '/')}"):
                shown = await driver.get_image(here.cloud, listed.id)
            for field in ("id", "name", "description", "size_bytes", "created_at", "public"):
                assert getattr(shown, field) == getattr(listed, field), field


async def test_one_name_may_be_both(served):
    async with served(instances=10) as (_, cloud, _counting):
        name = "centos-6-x86_64"
        await driver.create_image(cloud, ImageSpec(instance_id=STOPPED, name=name))
        assert (await driver.get_image(cloud, f"image:{name}")).public is False
        assert (await driver.get_image(cloud, f"template:{name}")).public is True


@pytest.mark.parametrize("shape", ["template", "template-list"])
async def test_both_shapes_of_a_template(served, shape):
    async with served(instances=1, template_shape=shape) as (_, cloud, _counting):
        found = await driver.get_image(cloud, "template:debian-7.0-x86_64")
        assert (found.name, found.min_storage_gb) == ("debian-7.0-x86_64", 5)


async def test_no_image(served):
    async with served(instances=1) as (_, cloud, _counting):
        for ident in ("", "centos-6-x86_64", "template:", "template:none", "image:none", "x:y"):
            with pytest.raises(NotFound):
                await driver.get_image(cloud, ident)


async def test_an_empty_list_of_one_template(scripted):
    async with scripted({"GET /template/t": "<template-list/>"}) as (_, cloud):
        with pytest.raises(NotFound):
            await driver.get_image(cloud, "template:t")


async def test_odd_images_spoil_no_list(scripted):
    answers = {
        "GET /template": '<template-list><template id="7"/><template name="a:b" active="x">'
        '<option/></template><template name="t" min-hdd-size="x"/></template-list>',
        "GET /image": '<image-list><image-info/><image-info name="i" size="" created="x"'
        ' description="text [anabranch t;a=b]"/></image-list>',
    }
    async with scripted(answers) as (_, cloud):
        first = await driver.list_images(cloud, None, {})
        second = await driver.list_images(cloud, first.cursor, {})
        assert [i.id for i in (*first.items, *second.items)] == [
            "template:a:b",
            "template:t",
            "image:i",
        ]
        assert [p.message for p in (*first.problems, *second.problems)] == [
            "a <template> without a name",
            "a <image-info> without a name",
        ]
        assert first.problems[0].id == "7"
        assert (second.items[0].description, second.items[0].tags) == ("text", {"a": "b"})


@pytest.mark.parametrize(
    ("entry", "path"),
    [({}, f"/image/{STOPPED}/create/copy"), ({"subscription": "1000077"}, "/1000077/create/copy")],
)
async def test_an_image_of_a_server(served, entry, path):
    async with served(instances=10, entry=entry) as here:
        with here.costs(f"POST {path}", "GET /image/copy"):
            made = await driver.create_image(
                here.cloud, ImageSpec(instance_id=STOPPED, name="copy")
            )
        assert (made.id, made.state) == ("image:copy", "AVAILABLE")
        with here.costs("DELETE /image/copy"):
            await driver.destroy_image(here.cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_image(here.cloud, made.id)


async def test_an_image_that_does_not_show_yet(served):
    async with served(instances=10, entry={"retries": 0}) as (simulated, cloud, _):
        simulated.behaviour.break_with(["503:GET /image/"])
        made = await driver.create_image(cloud, ImageSpec(instance_id=STOPPED))
        assert (made.id, made.state) == (f"image:image-of-{STOPPED}", "PENDING")


async def test_no_image_of_what_runs_and_none_destroyed_of_the_provider(served):
    async with served(instances=10) as here:
        with pytest.raises(InvalidState):
            await driver.create_image(here.cloud, ImageSpec(instance_id=RUNNING, name="copy"))
        with here.costs(), pytest.raises(PermissionDenied):
            await driver.destroy_image(here.cloud, "template:centos-6-x86_64")


async def test_images_of_another_subscription(served):
    async with served(instances=1, subscriptions=2, entry={"subscription": "1000078"}) as (
        _,
        cloud,
        _counting,
    ):
        first = await driver.list_images(cloud, None, {})
        assert not (await driver.list_images(cloud, first.cursor, {})).items


# ------------------------------------------------------------------------------------ firewalls


def rule(**fields):
    given = {"protocol": "tcp", "port_from": 22, "port_to": 22, "sources": (block(),), **fields}
    return FirewallRuleSpec(**given)


def block(cidr="192.0.2.0/24"):
    return RuleSource(cidr=cidr)


async def test_the_firewall_of_each_server(served):
    async with served(instances=3) as here:
        page = await driver.list_firewalls(here.cloud, None)
        assert here.simulated.requests.total == 4
        assert [(f.id, f.rules) for f in page.items] == [(n, ()) for n in here.simulated.state.ves]
        with here.costs(f"GET /ve/{RUNNING}/firewall"):
            assert (await driver.get_firewall(here.cloud, RUNNING)).id == RUNNING
        with pytest.raises(NotFound):
            await driver.get_firewall(here.cloud, "none")


async def test_a_provider_without_firewalls(scripted, ve_document):
    answers = {
        "GET /ve": '<ve-list><ve-info name="web1"/><ve-info name="gone"/></ve-list>',
        "GET /ve/web1": ve_document,
        "GET /ve/web1/firewall": (404, "no such resource"),
        "GET /ve/gone": (404, ""),
        "GET /ve/gone/firewall": (404, ""),
    }
    async with scripted(answers) as (_, cloud):
        page = await driver.list_firewalls(cloud, None)
        assert not page.items
        assert [p.id for p in page.problems] == ["web1"]
        with pytest.raises(OperationNotSupported, match="no firewall"):
            await driver.get_firewall(cloud, "web1")


async def test_rules_come_and_go(served):
    async with served(instances=1) as here:
        cloud, path = here.cloud, f"/{RUNNING}/firewall"
        with here.costs(f"GET {path}", f"POST {path}", f"GET {path}"):
            one = await driver.add_firewall_rule(cloud, RUNNING, rule())
        with here.costs(f"GET {path}", f"PUT {path}", f"GET {path}"):
            two = await driver.add_firewall_rule(
                cloud,
                RUNNING,
                rule(
                    protocol="UDP", port_from=None, port_to=None, sources=(block("::/0"), block())
                ),
            )
        assert len(two.rules) == 2
        assert two.rules[0] == one.rules[0]
        udp = two.rules[1]
        assert (udp.protocol, udp.port_from, udp.port_to) == ("udp", None, None)
        assert [s.cidr for s in udp.sources] == ["::/0", "192.0.2.0/24"]
        with here.costs(f"GET {path}"):
            again = await driver.add_firewall_rule(cloud, RUNNING, rule())
        assert again.rules == two.rules
        with here.costs(f"GET {path}", f"PUT {path}", f"GET {path}"):
            left = await driver.remove_firewall_rule(cloud, RUNNING, one.rules[0].id)
        assert left.rules == (udp,)
        with here.costs(f"GET {path}"), pytest.raises(NotFound):
            await driver.remove_firewall_rule(cloud, RUNNING, one.rules[0].id)
        with here.costs(f"GET {path}", f"DELETE {path}", f"GET {path}"):
            none = await driver.remove_firewall_rule(cloud, RUNNING, udp.id)
        assert none.rules == ()


async def test_first_rules_whose_answer_was_lost_are_there(served):
    async with served(instances=1) as (simulated, cloud, _):
        simulated.behaviour.break_with([f"lostx1:POST /ve/{RUNNING}/firewall"])
        made = await driver.add_firewall_rule(cloud, RUNNING, rule())
        assert len(made.rules) == 1
        assert simulated.requests.count("/firewall", "POST") == 2


async def test_first_rules_of_somebody_else_meanwhile_are_told(scripted):
    theirs = '<firewall><rule name="a" protocol="TCP" local-port="1" remote-port="0"/></firewall>'
    answers = {
        "GET /ve/w/firewall": ["<firewall/>", theirs],
        "POST /ve/w/firewall": (409, "there are rules"),
    }
    async with scripted(answers) as (_, cloud):
        with pytest.raises(Conflict, match="there are rules"):
            await driver.add_firewall_rule(cloud, "w", rule())


async def test_rules_of_others_stay_as_they_are(scripted):
    theirs = (
        '<rule id="7" name="web &amp; more" protocol="TCP" local-port="80" remote-port="1024">'
        "<remote-net>10.0.0.0/8</remote-net></rule>"
    )
    answers = {
        "GET /ve/w/firewall": f"<firewall>{theirs}</firewall>",
        "PUT /ve/w/firewall": "Firewall rules replaced",
    }
    async with scripted(answers) as (server, cloud):
        await driver.add_firewall_rule(cloud, "w", rule())
        ((_, _, body),) = [sent for sent in server.sent if sent[0] == "PUT"]
        assert theirs.replace(' id="7"', "").encode() in body


async def test_rules_that_are_added_at_once_all_stay(served):
    async with served(instances=1) as (_, cloud, _counting):
        async with anyio.create_task_group() as group:
            for port in range(1, 6):
                group.start_soon(
                    driver.add_firewall_rule, cloud, RUNNING, rule(port_from=port, port_to=port)
                )
        found = await driver.get_firewall(cloud, RUNNING)
        assert sorted(r.port_from for r in found.rules) == [1, 2, 3, 4, 5]


_UNKNOWN_RULES = (
    {"protocol": None},
    {"protocol": "icmp"},
    {"direction": Direction.EGRESS},
    {"action": RuleAction.DENY},
    {"port_to": 25},
    {"port_to": None},
    {"port_from": 70000, "port_to": 70000},
    {"port_from": -1, "port_to": -1},
    {"sources": ()},
    {"sources": (block("nowhere"),)},
    {"sources": (RuleSource(kind=SourceKind.GROUP, group="web"),)},
)


async def test_rules_that_the_platform_does_not_know(served):
    async with served(instances=1) as here:
        for fields in _UNKNOWN_RULES:
            with here.costs(), pytest.raises(InvalidRequest):
                await driver.add_firewall_rule(here.cloud, RUNNING, rule(**fields))


# ------------------------------------------------------------------------------- load balancers


async def test_load_balancers(served):
    async with served(instances=3) as here:
        cloud, lb = here.cloud, "/load-balancer"
        spec = LoadBalancerSpec(name="front & back", listeners=LISTENERS)
        with here.costs(f"POST {lb}/create/front", f"GET {lb}/front"):
            made = await driver.create_load_balancer(
                cloud, LoadBalancerSpec(name="front", listeners=LISTENERS)
            )
        assert (made.id, made.realm_id, made.listeners) == ("front", "1000077", LISTENERS)
        assert len(made.public_addresses) == 1
        assert (await driver.create_load_balancer(cloud, spec)).id == "front & back"
        with here.costs(f"POST {lb}/front/{RUNNING}", f"GET {lb}/front"):
            used = await driver.register_instance(cloud, "front", RUNNING)
        assert used.instance_ids == (RUNNING,)
        assert (await driver.register_instance(cloud, "front", RUNNING)).instance_ids == (RUNNING,)
        here.simulated.requests.reset()
        listed = (await driver.list_load_balancers(cloud, None)).items
        assert here.simulated.requests.total == 3
        assert {b.id: b.instance_ids for b in listed} == {
            "front": (RUNNING,),
            "front & back": (),
        }
        with pytest.raises(Conflict):
            await driver.destroy_load_balancer(cloud, "front")
        with here.costs(f"DELETE {lb}/front/{RUNNING}", f"GET {lb}/front"):
            free = await driver.unregister_instance(cloud, "front", RUNNING)
        assert free.instance_ids == ()
        assert (await driver.unregister_instance(cloud, "front", RUNNING)).instance_ids == ()
        with here.costs(f"DELETE {lb}/front"):
            await driver.destroy_load_balancer(cloud, "front")
        for gone in (
            driver.destroy_load_balancer(cloud, "front"),
            driver.get_load_balancer(cloud, "front"),
            driver.register_instance(cloud, "front", RUNNING),
            driver.unregister_instance(cloud, "front", RUNNING),
            driver.register_instance(cloud, "front & back", "none"),
        ):
            with pytest.raises(NotFound):
                await gone


async def test_members_come_and_go_in_their_time(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.1)) as (_, cloud, _counting):
        spec = LoadBalancerSpec(name="front", listeners=LISTENERS)
        await driver.create_load_balancer(cloud, spec)
        used = await driver.register_instance(cloud, "front", RUNNING)
        assert used.instance_ids == (RUNNING,)
        assert (await driver.unregister_instance(cloud, "front", RUNNING)).instance_ids == ()
        await driver.destroy_load_balancer(cloud, "front")


async def test_a_load_balancer_for_a_subscription(served):
    async with served(instances=2, subscriptions=2) as (_, cloud, _counting):
        spec = LoadBalancerSpec(name="front", listeners=LISTENERS, realm_id="1000078")
        assert (await driver.create_load_balancer(cloud, spec)).realm_id == "1000078"


async def test_load_balancers_of_another_subscription(scripted):
    answers = {
        "GET /load-balancer": '<lb-list><load-balancer name="a" subscription-id="7"/>'
        '<load-balancer name="b" subscription-id="8"/></lb-list>',
        "GET /load-balancer/a": "<load-balancer><name>a</name></load-balancer>",
    }
    async with scripted(answers, subscription="7") as (server, cloud):
        assert [b.id for b in (await driver.list_load_balancers(cloud, None)).items] == ["a"]
        assert server.queries == ["", ""]


async def test_the_member_of_another(served):
    async with served(instances=1) as (_, cloud, _counting):
        for name in ("one", "two"):
            await driver.create_load_balancer(
                cloud, LoadBalancerSpec(name=name, listeners=LISTENERS)
            )
        await driver.register_instance(cloud, "one", RUNNING)
        with pytest.raises(Conflict):
            await driver.register_instance(cloud, "two", RUNNING)


_IMPOSSIBLE = (
    {"listeners": ()},
    {"listeners": (Listener(protocol="TCP", load_balancer_port=80, instance_port=80),)},
    {"listeners": (Listener(protocol="HTTP", load_balancer_port=80, instance_port=81),)},
    {"listeners": (*LISTENERS, *LISTENERS)},
    {"name": "create"},
    {"name": ""},
    {"realm_id": "12"},
)


async def test_load_balancers_that_cannot_be(served):
    async with served(instances=1) as (simulated, cloud, _):
        for fields in _IMPOSSIBLE:
            spec = LoadBalancerSpec(**{"name": "front", "listeners": LISTENERS, **fields})
            with pytest.raises(InvalidRequest):
                await driver.create_load_balancer(cloud, spec)
        assert not simulated.state.balancers


async def test_a_member_that_stays(scripted):
    member = '<load-balancer><name>lb</name><used-by ve-name="web"/></load-balancer>'
    answers = {"DELETE /load-balancer/lb/web": [(409, "busy"), (503, "")]}
    async with scripted({**answers, "GET /load-balancer/lb": member}) as (_, cloud):
        for kind in (Conflict, CloudUnavailable):
            with pytest.raises(kind):
                await driver.unregister_instance(cloud, "lb", "web")


async def test_a_name_that_is_a_verb_makes_nothing(served):
    async with served(instances=1) as here:
        with here.costs(), pytest.raises(NotFound):
            await driver.register_instance(here.cloud, "create", RUNNING)


async def test_a_load_balancer_that_does_not_show_yet(served):
    async with served(instances=1, entry={"retries": 0}) as (simulated, cloud, _):
        simulated.behaviour.break_with(["503:GET /load-balancer/"])
        made = await driver.create_load_balancer(
            cloud, LoadBalancerSpec(name="front", listeners=LISTENERS)
        )
        assert made.id == "front"
        page = await driver.list_load_balancers(cloud, None)
        assert [(b.id, b.platform_state) for b in page.items] == [("front", "STARTED")]
        assert len(page.problems) == 1


# ------------------------------------------------------------------------------------ snapshots


async def test_backups_are_snapshots(served):
    async with served(instances=2) as here:
        cloud = here.cloud
        before = here.simulated.requests.total
        made = await driver.create_storage_snapshot(cloud, StorageSnapshotSpec(instance_id=RUNNING))
        asked = list(here.simulated.requests)[before:]
        assert [r.method for r in asked] == ["GET", "POST", "GET"]
        (backup,) = here.simulated.state.ves[RUNNING].backups
        assert (made.id, made.instance_id) == (f"{RUNNING}:{backup.id}", RUNNING)
        assert (made.state, made.description) == ("AVAILABLE", "on demand")
        assert made.created_at.tzinfo
        page = await driver.list_storage_snapshots(cloud, None)
        assert [s.id for s in page.items] == [made.id]
        with here.costs(f"GET /ve/{RUNNING}/backup/{backup.id}"):
            assert (await driver.get_storage_snapshot(cloud, made.id)).id == made.id
        with here.costs(f"DELETE /ve/{RUNNING}/backup/{backup.id}"):
            await driver.destroy_storage_snapshot(cloud, made.id)
        for ident in (made.id, "", ":", "x:", ":x", "none:{x}", "x"):
            with pytest.raises(NotFound):
                await driver.get_storage_snapshot(cloud, ident)
        with pytest.raises(NotFound):
            await driver.create_storage_snapshot(cloud, StorageSnapshotSpec(instance_id="none"))


async def test_a_backup_by_a_clock_that_is_fast_is_seen(served):
    async with served(instances=1, clock=lambda: time.time() + 3600) as (_, cloud, _counting):
        made = await driver.create_storage_snapshot(cloud, StorageSnapshotSpec(instance_id=RUNNING))
        assert made.created_at > datetime.now(UTC)


async def test_a_server_with_a_colon(served):
    async with served(instances=1) as (simulated, cloud, _):
        ve = simulated.state.ves.pop(RUNNING)
        ve.name = "a:b/c"
        simulated.state.ves["a:b/c"] = ve
        made = await driver.create_storage_snapshot(cloud, StorageSnapshotSpec(instance_id="a:b/c"))
        assert (await driver.get_storage_snapshot(cloud, made.id)).instance_id == "a:b/c"


async def test_states_of_backups(scripted):
    backup = '<ve-backups><backup cloud-backup-id="{{1}}" {}/><backup/></ve-backups>'
    answers = {"GET /ve": '<ve-list><ve-info name="w"/></ve-list>'}
    async with scripted(answers) as (server, cloud):
        for told, state in (
            ('ended="2013-09-01 19:19:17+00" successful="true"', "AVAILABLE"),
            ('ended="2013-09-01 19:19:17+00" successful="false" schedule-name="daily"', "ERROR"),
            ('started="2013-09-01 19:19:17+00"', "CREATING"),
        ):
            server.answers = _AnyBackups({**answers, "backups": backup.format(told)})
            (found,) = (await driver.list_storage_snapshots(cloud, None)).items
            assert (found.id, found.state) == ("w:{1}", state)


class _AnyBackups(dict):
    def __missing__(self, key):
        assert "/backups/" in key
        assert "%" not in key
        return self["backups"]


@pytest.mark.parametrize("then", ["<ve-backups/>", (403, "not for you"), "<html>sign in</html>"])
async def test_a_backup_that_does_not_show(scripted, monkeypatch, then):
    monkeypatch.setattr("anabranch_paci.waiting._SHOWS_WITHIN", 0.2)
    answers = _AnyBackups(
        {"POST /ve/w/backup": (202, "initiated"), "backups": ["<ve-backups/>", then]}
    )
    async with scripted(answers) as (_, cloud):
        with pytest.raises(OutcomeUnknown, match="accepted"):
            await driver.create_storage_snapshot(cloud, StorageSnapshotSpec(instance_id="w"))
