"""Where several clouds are meant: which of them is asked, and how that is said."""

import pytest

from .asking import JSON, Serve, ids, mock, parsed

ALL = {"X-Deltacloud-Driver": "all"}


@pytest.fixture
def api(serve: Serve):
    return serve({"lisbon": mock(), "porto": mock(), "faro": mock(dataset="empty")})


def last_two(reply) -> str:
    """The id in a Location, with its cloud."""
    return "/".join(reply.headers["Location"].split("/")[-2:])


async def test_an_id_says_on_which_cloud_it_is_made(api):
    made = await api.post("/api/instances", data={"image_id": "porto/img1", "realm_id": "us"})
    assert made.status_code == 201, made.text
    assert parsed(made).get("id") == "porto/inst4"
    assert made.headers["Location"] == "http://broker.test/api/instances/porto/inst4"
    assert (await api.get(made.headers["Location"])).status_code == 200
    assert parsed(made).find("realm").get("id") == "porto/us"


async def test_links_keep_the_cloud(api):
    image = parsed(await api.get("/api/images/porto/img1"))
    (launch,) = image.xpath("actions/link[@rel='create_instance']/@href")
    made = await api.post(launch)
    assert made.status_code == 201, made.text
    assert parsed(made).get("id").startswith("porto/")


@pytest.mark.parametrize(
    ("collection", "given"),
    [("addresses", {}), ("keys", {"name": "k"}), ("buckets", {"name": "b"}), ("networks", {})],
)
@pytest.mark.parametrize("name", ["cloud", "provider"])
async def test_where_no_id_says_so_a_parameter_does(api, collection, given, name):
    refused = await api.post(f"/api/{collection}", data=given, headers=JSON)
    assert refused.status_code == 400
    assert "which cloud" in refused.json()["message"]
    assert "lisbon, porto, faro" in refused.text
    made = await api.post(f"/api/{collection}", data={**given, name: "Porto"})
    assert made.status_code == 201, made.text
    assert last_two(made).startswith("porto/")
    assert parsed(made).get("id") == last_two(made)


@pytest.mark.parametrize(
    ("path", "given", "told"),
    [
        ("instances", {"image_id": "lisbon/img1", "realm_id": "porto/us"}, "different clouds"),
        ("instances", {"image_id": "lisbon/img1", "cloud": "porto"}, "different clouds"),
        ("instances", {"image_id": "img1"}, "which cloud"),
        ("instances", {"image_id": "img1", "cloud": "madrid"}, "no cloud 'madrid'"),
        ("storage_volumes/lisbon/vol1/attach", {"instance_id": "porto/inst1"}, "another cloud"),
    ],
)
async def test_what_names_several_clouds_or_none_is_refused(api, path, given, told):
    refused = await api.post(f"/api/{path}", data=given, headers=JSON)
    assert refused.status_code == 400, refused.text
    assert told in refused.json()["message"]


@pytest.mark.parametrize("member", ["lisbon/inst1", "lisbon%2Finst1"])
async def test_members_are_acted_upon(api, member):
    done = await api.post(f"/api/instances/{member}/stop")
    assert done.status_code == 202
    assert parsed(done).get("id") == "lisbon/inst1"
    other = parsed(await api.get("/api/instances/porto/inst1"))
    assert other.findtext("state") == "RUNNING"
    assert (await api.delete(f"/api/instances/{member}")).status_code == 204


@pytest.mark.parametrize("instance", ["lisbon/inst1", "inst1"])
async def test_a_volume_is_attached_by_either_form_of_the_id(api, instance):
    made = await api.post("/api/storage_volumes", data={"cloud": "lisbon"})
    done = await api.post(
        f"/api/storage_volumes/{last_two(made)}/attach", data={"instance_id": instance}
    )
    assert done.status_code == 202, done.text
    assert parsed(done).find("mount/instance").get("id") == "lisbon/inst1"


async def test_a_rule_of_a_firewall_has_its_path(api):
    wall = last_two(await api.post("/api/firewalls", data={"name": "web", "cloud": "faro"}))
    rule = {"protocol": "tcp", "port_from": 1, "port_to": 1, "group1": wall}
    added = await api.post(f"/api/firewalls/{wall}/rules", json=rule)
    assert added.status_code == 201, added.text
    (link,) = parsed(added).xpath("rules/rule/actions/link[@rel='destroy']/@href")
    assert (await api.delete(link)).status_code == 204


async def test_a_cloud_that_is_not_named_is_not_found(api):
    refused = await api.post("/api/instances/inst1/stop")
    assert refused.status_code == 404
    assert "lisbon, porto, faro" in refused.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("id=porto%2Finst1", ["porto/inst1"]),
        ("id=inst1", ["lisbon/inst1", "porto/inst1"]),
        ("realm_id=porto%2Feu", ["porto/inst3"]),
        ("realm_id=eu", ["lisbon/inst3", "porto/inst3"]),
    ],
)
async def test_lists_are_filtered_by_ids_of_a_cloud(api, query, found):
    assert ids(await api.get(f"/api/instances?{query}"), "instance") == found


async def test_an_id_of_a_cloud_asks_that_cloud_alone(serve):
    half = serve({"lisbon": mock(faults=[{"kind": "refuse"}]), "porto": mock()})
    found = await half.get("/api/instances?id=porto%2Finst1", headers=JSON)
    assert [one["id"] for one in found.json()["instances"]] == ["porto/inst1"]
    assert "X-Anabranch-Clouds" not in found.headers


async def test_filters_that_name_two_clouds_are_refused(api):
    refused = await api.get("/api/instances?id=porto%2Finst1&realm_id=lisbon%2Feu", headers=JSON)
    assert refused.status_code == 400


async def test_of_one_cloud_the_cloud_need_not_be_said(serve):
    one = serve({"lisbon": mock()})
    made = await one.post("/api/keys", data={"name": "k"}, headers=ALL)
    assert parsed(made).get("id") == "lisbon/k"


async def test_several_are_made_on_one_cloud(api):
    made = await api.post("/api/instances", data={"image_id": "faro/img1", "instance_count": "2"})
    assert made.status_code == 201, made.text
    assert all(one.startswith("faro/") for one in ids(made, "instance"))


@pytest.mark.parametrize("name", ["cloud", "provider"])
async def test_a_list_of_one_cloud_by_a_parameter(api, name):
    found = await api.get("/api/realms", params={name: "Porto"})
    assert ids(found, "realm") == ["porto/us", "porto/eu"]
    refused = await api.get("/api/realms", params={name: "madrid"})
    assert refused.status_code == 400


async def test_nothing_is_made_on_the_cloud_that_is_chosen_if_a_parameter_names_another(api):
    chosen = {"X-Deltacloud-Provider": "porto"}
    refused = await api.post("/api/keys", data={"name": "k", "cloud": "lisbon"}, headers=chosen)
    assert refused.status_code == 400
    assert "'lisbon', and porto is chosen" in parsed(refused).findtext("message")
    made = await api.post("/api/keys", data={"name": "k", "cloud": "porto"}, headers=chosen)
    assert made.status_code == 201, made.text
