"""The Ruby client of 2013 on the wire, each test named by the behaviour that it stands for.

It was run against this server unchanged. It asks for XML, sends the parameters of a POST in its
query, takes each child of a list's root for a member, reads a member's elements wherever they stand
in it, and raises an error for 400 to 409, 500, 501 and 502 alone.
"""

import base64

import httpx
import pytest
from lxml import etree

from .asking import Serve, mock

RAISES = {*range(400, 410), 500, 501, 502}
FILTERED = [
    ("addresses", "192.168.0.1"),
    ("buckets", "bucket1"),
    ("drivers", "mock"),
    ("firewalls", "fw1"),
    ("hardware_profiles", "m1-small"),
    ("images", "img1"),
    ("instances", "inst1"),
    ("keys", "test-key"),
    ("realms", "eu"),
    ("storage_snapshots", "snap1"),
    ("storage_volumes", "vol1"),
]


class Refused(Exception):
    """An answer that the client raises an error for."""

    def __init__(self, reply):
        self.status, self.document = reply.status_code, etree.fromstring(reply.content)
        self.message = self.document.findtext("message")
        self.driver = self.document.find("backend").get("driver")
        super().__init__(self.status, self.message)


class RubyClient:
    """What the client's connection does; `connected` makes one, as every program begins."""

    def __init__(self, http: httpx.AsyncClient, user: str, password: str, headers: dict[str, str]):
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.http = http
        self.headers = {"Accept": "application/xml", "Authorization": f"Basic {login}", **headers}

    async def send(self, method: str, path: str, **parameters: str | int | None) -> httpx.Response:
        """Send a request, its parameters in the query, whatever the method; None is sent empty."""
        reply = await self.http.request(
            method,
            f"/api{path}",
            params={k: "" if v is None else v for k, v in parameters.items()} or None,
            headers=self.headers,
        )
        if reply.status_code in RAISES:
            raise Refused(reply)
        return reply

    async def get(self, path: str, **parameters: str):
        return etree.fromstring((await self.send("GET", path, **parameters)).content)

    async def post(self, path: str, **parameters: str | int | None):
        return etree.fromstring((await self.send("POST", path, **parameters)).content)

    async def destroy(self, path: str) -> bool:
        return (await self.send("DELETE", path)).status_code == 204

    async def members(self, collection: str, **parameters: str):
        """Make a member of each child of the root: one without an id breaks the client."""
        found = (await self.get(f"/{collection}", **parameters)).xpath("*")
        assert all(one.get("id") and one.get("href") for one in found)
        return found


async def connected(http, user="mockuser", password="mockpassword", **headers):
    """Connect: the client asks for the entry point, and keeps it."""
    client = RubyClient(http, user, password, headers)
    return client, await client.get("")


def text_at(member, name):
    """Read an element wherever it stands below a member, as the client does."""
    found = member.find(f".//{name}")
    return None if found is None else (found.text or "").strip()


@pytest.fixture
async def client(pass_through):
    return (await connected(pass_through))[0]


async def test_it_connects_and_asks_locally_what_is_supported(pass_through):
    _, entry = await connected(pass_through)

    assert entry.tag == "api"
    assert (entry.get("driver"), entry.get("version")) == ("mock", "1.1.3")
    assert entry.get("provider") is None
    assert {"realms", "instances", "buckets"} < set(entry.xpath("link/@rel"))
    assert "user_name" in entry.xpath("link[@rel='instances']/feature/@name")


async def test_it_connects_before_it_asks_whether_the_credentials_are_valid(pass_through):
    """Connecting with wrong ones, or empty ones, does not fail; `force_auth` tells."""
    assert await (await connected(pass_through))[0].get("", force_auth="true") is not None
    for user, password in [("mockuser", "wrong"), ("foo", "bar"), ("", "")]:
        client, entry = await connected(pass_through, user, password)
        assert entry.get("driver") == "mock"
        with pytest.raises(Refused) as refused:
            await client.get("", force_auth="true")
        assert refused.value.status == 401


async def test_each_child_of_a_list_is_a_member_that_is_found_by_its_id(pass_through):
    client, entry = await connected(pass_through)

    for collection in entry.xpath("link/@rel"):
        if collection == "instance_states":
            continue
        for member in await client.members(collection):
            path = f"/{collection}/{member.get('id')}"
            assert member.get("href") == f"http://broker.test/api{path}"
            alone = await client.get(path)
            assert (alone.tag, alone.get("id")) == (member.tag, member.get("id"))
            assert text_at(alone, "name") == text_at(member, "name")


async def test_each_child_of_a_list_of_several_clouds_is_a_member_too(serve: Serve):
    client, entry = await connected(serve({"lisbon": mock(), "porto": mock()}))

    assert entry.get("driver") == "all"
    for collection in ("realms", "images", "instances", "storage_volumes"):
        for member in await client.members(collection):
            alone = await client.get(f"/{collection}/{member.get('id')}")
            assert alone.get("id") == member.get("id")


