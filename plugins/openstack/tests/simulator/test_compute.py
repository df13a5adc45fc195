from __future__ import annotations

import msgspec
import pytest

SERVERS = "/compute/v2.1/servers"
AT_2_1 = {
    *("accessIPv4", "accessIPv6", "addresses", "created", "flavor", "hostId", "id", "image"),
    *("links", "metadata", "name", "status", "tenant_id", "user_id", "updated", "progress"),
    *("OS-DCF:diskConfig", "OS-EXT-AZ:availability_zone", "config_drive", "key_name"),
    *("OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at", "security_groups"),
    *("OS-EXT-STS:task_state", "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state"),
    *("os-extended-volumes:volumes_attached",),
}


def pages(api, path, key, **options):
    """All items of a list, and the number of pages that they took."""
    items, number, url = [], 0, path
    while url:
        body = api.get(url, **options)
        items += body[key]
        number += 1
        links = body.get(f"{key}_links", [])
        url = next((link["href"] for link in links if link["rel"] == "next"), None)
    return items, number


def show(api, server_id, mv=None):
    return api.get(f"{SERVERS}/{server_id}", mv=mv)["server"]


def state(api, server_id):
    server = show(api, server_id)
    return server["status"], server["OS-EXT-STS:task_state"]


@pytest.fixture
def active(api):
    return api.get(f"{SERVERS}?status=ACTIVE&limit=1")["servers"][0]["id"]


@pytest.fixture
def sources(api):
    flavors = api.get("/compute/v2.1/flavors")["flavors"]
    images = api.get("/image/v2/images")["images"]
    return {f["name"]: f["id"] for f in flavors}, {i["name"]: i["id"] for i in images}


@pytest.mark.parametrize("what", [SERVERS, SERVERS + "/detail"])
def test_servers_come_in_pages_newest_first(api, what):
    servers, number = pages(api, what, "servers")
    assert (len(servers), number) == (25, 3)
    assert len({s["id"] for s in servers}) == 25
    assert [s["name"].rsplit("-")[-1] for s in servers[:2]] == ["025", "024"]
    smaller, number = pages(api, what + "?limit=5", "servers")
    assert smaller == servers
    assert number == 6  # the fifth page is full, so it has a link although nothing follows


def test_pages_are_refused_as_nova_refuses_them(api):
    for query, message in (
        ("limit=-1", "'-1' does not match '^[0-9]*$'"),
        ("marker=nope", "marker [nope] not found"),
        ("sort_dir=up", "'up' is not one of ['asc', 'desc']"),
        ("sort_key=colour", "'colour' is not one of"),
        ("changes-since=soon", "'soon' is not a 'date-time'"),
    ):
        reply = api.call("GET", f"{SERVERS}?{query}")
        assert reply.status_code == 400, query
        assert message in reply.json()["badRequest"]["message"]
    reply = api.call("GET", f"{SERVERS}?all_tenants=1")
    assert "get_all_tenants" in reply.json()["forbidden"]["message"]


@pytest.mark.parametrize(
    ("query", "mv", "number"),
    [
        ("status=SHUTOFF", None, 2),
        ("status=BANANA", None, 0),
        ("name=lisbon-web", None, 7),
        ("name=00[12]$", None, 2),
        ("ip=203.0.113", None, 7),
        ("tags=web", None, 10),  # silently ignored below 2.26
        ("tags=web", "2.26", 7),
        ("not-tags=web", "2.26", 10),
        ("metadata=%7B%22owner%22%3A%22alice%22%7D", "2.96", 10),  # ignored for members
        ("availability_zone=az-b", "2.83", 10),
        ("availability_zone=nowhere", "2.83", 0),
        ("colour=red", "2.74", 10),
        ("locked=true", "2.73", 0),
    ],
)
def test_filters(api, query, mv, number):
    assert len(api.get(f"{SERVERS}?{query}", mv=mv)["servers"]) == number


def test_unknown_parameters_are_refused_from_2_75_on(api):
    assert api.call("GET", f"{SERVERS}?colour=red", mv="2.75").status_code == 400


