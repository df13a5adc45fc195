import pytest
from lxml import etree

from anabranch_server.deltacloud import entry

MOCK = {"driver": "mock"}
DELTACLOUDS = {
    "addresses",
    "buckets",
    "drivers",
    "hardware_profiles",
    "images",
    "instance_states",
    "instances",
    "keys",
    "metrics",
    "network_interfaces",
    "networks",
    "realms",
    "storage_snapshots",
    "storage_volumes",
    "subnets",
}


def _rels(reply):
    return etree.fromstring(reply.content).xpath("link/@rel")


def _features(reply, rel):
    """Name and operation of each feature of a collection, and its parameters."""
    found = etree.fromstring(reply.content).xpath(f"link[@rel='{rel}']/feature")
    return {(f.get("name"), f.get("rel")): f.xpath("param/@name") for f in found}


async def test_mock_offers_what_deltaclouds_mock_did_and_more(serve):
    reply = await serve().get("/api")

    rels = _rels(reply)
    assert rels == sorted(rels)
    assert set(rels) > DELTACLOUDS
    assert {"firewalls", "load_balancers"} < set(rels)
    document = etree.fromstring(reply.content)
    assert dict(document.attrib) == {"driver": "mock", "provider": "lisbon", "version": "1.1.3"}
    assert reply.text.startswith("<api ")


async def test_mock_has_the_features_that_deltaclouds_mock_had_and_the_one_it_misspelt(serve):
    features = _features(await serve().get("/api"), "instances")

    assert features["metrics", "create"] == ["metrics"]
    assert features["realm_filter", "index"] == ["realm_id"]
    assert features["user_name", "create"] == ["name"]
    assert features["authentication_key", "create"] == ["keyname"]
    assert features["user_data", "create"] == ["user_data"]
    assert features["user_files", "create"][:2] == ["path1", "path2"]


async def test_every_collection_of_the_entry_point_is_there(serve):
    client = serve()

    for link in etree.fromstring((await client.get("/api")).content).iter("link"):
        assert (await client.get(link.get("href"))).status_code == 200


async def test_json_tells_the_same(serve):
    client = serve()

    xml, plain = await client.get("/api"), (await client.get("/api?format=json")).json()["api"]

    assert (plain["version"], plain["driver"], plain["provider"]) == ("1.1.3", "mock", "lisbon")
    assert [link["rel"] for link in plain["links"]] == _rels(xml)
    features = next(link["features"] for link in plain["links"] if link["rel"] == "instances")
    assert [{"name": "metrics", "rel": "create", "params": ["metrics:string:optional"]}] in [
        [{k: v for k, v in one.items() if k != "constraints"} for one in few] for few in features
    ]


async def test_people_can_choose_a_driver(serve):
    page = await serve({"lisbon": MOCK, "porto": MOCK}).get("/api", headers={"Accept": "*/*"})

    assert page.headers["content-type"].startswith("text/html")
    assert 'href="http://broker.test/api/instances"' in page.text


async def test_what_a_cloud_lacks_today_is_not_offered(serve):
    lacks = ["list_buckets", "create_instance:user_data"]
    client = serve({"lisbon": MOCK, "porto": {**MOCK, "lacks": lacks}})

    there, everywhere = await client.get("/api;provider=porto"), await client.get("/api")

    assert "buckets" not in _rels(there)
    assert ("user_data", "create") not in _features(there, "instances")
    assert "buckets" in _rels(everywhere)
    assert ("user_data", "create") in _features(everywhere, "instances")
    assert etree.fromstring(everywhere.content).get("driver") == "all"


@pytest.mark.parametrize("kind", ["refuse", "hang"])
async def test_a_cloud_that_cannot_be_asked_offers_what_its_driver_does(serve, kind, monkeypatch):
    monkeypatch.setattr(entry, "_PATIENCE", 0.05)
    client = serve({"lisbon": {**MOCK, "faults": [{"kind": kind}]}})

    reply = await client.get("/api")

    assert reply.status_code == 200
    assert set(_rels(reply)) > DELTACLOUDS


async def test_without_credentials_what_the_driver_offers_is_told(pass_through):
    reply = await pass_through.get("/api")

    assert reply.status_code == 200
    assert set(_rels(reply)) > DELTACLOUDS
    assert dict(etree.fromstring(reply.content).attrib) == {"driver": "mock", "version": "1.1.3"}
    for path in ("drivers", "drivers/mock", "instance_states", "docs"):
        assert (await pass_through.get(f"/api/{path}")).status_code == 200
    assert (await pass_through.get("/api/realms")).status_code == 401


@pytest.mark.parametrize(
    ("auth", "status"),
    [(("mockuser", "mockpassword"), 200), (("mockuser", "wrong"), 401), (None, 401)],
)
async def test_force_auth_tries_the_credentials(pass_through, auth, status):
    reply = await pass_through.get("/api?force_auth=1", auth=auth)

    assert reply.status_code == status
    assert ("www-authenticate" in reply.headers) == (auth is None)


async def test_force_auth_tries_the_daemons_own_credentials(serve):
    good = serve({"lisbon": MOCK, "porto": {**MOCK, "faults": [{"kind": "refuse"}]}})
    bad = serve({"lisbon": MOCK, "porto": {**MOCK, "password": "wrong"}})
    down = serve({"lisbon": {**MOCK, "faults": [{"kind": "refuse"}]}})

    assert (await good.get("/api?force_auth=true")).status_code == 200
    refused = await bad.get("/api?force_auth=1")
    assert (refused.status_code, "www-authenticate" in refused.headers) == (401, False)
    assert "porto" in etree.fromstring(refused.content).findtext("message")
    assert (await down.get("/api?force_auth=1")).status_code == 502
    assert (await bad.get("/api?force_auth=false")).status_code == 200


@pytest.mark.parametrize(
    ("form", "matrix"),
    [
        ({"driver": "mock"}, ";driver=mock"),
        ({"provider": "lisbon"}, ";provider=lisbon"),
        (
            {"driver": "mock", "provider": "http://k:5000/v3;Porto"},
            ";driver=mock;provider=http%3A%2F%2Fk%3A5000%2Fv3%3BPorto",
        ),
        ({"driver": "mock", "provider": ""}, ";driver=mock"),
        ({"driver": "x\r\nSet-Cookie: a=b"}, ";driver=x%0D%0ASet-Cookie%3A%20a%3Db"),
    ],
)
async def test_a_form_that_chooses_leads_to_where_it_is_chosen(serve, form, matrix):
    reply = await serve().post("/api;driver=other", data=form)

    assert reply.status_code == 400  # there is no such driver: nothing can be left from there
    reply = await serve().post("/api;provider=lisbon", data=form)
    assert reply.status_code == 301
    assert reply.headers["location"] == f"http://broker.test/api{matrix}"
