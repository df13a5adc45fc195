from __future__ import annotations

import pytest

from anabranch_openstack.simulator import ODDITIES, simulator

IMAGES = "/image/v2/images"
PATCH = {"content-type": "application/openstack-images-v2.1-json-patch"}


def test_images_come_in_pages_with_relative_links(api):
    seen, url = [], f"{IMAGES}?limit=2&sort=name:asc"
    while url:
        body = api.get(url)
        seen += [image["name"] for image in body["images"]]
        assert body["first"] == "/v2/images?limit=2&sort=name%3Aasc"
        url = "/image" + body["next"] if "next" in body else None
    assert seen == sorted(seen)
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("limit=x", 400, "limit param must be an integer"),
        ("limit=-1", 400, "limit param must be positive"),
        ("marker=nope", 400, "No image found with ID nope"),
        ("visibility=zz", 400, "Invalid visibility value: zz"),
        ("sort=zz", 400, "Invalid sort key: zz."),
    ],
)
def test_glance_refuses_in_html(api, query, status, message):
    reply = api.call("GET", f"{IMAGES}?{query}")
    assert reply.status_code == status
    assert reply.headers["content-type"] == "text/html; charset=UTF-8"
    assert message in reply.text


def test_the_life_of_an_image(api):
    wanted = {"name": "mine", "disk_format": "raw", "container_format": "bare", "os_distro": "x"}
    made = api.call("POST", IMAGES, wanted)
    assert made.status_code == 201
    image = made.json()
    assert (image["status"], image["visibility"], image["os_distro"]) == ("queued", "shared", "x")
    path = f"{IMAGES}/{image['id']}"
    assert api.call("GET", path + "/file").status_code == 204
    wrong = api.call("PUT", path + "/file", content=b"x", headers={"content-type": "text/plain"})
    assert wrong.status_code == 415
    octets = {"content-type": "application/octet-stream"}
    chunks = (b"x" * 1000 for _ in range(3))
    assert api.call("PUT", path + "/file", content=chunks, headers=octets).status_code == 204
    assert api.call("PUT", path + "/file", content=b"x", headers=octets).status_code == 409
    assert api.call("GET", path + "/file").content == b"x" * 3000
    patch = [
        {"op": "replace", "path": "/name", "value": "yours"},
        {"op": "add", "path": "/os_version", "value": "12"},
        {"op": "remove", "path": "/os_distro"},
        {"op": "replace", "path": "/protected", "value": True},
    ]
    patched = api.call("PATCH", path, patch, headers=dict(PATCH)).json()
    assert (patched["name"], patched["os_version"], patched["size"]) == ("yours", "12", 3000)
    assert "os_distro" not in patched
    assert "is protected" in api.call("DELETE", path).text
    for bad, status in (
        ([{"op": "replace", "path": "/none", "value": "x"}], 409),
        ([{"op": "replace", "path": "/status", "value": "x"}], 403),
        ([{"op": "remove", "path": "/name"}], 403),
        ([{"op": "replace", "path": "/visibility", "value": "public"}], 403),
        ([{"op": "replace", "path": "/min_ram", "value": "x"}], 400),
        ({}, 400),
    ):
        assert api.call("PATCH", path, bad, headers=dict(PATCH)).status_code == status
    assert api.call("PATCH", path, patch).status_code == 415
    api.call("PATCH", path, [{**patch[3], "value": False}], headers=dict(PATCH))
    assert api.call("DELETE", path).status_code == 204
    assert api.call("DELETE", path).status_code == 404


def test_images_of_others(api, tiny):
    public = api.get(IMAGES)["images"][0]
    refused = api.call("DELETE", f"{IMAGES}/{public['id']}")
    assert "You are not authorized to complete delete_image action." in refused.text
    mine = api.call("POST", IMAGES, {"name": "mine"}).json()
    assert tiny.call("GET", f"{IMAGES}/{mine['id']}").status_code == 404
    assert len(tiny.get(IMAGES)["images"]) == 5


def test_neutron_filters_fields_and_pages(api):
    networks = "/network/v2.0/networks"
    body = api.get(f"{networks}?name=private&fields=id&fields=name")
    assert [set(n) for n in body["networks"]] == [{"id", "name"}]
    assert len(api.get(f"{networks}?router:external=True")["networks"]) == 1
    page = api.get(f"{networks}?limit=1")
    assert {link["rel"] for link in page["networks_links"]} == {"next", "previous"}
    for query, status, kind in (
        ("marker=nope&limit=1", 404, "NetworkNotFound"),
        ("colour=red", 400, "HTTPBadRequest"),
        ("limit=zz", 400, "BadRequest"),
        ("sort_key=id", 400, "HTTPBadRequest"),
    ):
        reply = api.call("GET", f"{networks}?{query}")
        assert (reply.status_code, reply.json()["NeutronError"]["type"]) == (status, kind)