def test_the_document_of_a_server_grows_with_the_microversion(api, active):
    assert set(show(api, active)) == AT_2_1
    later = show(api, active, "2.96")
    assert set(later) - AT_2_1 == {
        *("locked", "description", "tags", "trusted_image_certificates", "server_groups"),
        *("locked_reason", "OS-EXT-SRV-ATTR:hostname", "pinned_availability_zone"),
    }
    assert set(show(api, active)["flavor"]) == {"id", "links"}
    assert set(later["flavor"]) == {
        *("vcpus", "ram", "disk", "ephemeral", "swap", "original_name", "extra_specs"),
    }
    listed = api.get(f"{SERVERS}/detail?limit=1&status=ACTIVE", mv="2.96")["servers"][0]
    assert set(later) - set(listed) == {"server_groups"}
    newest = show(api, active, "latest")
    assert "scheduler_hints" in newest
    assert "properties" in newest["image"]
    assert 1000 < len(msgspec.json.encode(later)) < 2500


def test_microversions_are_negotiated(api):
    path = "/compute/v2.1/flavors"
    reply = api.call("GET", path, mv="2.61")
    assert reply.headers["openstack-api-version"] == "compute 2.61"
    assert reply.headers["x-openstack-nova-api-version"] == "2.61"
    old = api.call("GET", path, headers={"X-OpenStack-Nova-API-Version": "2.5"})
    assert old.headers["openstack-api-version"] == "compute 2.5"
    assert api.call("GET", path).headers["openstack-api-version"] == "compute 2.1"
    refused = api.call("GET", path, mv="2.9999")
    assert refused.status_code == 406
    assert refused.json()["computeFault"]["message"] == (
        "Version 2.9999 is not supported by the API. Minimum is 2.1 and maximum is 2.100."
    )
    for bad in ("banana", "2", "2.01"):
        assert "of invalid format" in api.call("GET", path, mv=bad).json()["badRequest"]["message"]


def test_links_are_built_from_the_host_header(api, active):
    headers = {"host": "cloud.example:8774"}
    reply = api.call("GET", f"{SERVERS}?limit=1", headers=headers).json()
    assert reply["servers_links"][0]["href"].startswith("http://cloud.example:8774/compute/v2.1/")
    assert show(api, active)["links"][0]["href"] == f"{api.url}{SERVERS}/{active}"


def test_a_server_is_built_and_deleted_step_by_step(api, sources, clock):
    flavors, images = sources
    wanted = {
        "name": "Web One",
        "flavorRef": flavors["m1.small"],
        "imageRef": images["debian-12"],
        "networks": "auto",
        "key_name": "demo-key",
        "availability_zone": "az-b",
        "metadata": {"owner": "broker"},
        "user_data": "IyEvYmluL3NoCg==",
        "tags": ["blue"],
        "security_groups": [{"name": "web"}],
    }
    reply = api.call("POST", SERVERS, {"server": wanted}, mv="2.67")
    assert reply.status_code == 202
    stub = reply.json()["server"]
    assert set(stub) == {"id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"}
    assert reply.headers["location"] == f"{api.url}{SERVERS}/{stub['id']}"
    seen = [state(api, stub["id"])]
    assert show(api, stub["id"])["addresses"] == {}
    for _ in range(4):
        clock.now += 1
        seen.append(state(api, stub["id"]))
    assert seen == [
        ("BUILD", "scheduling"),
        ("BUILD", None),
        ("BUILD", "networking"),
        ("BUILD", "spawning"),
        ("ACTIVE", None),
    ]
    server = show(api, stub["id"], "2.90")
    assert server["OS-EXT-SRV-ATTR:hostname"] == "web-one"
    assert server["security_groups"] == [{"name": "web"}]
    assert server["addresses"]["private"][0]["OS-EXT-IPS:type"] == "fixed"
    ports = api.get(f"/network/v2.0/ports?device_id={stub['id']}")["ports"]
    assert [p["device_owner"] for p in ports] == ["compute:az-b"]
    assert api.call("DELETE", f"{SERVERS}/{stub['id']}").status_code == 204
    assert state(api, stub["id"]) == ("ACTIVE", "deleting")
    clock.now += 4
    gone = api.call("GET", f"{SERVERS}/{stub['id']}")
    assert gone.json()["itemNotFound"]["message"] == f"Instance {stub['id']} could not be found."
    since = "2027-01-15T08:00:00Z"
    changed = api.get(f"{SERVERS}/detail?changes-since={since}")["servers"]
    assert [(s["id"], s["status"]) for s in changed] == [(stub["id"], "DELETED")]


