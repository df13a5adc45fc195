"""What is done to members: actions of every collection, rules, destroying, and where it leads."""

import pytest

from .asking import HTML, JSON, Serve, ids, mock, parsed


@pytest.fixture
def api(serve: Serve):
    return serve({"lisbon": mock()})


def last(reply) -> str:
    """The id in a Location."""
    return reply.headers["Location"].rpartition("/")[2]


# ------------------------------------------------------------------------------------- instances


async def test_an_instance_is_stopped_started_rebooted_and_destroyed(api):
    for action, state in (("stop", "STOPPED"), ("start", "RUNNING"), ("reboot", "RUNNING")):
        done = await api.post(f"/api/instances/inst1/{action}")
        assert done.status_code == 202, done.text
        assert float(done.headers["X-Backend-Runtime"]) >= 0
        assert parsed(done).get("id") == "inst1"
        shown = parsed(await api.get("/api/instances/inst1"))
        assert shown.findtext("state") == state
    await api.post("/api/instances/inst1/stop")
    gone = await api.delete("/api/instances/inst1")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await api.get("/api/instances/inst1")).status_code == 404


async def test_the_json_of_an_action_is_not_wrapped(api):
    done = await api.post("/api/instances/inst1/stop", headers=JSON)
    assert done.json()["id"] == "inst1"


async def test_stop_never_destroys(api):
    for _ in range(3):
        await api.post("/api/instances/inst1/stop")
    assert parsed(await api.get("/api/instances/inst1")).findtext("state") == "STOPPED"


async def test_what_the_state_forbids_is_405(api):
    await api.post("/api/instances/inst1/stop")
    refused = await api.post("/api/instances/inst1/reboot", headers=JSON)
    assert refused.status_code == 405


@pytest.mark.parametrize("action", ["start", "stop", "reboot", "rename?name=x"])
async def test_an_unknown_instance_is_404(api, action):
    assert (await api.post(f"/api/instances/nope/{action}")).status_code == 404


async def test_an_instance_is_renamed_resized_and_tagged(api):
    renamed = await api.post("/api/instances/inst1/rename", data={"name": "other & <new>"})
    assert parsed(renamed).findtext("name") == "other & <new>"
    await api.post("/api/instances/inst1/stop")
    resized = await api.post("/api/instances/inst1/resize", data={"hwp_id": "m1-xlarge"})
    assert resized.status_code == 202, resized.text
    assert parsed(resized).find("hardware_profile").get("id") == "m1-xlarge"
    assert (await api.post("/api/instances/inst1/tags", json={"tags": {"a": "b"}})).is_success
    assert (await api.post("/api/instances/inst1/tags")).is_success


async def test_a_reboot_can_cut_the_power(serve):
    slow = serve({"lisbon": mock(delays={"pending": 60})})
    soft = await slow.post("/api/instances/inst1/reboot")
    assert parsed(soft).findtext("state") == "PENDING"
    other = serve({"porto": mock(delays={"pending": 60})})
    hard = await other.post("/api/instances/inst1/reboot", params={"hard": "true"})
    assert parsed(hard).findtext("state") == "RUNNING"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/instances/inst1/stop"),
        ("PUT", "/api/instances/inst1"),
        ("PATCH", "/api/instances/inst1"),
        ("DELETE", "/api/instances"),
        ("POST", "/api/instances/inst1"),
        ("POST", "/api/instances/inst1/explode"),
        ("POST", "/api/realms"),
        ("DELETE", "/api/realms/us"),
        ("GET", "/api/instances/inst1/stop/now"),
    ],
)
async def test_where_nothing_is(api, method, path):
    assert (await api.request(method, path)).status_code == 404
    assert (await api.get("/api/instances/inst1")).status_code == 200


# ------------------------------------------------------------------------------- other members