@pytest.mark.parametrize(("collection", "ident"), FILTERED)
async def test_a_list_is_filtered_by_id(client, collection, ident):
    if collection == "addresses":
        ident = (await client.post("/addresses")).get("id")

    assert [one.get("id") for one in await client.members(collection, id=ident)] == [ident]
    assert await client.members(collection, id="unknown") == []


@pytest.mark.parametrize("collection", [name for name, _ in FILTERED])
@pytest.mark.parametrize("ident", ["foo", ""])
async def test_what_is_not_there_is_not_found_and_nil_is_not_there(client, collection, ident):
    """`client.realm(nil)` asks for `/realms/`, which is no list."""
    with pytest.raises(Refused) as refused:
        await client.get(f"/{collection}/{ident}")

    assert refused.value.status == 404
    assert refused.value.driver == "mock"
    assert refused.value.message


async def test_the_query_of_a_post_has_what_an_instance_is_made_of(client):
    created = await client.post(
        "/instances", image_id="img1", hwp_id="m1-large", realm_id="eu", name="test_instance"
    )

    assert created.tag == "instance"
    assert text_at(created, "name") == "test_instance"
    assert created.find(".//image").get("id") == "img1"
    assert created.find(".//realm").get("id") == "eu"
    assert created.find(".//hardware_profile").get("id") == "m1-large"
    addresses = created.xpath("public_addresses/address | private_addresses/address")
    assert addresses
    assert all(one.get("type") and one.text for one in addresses)


async def test_several_instances_are_told_by_the_name_of_the_root(client):
    created = await client.post("/instances", image_id="img1", instance_count=2)

    assert created.tag == "instances"
    assert len({one.get("id") for one in created}) == 2


async def test_an_action_answers_the_instance_and_allows_what_the_state_does(client):
    path = f"/instances/{(await client.post('/instances', image_id='img1')).get('id')}"

    async def act(action):
        reply = await client.send("POST", f"{path}/{action}")
        assert 200 <= reply.status_code < 300
        told = etree.fromstring(reply.content)
        assert told.tag == "instance"
        return told.findtext("state"), {*told.xpath("actions/link/@rel")} - {"create_image"}

    assert await act("stop") == ("STOPPED", {"start", "destroy"})
    assert await act("start") == ("RUNNING", {"reboot", "stop"})
    assert await act("reboot") == ("RUNNING", {"reboot", "stop"})
    with pytest.raises(Refused) as refused:
        await client.destroy(path)
    assert refused.value.status == 405
    await act("stop")
    assert await client.destroy(path)
    with pytest.raises(Refused):
        await client.get(path)


async def test_an_image_is_made_of_an_instance_and_destroyed(client):
    image = await client.post("/images", instance_id="inst1", name="test")

    assert text_at(image, "name") == "test"
    assert image.xpath("hardware_profiles/hardware_profile/@id")
    assert await client.destroy(f"/images/{image.get('id')}")


async def test_an_image_of_no_instance_is_the_clients_failure(client):
    with pytest.raises(Refused) as refused:
        await client.post("/images", instance_id=None, name="test")

    assert 400 <= refused.value.status < 410


async def test_a_profile_has_properties_of_three_kinds_and_one_is_opaque(client):
    profiles = {one.get("id"): one for one in await client.members("hardware_profiles")}

    for one in profiles.values():
        for each in one.xpath("property"):
            assert each.get("kind") in {"fixed", "range", "enum"}
            assert each.get("name")
            assert each.get("unit")
            assert each.get("value")
    large = profiles["m1-large"]
    (memory,) = large.xpath("property[@name='memory']/range")
    assert int(memory.get("first")) < int(memory.get("last"))
    assert large.xpath("property[@name='storage']/enum/entry/@value") == ["850", "1024"]
    assert profiles["opaque"].xpath("property") == []
    assert text_at(profiles["opaque"], "name") == "opaque"


async def test_a_key_brings_its_pem_and_a_second_one_of_its_name_is_refused(client):
    key = await client.post("/keys", name="foo")

    assert text_at(key, "pem").startswith("-----BEGIN ")
    assert text_at(key, "fingerprint")
    with pytest.raises(Refused):
        await client.post("/keys", name="foo")
    assert await client.destroy("/keys/foo")


async def test_a_volume_is_attached_and_detached(client):
    attached = await client.post("/storage_volumes/vol1/attach", instance_id="inst1", device="/x")

    assert text_at(attached, "state") == "IN-USE"
    assert text_at(attached, "device") == "/x"
    assert attached.xpath("mount/instance/@id") == ["inst1"]
    assert attached.xpath("mount/device/@name") == ["/x"]
    detached = await client.post("/storage_volumes/vol1/detach")
    assert text_at(detached, "state") == "AVAILABLE"
    assert text_at(detached, "device") is None
    assert detached.find(".//mount") is None


async def test_a_device_need_not_be_named(client):
    attached = await client.post("/storage_volumes/vol1/attach", instance_id="inst1", device=None)

    assert attached.xpath("mount/instance/@id") == ["inst1"]