def test_several_servers_at_once(api, sources):
    flavors, images = sources
    wanted = {
        "name": "herd",
        "flavorRef": flavors["m1.tiny"],
        "imageRef": images["cirros"],
        "min_count": 3,
        "return_reservation_id": True,
    }
    reservation = api.call("POST", SERVERS, {"server": wanted}).json()["reservation_id"]
    made = api.get(f"{SERVERS}?reservation_id={reservation}")["servers"]
    assert sorted(s["name"] for s in made) == ["herd-1", "herd-2", "herd-3"]


@pytest.mark.parametrize(
    ("change", "mv", "message"),
    [
        ({"flavorRef": "999"}, None, "Flavor 999 could not be found."),
        ({"imageRef": "nope"}, None, "'nope' is not valid under any of the given schemas"),
        ({"imageRef": "0" * 32}, None, "Can not find requested image"),
        ({"imageRef": None}, None, "Missing imageRef attribute"),
        ({"name": ""}, None, "'' should be non-empty"),
        ({"colour": "red"}, None, "Additional properties are not allowed ('colour' was unex"),
        ({"tags": ["a"]}, None, "Additional properties are not allowed ('tags' was unex"),
        ({"tags": ["a/b"], "networks": "none"}, "2.52", "'a/b' does not match '^[^,/]*$'"),
        ({"networks": "auto"}, None, "'auto' is not of type 'array'"),
        ({}, "2.37", "'networks' is a required property"),
        ({"networks": "some"}, "2.37", "'some' is not valid under any of the given schemas"),
        ({"networks": [{"uuid": "nope"}]}, None, "network uuid is not in proper format (nope)"),
        ({"networks": [{"uuid": "0" * 32}]}, None, f"Network {'0' * 32} could not be found."),
        ({"key_name": "none"}, None, "Invalid key_name provided."),
        ({"availability_zone": "x"}, None, "The requested availability zone is not available"),
        ({"metadata": {"a": 1}}, None, "1 is not of type 'string'"),
        ({"min_count": 3, "max_count": 2}, None, "min_count must be <= max_count"),
        ({"security_groups": [{"name": "x"}]}, None, "Unable to find security_group with name"),
    ],
)
def test_creation_is_refused_in_novas_words(api, sources, change, mv, message):
    flavors, images = sources
    wanted = {"name": "x", "flavorRef": flavors["m1.tiny"], "imageRef": images["cirros"], **change}
    reply = api.call("POST", SERVERS, {"server": wanted}, mv=mv)
    assert reply.status_code == 400
    assert message in reply.json()["badRequest"]["message"]


def test_quota_is_a_403(tiny, sources):
    flavors, images = sources
    for flavor, message in (
        ("m1.small", "Quota exceeded for ram: Requested 2048, but already used 0 of 1024 ram"),
        ("m1.large", "Quota exceeded for cores, ram: Requested 4, 8192, but already used 0, 0"),
    ):
        wanted = {"name": "x", "flavorRef": flavors[flavor], "imageRef": images["cirros"]}
        reply = tiny.call("POST", SERVERS, {"server": wanted})
        assert reply.status_code == 403
        assert message in reply.json()["forbidden"]["message"]
    absolute = tiny.get("/compute/v2.1/limits")["limits"]["absolute"]
    assert (absolute["maxTotalRAMSize"], absolute["totalRAMUsed"]) == (1024, 0)