def test_the_life_of_a_network(api):
    networks = "/network/v2.0/networks"
    made = api.call("POST", networks, {"network": {"name": "n"}}).json()["network"]
    subnet = {"network_id": made["id"], "cidr": "10.77.0.0/24", "ip_version": 4}
    reply = api.call("POST", "/network/v2.0/subnets", {"subnet": subnet})
    assert reply.json()["subnet"]["gateway_ip"] == "10.77.0.1"
    overlap = api.call("POST", "/network/v2.0/subnets", {"subnet": subnet}).json()
    assert overlap["NeutronError"]["type"] == "InvalidInput"
    port = api.call("POST", "/network/v2.0/ports", {"port": {"network_id": made["id"]}})
    port_id = port.json()["port"]["id"]
    path = f"{networks}/{made['id']}"
    assert api.call("DELETE", path).json()["NeutronError"]["type"] == "NetworkInUse"
    assert api.call("DELETE", f"/network/v2.0/ports/{port_id}").status_code == 204
    assert api.call("DELETE", path).status_code == 204
    assert api.call("GET", path).json()["NeutronError"]["type"] == "NetworkNotFound"
    unknown = api.call("POST", networks, {"network": {"colour": "red"}}).json()
    assert unknown["NeutronError"]["message"] == "Unrecognized attribute(s) 'colour'"


def test_security_groups_in_use_stay(api):
    groups = api.get("/network/v2.0/security-groups")["security_groups"]
    web = next(g for g in groups if g["name"] == "web")
    reply = api.call("DELETE", f"/network/v2.0/security-groups/{web['id']}")
    assert reply.json()["NeutronError"]["type"] == "SecurityGroupInUse"
    made = api.call("POST", "/network/v2.0/security-groups", {"security_group": {"name": "g"}})
    group = made.json()["security_group"]
    assert [r["direction"] for r in group["security_group_rules"]] == ["egress", "egress"]
    assert api.call("DELETE", f"/network/v2.0/security-groups/{group['id']}").status_code == 204


def test_cinder_versions_quota_and_project_in_the_path(api, cloud):
    versions = api.call("GET", "/volume/", token="")
    assert (versions.status_code, versions.json()["versions"][0]["version"]) == (300, "3.71")
    assert api.call("GET", "/volume/v3").status_code == 302
    project = api.body["project"]["id"]
    assert api.get(f"/volume/v3/{project}/volumes/detail") == {"volumes": []}
    assert api.call("GET", "/volume/v3/nobody/volumes").status_code == 404
    assert api.call("GET", "/volume/v3/volumes", mv="3.999").status_code == 406
    cloud.state.regions["RegionOne"].volumes.limit = 0
    refused = api.call("POST", "/volume/v3/volumes", {"volume": {"size": 1}})
    assert refused.status_code == 413
    assert refused.headers["retry-after"] == "0"
    assert refused.json()["overLimit"]["retryAfter"] == "0"


def test_snapshots_of_a_volume_in_use_need_force_or_3_66(api, clock):
    volume = api.call("POST", "/volume/v3/volumes", {"volume": {"size": 1}}).json()["volume"]
    clock.now += 4
    server = api.get("/compute/v2.1/servers?status=ACTIVE")["servers"][0]["id"]
    body = {"volumeAttachment": {"volumeId": volume["id"]}}
    api.call("POST", f"/compute/v2.1/servers/{server}/os-volume_attachments", body)
    clock.now += 4
    wanted = {"snapshot": {"volume_id": volume["id"]}}
    refused = api.call("POST", "/volume/v3/snapshots", wanted)
    assert "current status is: in-use" in refused.json()["badRequest"]["message"]
    assert api.call("POST", "/volume/v3/snapshots", wanted, mv="3.66").status_code == 202
    clock.now += 4
    assert api.get("/volume/v3/snapshots/detail")["snapshots"][0]["status"] == "available"
    api.call("DELETE", f"/compute/v2.1/servers/{server}")
    clock.now += 4
    api.get("/compute/v2.1/servers")
    assert api.get(f"/volume/v3/volumes/{volume['id']}")["volume"]["status"] == "available"


def test_odd_servers_can_be_planted(api):
    plain = simulator.cloud("plain", instances=1)
    odd = simulator.cloud("odd", instances=1, odd=True)
    assert len(odd.servers) - len(plain.servers) == len(ODDITIES)
    picked = simulator.cloud("picked", instances=1, odd=["script", "emoji"])
    assert [s.metadata for s in picked.servers if s.name.startswith("<script>")]
    with pytest.raises(ValueError, match="unknown oddity 'nope'"):
        simulator.cloud("bad", odd=["nope"])
    with pytest.raises(ValueError, match="ask for instances"):
        simulator.cloud("bad", instances=0, odd=True)


def test_faults_speak_openstack(api, cloud):
    cloud.behaviour.break_with(["401x1:/compute", "503x1"])
    refused = api.call("GET", "/compute/v2.1/servers")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == f'Keystone uri="{api.url}/identity/v3"'
    assert refused.json()["error"]["code"] == 401
    assert api.call("GET", "/image/v2/images").status_code == 503
    assert api.call("GET", "/compute/v2.1/servers").status_code == 200