async def test_an_address_is_associated_and_disassociated(api):
    address = last(await api.post("/api/addresses"))
    for action, leads in (("associate", "inst1"), ("disassociate", None)):
        done = await api.post(f"/api/addresses/{address}/{action}", data={"instance_id": "inst1"})
        assert (done.status_code, done.content) == (202, b"")
        found = parsed(await api.get(f"/api/addresses/{address}")).find("instance")
        assert (found.get("id") if found is not None else None) == leads


@pytest.mark.parametrize("path", ["addresses/192.168.0.1/associate", "storage_volumes/vol1/attach"])
async def test_an_action_tells_what_is_missing(api, path):
    refused = await api.post(f"/api/{path}", headers=JSON)
    assert refused.status_code == 400
    assert "'instance_id'" in refused.json()["message"]


@pytest.mark.parametrize("device", [{}, {"device": "/dev/sdc"}])
async def test_a_volume_is_attached_and_detached(api, device):
    volume = last(await api.post("/api/storage_volumes", data={"capacity": "1"}))
    done = await api.post(
        f"/api/storage_volumes/{volume}/attach", data={"instance_id": "inst1", **device}
    )
    assert done.status_code == 202, done.text
    attached = parsed(done)
    assert attached.find("mount/instance").get("id") == "inst1"
    if device:
        assert attached.find("mount/device").get("name") == "/dev/sdc"
    done = await api.post(f"/api/storage_volumes/{volume}/detach", headers=JSON)
    assert done.status_code == 202
    assert done.json()["storage_volume"]["state"] == "AVAILABLE"


async def test_instances_are_registered_with_a_balancer(api):
    balancer = last(
        await api.post(
            "/api/load_balancers",
            data={
                "name": "front",
                "realm_id": "us",
                "listener_protocol": "HTTP",
                "listener_balancer_port": "80",
                "listener_instance_port": "80",
            },
        )
    )
    for action, members in (("register", ["inst1"]), ("unregister", [])):
        done = await api.post(f"/api/load_balancers/{balancer}/{action}?instance_id=inst1")
        assert done.status_code == 200, done.text
        assert ids(done, "instances/instance") == members


# ------------------------------------------------------------------------------- firewall rules

RULE = {"protocol": "tcp", "port_from": "22", "port_to": "23"}


@pytest.fixture
async def wall(api) -> str:
    return f"/api/firewalls/{last(await api.post('/api/firewalls', data={'name': 'web'}))}"


async def test_a_rule_is_added_and_removed(api, wall):
    sources = {"ip_address1": "192.0.2.7", "ip_address2": "198.51.100.0/24"}
    added = await api.post(f"{wall}/rules", data={**RULE, **sources})
    assert added.status_code == 201, added.text
    (rule,) = parsed(added).findall("rules/rule")
    assert rule.findtext("allow_protocol") == "tcp"
    assert (rule.findtext("port_from"), rule.findtext("port_to")) == ("22", "23")
    found = {(s.get("address"), s.get("prefix")) for s in rule.findall("sources/source")}
    assert found == {("192.0.2.7", "32"), ("198.51.100.0", "24")}
    gone = await api.delete(f"{wall}/rules/{rule.get('id')}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert parsed(await api.get(wall)).findall("rules/rule") == []


async def test_a_rule_is_removed_by_the_short_path_and_by_its_link(api, wall):
    for source in ("192.0.2.0/24", "198.51.100.0/24"):
        added = await api.post(f"{wall}/rules", json={**RULE, "ip_address": [source]})
    short, linked = parsed(added).findall("rules/rule")
    assert (await api.delete(f"{wall}/{short.get('id')}")).status_code == 204
    (link,) = linked.xpath("actions/link[@rel='destroy']/@href")
    assert (await api.delete(link)).status_code == 204
    assert parsed(await api.get(wall)).findall("rules/rule") == []
    assert (await api.delete(link)).status_code == 404


async def test_a_source_may_be_a_group(api, wall):
    other = last(await api.post("/api/firewalls", data={"name": "db"}))
    added = await api.post(
        f"{wall}/rules", data={**RULE, "group1": other, "group1owner": "mockuser"}
    )
    assert added.status_code == 201, added.text
    (source,) = parsed(added).findall("rules/rule/sources/source")
    assert source.get("type") == "group"
    assert source.get("owner") == "mockuser"


async def test_icmp_needs_no_ports(api, wall):
    added = await api.post(f"{wall}/rules", data={"protocol": "ICMP", "ip_address1": "::/0"})
    assert added.status_code == 201, added.text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (RULE, "no source"),
        ({"ip_address1": "0.0.0.0/0"}, "'protocol'"),
        ({"protocol": "tcp", "ip_address1": "0.0.0.0/0"}, "'port_from'"),
        ({**RULE, "protocol": "sctp", "ip_address1": "0.0.0.0/0"}, "tcp, udp, icmp"),
        ({**RULE, "ip_address1": "everybody"}, "'ip_address1'"),
        ({**RULE, "port_from": "24", "ip_address1": "0.0.0.0/0"}, "'port_from'"),
        ({**RULE, "port_from": "-1", "ip_address1": "0.0.0.0/0"}, "'port_from'"),
        ({**RULE, "port_to": "65536", "ip_address1": "0.0.0.0/0"}, "65535"),
        ({**RULE, "ip_address1": "0.0.0.0/0", "group2owner": "me"}, "'group2'"),
    ],
)
async def test_a_rule_that_is_wrong_is_refused(api, wall, given, told):
    refused = await api.post(f"{wall}/rules", data=given, headers=JSON)
    assert refused.status_code == 400, refused.text
    assert told in refused.json()["message"]
    assert parsed(await api.get(wall)).findall("rules/rule") == []