@pytest.mark.parametrize(
    ("before", "action", "seen"),
    [
        ([], {"os-stop": None}, [("ACTIVE", "powering-off"), ("SHUTOFF", None)]),
        (["os-stop"], {"os-start": None}, [("SHUTOFF", "powering-on"), ("ACTIVE", None)]),
        ([], {"reboot": {"type": "SOFT"}}, [("REBOOT", "rebooting"), ("ACTIVE", None)]),
        ([], {"reboot": {"type": "HARD"}}, [("HARD_REBOOT", "rebooting_hard"), ("ACTIVE", None)]),
        (
            ["os-stop"],
            {"reboot": {"type": "HARD"}},
            [("SHUTOFF", "rebooting_hard"), ("ACTIVE", None)],
        ),
        ([], {"pause": None}, [("ACTIVE", "pausing"), ("PAUSED", None)]),
        (["pause"], {"unpause": None}, [("PAUSED", "unpausing"), ("ACTIVE", None)]),
        ([], {"suspend": None}, [("ACTIVE", "suspending"), ("SUSPENDED", None)]),
        (["suspend"], {"resume": None}, [("SUSPENDED", "resuming"), ("ACTIVE", None)]),
        ([], {"shelve": None}, [("ACTIVE", "shelving"), ("SHELVED_OFFLOADED", None)]),
        (
            ["shelve"],
            {"unshelve": None},
            [("SHELVED_OFFLOADED", "unshelving"), ("ACTIVE", None)],
        ),
        ([], {"rescue": None}, [("ACTIVE", "rescuing"), ("RESCUE", None)]),
        (["rescue"], {"unrescue": None}, [("RESCUE", "unrescuing"), ("ACTIVE", None)]),
    ],
)
def test_actions_change_the_task_first_and_the_state_later(
    api, active, clock, before, action, seen
):
    for name in before:
        assert api.act(active, {name: None}).status_code < 300
        clock.now += 4
    reply = api.act(active, action)
    assert reply.status_code == (200 if "rescue" in action else 202)
    states = [state(api, active)]
    busy = api.act(active, {"os-stop": None})
    assert busy.status_code == 409
    clock.now += 4
    states.append(state(api, active))
    assert states == seen


def test_resize_is_confirmed_or_reverted(api, active, sources, clock):
    flavors, _ = sources
    old = show(api, active, "2.47")["flavor"]["original_name"]
    assert old != "c1.xlarge"
    resize = {"resize": {"flavorRef": flavors["c1.xlarge"]}}
    for end, status, name in (
        ({"revertResize": None}, 202, old),
        ({"confirmResize": None}, 204, "c1.xlarge"),
    ):
        assert api.act(active, resize).status_code == 202
        assert state(api, active) == ("RESIZE", "resize_prep")
        clock.now += 4
        assert state(api, active) == ("VERIFY_RESIZE", None)
        assert api.act(active, end).status_code == status
        clock.now += 4
        assert state(api, active) == ("ACTIVE", None)
        assert show(api, active, "2.47")["flavor"]["original_name"] == name
    refused = api.act(active, resize)
    assert refused.json()["badRequest"]["message"] == "When resizing, instances must change flavor!"


@pytest.mark.parametrize("end", ["confirmResize", "revertResize"])
def test_what_was_off_before_its_resize_is_off_after_it(api, active, sources, clock, end):
    flavors, _ = sources
    api.act(active, {"os-stop": None})
    clock.now += 4
    api.act(active, {"resize": {"flavorRef": flavors["c1.xlarge"]}})
    clock.now += 4
    assert state(api, active) == ("VERIFY_RESIZE", None)
    api.act(active, {end: None})
    clock.now += 4
    assert state(api, active) == ("SHUTOFF", None)


def test_an_image_is_made_from_a_server(api, active, clock):
    reply = api.act(active, {"createImage": {"name": "snap"}}, mv="2.45")
    image = f"/image/v2/images/{reply.json()['image_id']}"
    assert api.get(image)["status"] == "queued"
    assert state(api, active)[1] == "image_snapshot_pending"
    clock.now += 3
    assert api.get(image)["status"] == "saving"
    clock.now += 1
    done = api.get(image)
    assert (done["status"], done["instance_uuid"], done["visibility"]) == (
        *("active", active),
        "private",
    )
    reply = api.act(active, {"createImage": {"name": "snap"}})
    assert reply.headers["location"].startswith(f"{api.url}/image//images/")
    assert reply.content == b""