async def test_a_volume_is_made_of_a_snapshot_and_a_snapshot_of_a_volume(client):
    volume = await client.post("/storage_volumes", snapshot_id="snap1", name="v", capacity=10)
    snapshot = await client.post("/storage_snapshots", volume_id=volume.get("id"), name="s")

    assert text_at(volume, "capacity") == "10"
    assert volume.find("capacity").get("unit") == "GB"
    assert snapshot.find(".//storage_volume").get("id") == volume.get("id")
    assert text_at(snapshot, "created")
    assert await client.destroy(f"/storage_snapshots/{snapshot.get('id')}")
    assert await client.destroy(f"/storage_volumes/{volume.get('id')}")


async def test_an_address_is_associated_by_202_alone(client):
    ident = (await client.post("/addresses")).get("id")
    instance = (await client.post("/instances", image_id="img1")).get("id")
    path = f"/addresses/{ident}"

    reply = await client.send("POST", f"{path}/associate", instance_id=instance)
    assert reply.status_code == 202
    assert (await client.get(path)).find(".//instance").get("id") == instance
    assert (await client.send("POST", f"{path}/disassociate")).status_code == 202
    assert (await client.get(path)).find(".//instance") is None
    assert await client.destroy(path)


async def test_the_query_of_a_post_has_a_whole_blob(client):
    blob = await client.post(
        "/buckets/bucket1",
        blob_id="fooblob",
        blob_data="content_of_blob",
        meta_params=1,
        meta_name1="key",
        meta_value1="value",
    )

    assert blob.get("id") == "fooblob"
    assert text_at(blob, "bucket") == "bucket1"
    assert text_at(blob, "content_length") == "15"
    assert text_at(blob, "content_type") == "text/plain"
    assert blob.xpath("user_metadata/entry[@key='key']")[0].text.strip() == "value"
    assert "fooblob" in (await client.get("/buckets/bucket1")).xpath("blob/@id")
    assert await client.destroy("/buckets/bucket1/fooblob")


async def test_a_firewall_has_rules_with_ids_and_its_rule_without_a_source_is_refused(client):
    firewall = await client.post("/firewalls", name="fw", description="for a test")

    assert text_at(firewall, "description") == "for a test"
    rules = [rule for one in await client.members("firewalls") for rule in one.xpath("rules/rule")]
    assert rules
    assert all(rule.get("id") and rule.findtext("allow_protocol") for rule in rules)
    with pytest.raises(Refused):
        await client.post(
            f"/firewalls/{firewall.get('id')}/rules", protocol="tcp", port_from=22, port_to=22
        )
    assert await client.destroy(f"/firewalls/{firewall.get('id')}")


async def test_instances_are_registered_with_a_load_balancer(client):
    balancer = await client.post(
        "/load_balancers",
        name="test2",
        realm_id="eu",
        listener_protocol="HTTP",
        listener_balancer_port=80,
        listener_instance_port=8080,
    )
    path = f"/load_balancers/{balancer.get('id')}"

    assert balancer.find(".//realm").get("id") == "eu"
    (listener,) = balancer.xpath("listeners/listener")
    assert listener.get("protocol") == "HTTP"
    assert text_at(listener, "load_balancer_port") == "80"
    assert text_at(listener, "instance_port") == "8080"
    registered = await client.post(f"{path}/register", instance_id="inst1")
    assert registered.xpath("instances/instance/@id") == ["inst1"]
    gone = await client.post(f"{path}/unregister", instance_id="inst1")
    assert gone.xpath("instances/instance/@id") == []
    assert await client.destroy(path)


async def test_metrics_are_named_by_their_elements(client):
    metric = await client.get(f"/metrics/{(await client.members('metrics'))[0].get('id')}")

    assert text_at(metric, "entity")
    first = metric.xpath("properties/*")[0]
    wanted = {"average", "maximum", "minimum", "timestamp", "unit"}
    assert set(first.xpath("sample[1]/property/@name")) == wanted


async def test_states_are_read_without_an_account(pass_through):
    states = etree.fromstring((await pass_through.get("/api/instance_states")).content)

    running = states.xpath("state[@name='running']/transition")
    assert {(one.get("action"), one.get("to")) for one in running} >= {("stop", "stopped")}
    assert states.xpath("state[@name='pending']/transition/@action") == []


async def test_a_driver_and_a_provider_are_chosen_by_headers_and_lists_are_classic_then(
    serve: Serve,
):
    http = serve({"lisbon": mock(), "porto": mock()})

    for name in ("lisbon", "porto"):
        choice = {"X-Deltacloud-Driver": "mock", "X-Deltacloud-Provider": name}
        client, entry = await connected(http, **choice)
        assert (entry.get("driver"), entry.get("provider")) == ("mock", name)
        assert [one.get("id") for one in await client.members("realms")] == ["us", "eu"]
    drivers = await client.members("drivers")
    assert [one.xpath("provider/@id") for one in drivers] == [["lisbon", "porto"]]