# ---------------------------------------------------------------------------------- for people


@pytest.mark.parametrize(
    ("path", "data", "where"),
    [
        ("instances", {"image_id": "img1"}, "/api/instances/inst4"),
        ("instances/inst1/stop", {}, "/api/instances/inst1"),
        ("instances/inst0", {"_method": "delete"}, "/api/instances"),
        ("storage_volumes/vol1/attach", {"instance_id": "inst1"}, "/api/storage_volumes/vol1"),
        ("addresses/192.168.0.1/disassociate", {}, "/api/addresses/192.168.0.1"),
        ("keys/test-key", {"_method": "DELETE"}, "/api/keys"),
        ("buckets", {"name": "attic"}, "/api/buckets/attic"),
    ],
)
async def test_people_are_led_on(api, path, data, where):
    await api.post("/api/instances/inst0/stop")
    done = await api.post(f"/api/{path}", data=data, headers=HTML)
    assert done.status_code == 303, done.text
    assert done.headers["Location"] == f"http://broker.test{where}"


async def test_a_key_that_is_told_once_is_shown(api):
    made = await api.post("/api/keys", data={"name": "mine"}, headers=HTML)
    assert made.status_code == 201
    assert "PRIVATE KEY" in made.text
    led = await api.post(
        "/api/keys", data={"name": "other", "public_key": "ssh-rsa AAAA me"}, headers=HTML
    )
    assert led.status_code in (303, 400)


# ------------------------------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("instances?id=inst1", ["inst1"]),
        ("instances?id=nope", []),
        ("instances?realm_id=eu", ["inst3"]),
        ("instances?state=running", ["inst0", "inst1", "inst2", "inst3"]),
        ("instances?state=STOPPED", []),
        ("instances;id=inst2", ["inst2"]),
        ("images?architecture=i386", ["img2", "img3"]),
        ("images?owner_id=fedoraproject", ["img1", "img2"]),
        ("hardware_profiles?architecture=i386", ["m1-small", "opaque"]),
        ("realms?id=us", ["us"]),
    ],
)
async def test_lists_are_filtered(api, query, found):
    listed = await api.get(f"/api/{query}")
    assert listed.status_code == 200, listed.text
    assert [child.get("id") for child in parsed(listed)] == found


async def test_a_state_that_there_is_not_is_told(api):
    refused = await api.get("/api/instances?state=sleeping", headers=JSON)
    assert refused.status_code == 400
    assert "RUNNING" in refused.json()["message"]