def test_wrong_states_are_conflicts(api, active):
    for action, name in (
        ({"os-start": None}, "start"),
        ({"unpause": None}, "unpause"),
        ({"resume": None}, "resume"),
        ({"unshelve": None}, "unshelve"),
        ({"confirmResize": None}, "confirmResize"),
    ):
        reply = api.act(active, action)
        assert reply.status_code == 409
        assert reply.json()["conflictingRequest"]["message"] == (
            f"Cannot '{name}' instance {active} while it is in vm_state active"
        )
    api.act(active, {"os-stop": None})
    message = api.act(active, {"os-stop": None}).json()["conflictingRequest"]["message"]
    assert message.endswith("while it is in task_state powering-off")


def test_a_locked_server_cannot_be_changed(api, active):
    assert api.act(active, {"lock": {"locked_reason": "why"}}, mv="2.73").status_code == 202
    assert show(api, active, "2.73")["locked_reason"] == "why"
    for method, path, body in (
        ("DELETE", "", None),
        ("POST", "/metadata", {"metadata": {"a": "b"}}),
        ("POST", "/action", {"os-stop": None}),
        ("POST", "/os-interface", {"interfaceAttachment": {}}),
    ):
        reply = api.call(method, f"{SERVERS}/{active}{path}", body)
        assert reply.json()["conflictingRequest"]["message"] == f"Instance {active} is locked"
    assert api.act(active, {"unlock": None}).status_code == 202
    assert api.act(active, {"os-stop": None}).status_code == 202


def test_metadata_and_tags(api, active):
    path = f"{SERVERS}/{active}/metadata"
    before = api.get(path)["metadata"]
    merged = api.call("POST", path, {"metadata": {"a": "b"}}).json()["metadata"]
    assert merged == {**before, "a": "b"}
    assert api.call("PUT", path, {"metadata": {"k": "v"}}).json() == {"metadata": {"k": "v"}}
    assert api.call("PUT", f"{path}/k", {"meta": {"k": "w"}}).json() == {"meta": {"k": "w"}}
    assert api.call("PUT", f"{path}/k", {"meta": {"x": "w"}}).status_code == 400
    assert api.call("DELETE", f"{path}/k").status_code == 204
    assert api.call("GET", f"{path}/k").status_code == 404
    tags = f"{SERVERS}/{active}/tags"
    assert api.call("PUT", f"{tags}/blue", mv="2.26").status_code == 201
    assert api.call("PUT", f"{tags}/blue", mv="2.26").status_code == 204
    assert "blue" in api.get(tags, mv="2.26")["tags"]
    assert api.call("DELETE", f"{tags}/blue", mv="2.26").status_code == 204
    assert api.call("DELETE", f"{tags}/blue", mv="2.26").status_code == 404
    assert api.call("GET", tags, mv="2.25").status_code == 404


def test_consoles(api, active):
    output = api.act(active, {"os-getConsoleOutput": {"length": 3}}).json()["output"]
    assert len(output.splitlines()) == 3
    path = f"{SERVERS}/{active}/remote-consoles"
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    assert "token" in api.call("POST", path, body, mv="2.6").json()["remote_console"]["url"]
    assert api.call("POST", path, body, mv="2.5").status_code == 404
    old = {"os-getVNCConsole": {"type": "novnc"}}
    assert "token" in api.act(active, old).json()["console"]["url"]
    assert api.act(active, old, mv="2.6").status_code == 404


def test_flavors_by_microversion(api):
    flavors, number = pages(api, "/compute/v2.1/flavors/detail?limit=2", "flavors")
    assert (len(flavors), number) == (6, 4)
    assert {f["swap"] for f in flavors} == {"", 1024}
    assert not any("extra_specs" in f or "description" in f for f in flavors)
    later, _ = pages(api, "/compute/v2.1/flavors/detail", "flavors", mv="2.75")
    assert {f["swap"] for f in later} == {0, 1024}
    assert all("extra_specs" in f for f in later)
    large = api.get("/compute/v2.1/flavors?minRam=8000")["flavors"]
    assert {f["name"] for f in large} == {"m1.large", "c1.xlarge"}
    missing = api.call("GET", "/compute/v2.1/flavors/nope").json()
    assert missing["itemNotFound"]["message"] == "Flavor nope could not be found."


def test_keypairs_by_microversion(api):
    path = "/compute/v2.1/os-keypairs"
    made = api.call("POST", path, {"keypair": {"name": "old"}})
    assert made.status_code == 200
    assert "type" not in made.json()["keypair"]
    private = made.json()["keypair"]["private_key"]
    made = api.call("POST", path, {"keypair": {"name": "gen"}}, mv="2.91")
    assert made.status_code == 201
    refused = api.call("POST", path, {"keypair": {"name": "new"}}, mv="2.92")
    assert "'public_key' is a required property" in refused.json()["badRequest"]["message"]
    public = made.json()["keypair"]["public_key"]
    body = {"keypair": {"name": "new", "public_key": public}}
    assert api.call("POST", path, body, mv="2.92").status_code == 201
    assert api.call("POST", path, body, mv="2.92").status_code == 409
    body["keypair"]["public_key"] = "garbage"
    assert api.call("POST", path, body).status_code == 400
    assert len(api.get(path)["keypairs"]) == 4
    keys, number = pages(api, path + "?limit=3", "keypairs", mv="2.35")
    assert ([k["keypair"]["name"] for k in keys], number) == (["demo-key", "gen", "new", "old"], 2)
    assert api.get(f"{path}/old")["keypair"]["id"] == 2
    assert api.call("DELETE", f"{path}/old").status_code == 202
    assert api.call("DELETE", f"{path}/gen", mv="2.2").status_code == 204
    assert api.call("DELETE", f"{path}/gen").status_code == 404

    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    key = serialization.load_pem_private_key(private.encode(), None)
    assert key.key_size == 1024
    serialization.load_ssh_public_key(public.encode())


def test_volumes_and_ports_at_a_server(api, active, clock):
    volume = api.call("POST", "/volume/v3/volumes", {"volume": {"size": 1, "name": "data"}})
    assert volume.status_code == 202
    volume_id = volume.json()["volume"]["id"]
    path = f"{SERVERS}/{active}/os-volume_attachments"
    body = {"volumeAttachment": {"volumeId": volume_id}}
    assert "current status is creating" in api.call("POST", path, body).text
    clock.now += 4
    attached = api.call("POST", path, body)
    assert set(attached.json()["volumeAttachment"]) == {"id", "serverId", "volumeId", "device"}
    assert "already attached to instances" in api.call("POST", path, body).text
    assert api.get(f"/volume/v3/volumes/{volume_id}")["volume"]["status"] == "attaching"
    clock.now += 4
    assert api.get(f"/volume/v3/volumes/{volume_id}")["volume"]["status"] == "in-use"
    assert api.call("DELETE", f"/volume/v3/volumes/{volume_id}").status_code == 400
    listed = api.get(path, mv="2.89")["volumeAttachments"][0]
    assert "id" not in listed
    assert listed["bdm_uuid"]
    assert api.call("DELETE", f"{path}/{volume_id}").status_code == 202
    clock.now += 4
    assert api.get(f"/volume/v3/volumes/{volume_id}")["volume"]["status"] == "available"

    path = f"{SERVERS}/{active}/os-interface"
    network = api.get("/network/v2.0/networks?name=private")["networks"][0]["id"]
    port = api.call("POST", "/network/v2.0/ports", {"port": {"network_id": network}}).json()
    body = {"interfaceAttachment": {"port_id": port["port"]["id"]}}
    assert api.call("POST", path, body).json()["interfaceAttachment"]["net_id"] == network
    assert len(api.get(path)["interfaceAttachments"]) == 2
    assert len(show(api, active)["addresses"]["private"]) >= 2
    assert api.call("DELETE", f"{path}/{port['port']['id']}").status_code == 202
    assert api.get(f"/network/v2.0/ports/{port['port']['id']}")["port"]["status"] == "DOWN"


def test_unknown_paths(api, anonymous):
    assert "<h1>404 Not Found</h1>" in api.call("GET", "/compute/v2.1/nope").text
    assert api.call("GET", "/compute/nope").status_code == 300
    assert api.call("GET", "/elsewhere/").status_code == 404
    assert api.act("nope", {"explode": None}).json()["badRequest"]["message"] == (
        "There is no such action: explode"
    )
