"""The wire beside the signature: renderings, the long URI, roles, pages, faults and counts."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import httpx
import pytest

from anabranch.testing.simulation import Behaviour, SimulatedCloud, Simulator, serve
from anabranch_cloudstack.simulator import ODDITIES, simulator


def test_the_entry_point_is_a_simulator(cloud):
    assert isinstance(simulator, Simulator)
    assert isinstance(cloud, SimulatedCloud)
    assert (simulator.kind, cloud.kind) == ("cloudstack", "cloudstack")
    assert cloud.settings("http://h") == {
        "driver": "cloudstack",
        "endpoint": "http://h/client/api",
        "key": cloud.state.accounts["demo"].api_key,
        "secret": cloud.state.accounts["demo"].secret,
    }


def test_json_has_one_key_and_its_content_type(api):
    reply = api.reply("listZones")
    assert reply.headers["content-type"] == "application/json;charset=utf-8"
    assert list(reply.json()) == ["listzonesresponse"]


@pytest.mark.parametrize("response", ["xml", "jsno", ""])
def test_anything_but_json_is_xml(api, cloud, response):
    cloud.machines[0].display = "R&D <b> \x0b🚀"
    reply = api.reply("listVirtualMachines", response=response)
    assert reply.headers["content-type"] == "text/xml;charset=utf-8"
    root = ElementTree.fromstring(reply.content)
    assert (root.tag, root.attrib) == (
        "listvirtualmachinesresponse",
        {"cloud-stack-version": "4.22.0.0"},
    )
    assert root.findtext("count") == "10"
    rows = root.findall("virtualmachine")
    assert (len(rows), rows[0].findtext("displayname")) == (10, "R&D <b> 🚀")
    assert rows[0].findtext("nic/isdefault") == "true"
    refused = api.reply("listVirtualMachines", response=response, id="x")
    assert ElementTree.fromstring(refused.content).findtext("errorcode") == "431"


def test_a_uri_of_more_than_eight_kilobytes_is_a_page_of_jetty(api):
    reply = api.get(api.signed("listZones", keyword="x" * 9000))
    assert (reply.status_code, reply.headers["content-type"][:9]) == (414, "text/html")
    assert b"<h2>HTTP ERROR 414 URI Too Long</h2>" in reply.content
    assert api.post(api.signed("listZones", keyword="x" * 9000)).status_code == 200


def test_other_paths_and_methods(api, url):
    assert api.http.get(f"{url}/client").status_code == 404
    assert api.http.put(api.endpoint).status_code == 405
    raw = api.http.post(api.endpoint, json=api.signed("listZones"))
    assert raw.status_code == 401  # a body that is no form is not read


def test_a_command_that_the_role_lacks_is_432(api, cloud, url, make_api):
    code, text = api.refused("listHosts")
    assert code == 432
    assert "listHosts" in text
    auditor = make_api(cloud.settings(url, user="auditor"))
    assert auditor.call("listZones")["count"] == 3
    assert list(auditor.reply("createSSHKeyPair", name="k").json()) == ["errorresponse"]
    assert auditor.refused("createSSHKeyPair", name="k")[0] == 432


def test_apis_are_those_of_the_role_and_of_the_release(api, admin, cloud, url, make_api):
    names = {row["name"]: row for row in api.rows("listApis")}
    assert names["deployVirtualMachine"]["isasync"] is True
    assert names["deleteVolume"]["isasync"] is False
    assert "listHosts" not in names
    assert {row["name"] for row in admin.rows("listApis")} > set(names)
    required = {p["name"] for p in names["deployVirtualMachine"]["params"] if p["required"]}
    assert required == {"serviceofferingid", "zoneid"}
    auditor = make_api(cloud.settings(url, user="auditor"))
    assert all(
        row["name"].startswith(("list", "get", "query", "quota"))
        for row in auditor.rows("listApis")
    )
    assert api.rows("listApis", name="listZones")[0]["name"] == "listZones"
    assert api.refused("listApis", name="fooBar")[0] == 530
    old = simulator.cloud("old", instances=4, version="4.11.3.0")
    with serve([old]) as urls:
        ancient = make_api(old.settings(urls["old"]))
        names = {row["name"]: row for row in ancient.rows("listApis")}
        assert not {"createConsoleEndpoint", "listUserData", "destroyVolume"} & set(names)
        assert ancient.reply("createConsoleEndpoint").status_code == 401
        required = {p["name"] for p in names["deployVirtualMachine"]["params"] if p["required"]}
        assert required == {"serviceofferingid", "zoneid", "templateid"}
        assert (
            ancient.refused("createNetwork", name="n", networkofferingid="x", zoneid="y")[0] == 431
        )
        assert "keypairs" not in {p["name"] for p in names["deployVirtualMachine"]["params"]}
        machine = ancient.rows("listVirtualMachines")[0]
        assert machine["keypair"] == "demo-key"
        assert "keypairs" not in machine
        capability = ancient.call("listCapabilities")["capability"]
        assert capability["cloudstackversion"] == "4.11.3.0"


@pytest.mark.parametrize(
    "options",
    [
        {"version": "4.10.0"},
        {"version": "4.20.0.0", "enforce_post": True},
        {"odd": ["what"]},
        {"odd": ["script"], "instances": 0},
        {"limits": {"beds": 2}},
    ],
)
def test_what_can_not_be_simulated_is_refused(options):
    with pytest.raises(ValueError, match=r".+: use |use |ask for"):
        simulator.cloud("porto", **options)


def test_pages(api, cloud):
    cloud.behaviour = Behaviour(page_size=4)
    assert len(api.rows("listVirtualMachines")) == 4  # cut in silence
    seen = []
    for page in (1, 2, 3):
        document = api.call("listVirtualMachines", page=page, pagesize=4)
        assert document["count"] == 10
        seen += [row["id"] for row in document["virtualmachine"]]
    assert len(set(seen)) == len(seen) == 10
    assert api.call("listVirtualMachines", page=4, pagesize=4) == {"count": 10}
    assert api.call("listVirtualMachines", page=1, pagesize=0) == {"count": 10}
    first = api.rows("listVirtualMachines", page=0, pagesize=3)
    assert first == api.rows("listVirtualMachines", page=1, pagesize=3)
    for wrong in (
        {"page": 1},
        {"pagesize": 4},
        {"page": 1, "pagesize": 5},
        {"page": 1, "pagesize": -1},
    ):
        assert api.refused("listVirtualMachines", **wrong)[0] == 431
    assert "4" in api.refused("listVirtualMachines", page=1, pagesize=5)[1]
    assert api.refused("listVirtualMachines", page="x", pagesize=5)[0] == 431
    assert api.call("listCapabilities")["capability"]["defaultuipagesize"] == 4
    cloud.behaviour = Behaviour()
    assert api.refused("listVirtualMachines", page=1, pagesize=501)[0] == 431
    assert api.call("listVirtualMachines", page=1, pagesize=500)["count"] == 10
    assert api.call("listCapabilities")["capability"]["defaultuipagesize"] == 20


def test_scope(api, admin, cloud, url, make_api):
    other = make_api(cloud.settings(url, user="other"))
    machine = cloud.machines[0].id
    assert other.call("listVirtualMachines") == {}
    assert other.call("listVirtualMachines", id=machine) == {}
    assert other.refused("stopVirtualMachine", id=machine)[0] == 531
    assert admin.call("listVirtualMachines") == {}
    assert admin.call("listVirtualMachines", listall="true")["count"] == 10
    assert "instancename" in admin.rows("listVirtualMachines", listall="true")[0]
    assert api.call("listVirtualMachines", listall="true")["count"] == 10
    job = api.call("stopVirtualMachine", id=machine)["jobid"]
    assert other.refused("queryAsyncJobResult", jobid=job)[0] == 531
    assert api.refused("queryAsyncJobResult", jobid="nobody")[0] == 431


def test_filters(api, cloud):
    machine = cloud.machines[3]
    found = api.rows("listVirtualMachines", name=machine.name)
    assert [row["id"] for row in found] == [machine.id]
    assert api.call("listVirtualMachines", name="") == {}
    ids = ",".join(m.id for m in cloud.machines[:2])
    assert api.call("listVirtualMachines", ids=ids)["count"] == 2
    assert api.call("listVirtualMachines", ids="a,b") == {}
    stopped = api.rows("listVirtualMachines", state="Stopped")
    assert {row["state"] for row in stopped} == {"Stopped"}
    zone = api.rows("listZones", name="basic-1")[0]["id"]
    assert api.call("listVirtualMachines", zoneid=zone)["count"] == 1
    assert (
        api.call("listVirtualMachines", **{"tags[0].key": "role", "tags[0].value": "db"})["count"]
        == 5
    )
    least = api.rows("listVirtualMachines", details="min", id=machine.id)[0]
    assert (least["nic"], least["state"]) == ([], "Stopped")
    assert not {"templateid", "cpunumber", "ipaddress", "cpuused"} & set(least)
    some = api.rows("listVirtualMachines", details="nics,stats", id=cloud.machines[0].id)[0]
    assert some["nic"]
    assert "cpuused" in some
    assert "templateid" not in some


@pytest.mark.parametrize("method", ["get", "post"])
def test_faults_meet_one_command_and_count_down(api, cloud, method):
    send = getattr(api, method)
    path = "/client/api/listVirtualMachines"
    cloud.behaviour.break_with(
        [f"503x1:{path}", f"429x1:{path}", f"401x1:{path}", f"garbagex1:{path}"]
    )
    listing = api.signed("listVirtualMachines")
    assert send(api.signed("listZones")).status_code == 200
    assert send(listing).status_code == 503
    limited = send(listing)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    assert limited.json()["errorresponse"]["errorcode"] == 429
    refused = send(listing)
    assert refused.status_code == 401
    assert refused.json()["errorresponse"]["errorcode"] == 401
    assert b"Accept the terms" in send(listing).content
    assert send(listing).status_code == 200
    assert cloud.requests.count(path) == 5
    assert cloud.requests.count(path, method.upper()) == 5
    assert cloud.requests.count("/client/api/listZones") == 1


def test_resets_and_hangs(api, cloud):
    cloud.behaviour.break_with(["resetx1:/listZones", "hang:/listVirtualMachines"])
    with pytest.raises(httpx.TransportError):
        api.reply("listZones")
    assert api.reply("listZones").status_code == 200
    api.http.timeout = 0.2
    with pytest.raises(httpx.ReadTimeout):
        api.reply("listVirtualMachines")


def test_odd_machines_are_told_as_they_are(make_api):
    cloud = simulator.cloud("odd", instances=1, odd=True)
    with serve([cloud]) as urls:
        rows = make_api(cloud.settings(urls["odd"])).rows("listVirtualMachines")
    assert len(rows) == 1 + len(ODDITIES)
    by_name = {row.get("name"): row for row in rows}
    assert by_name["odd-script"]["displayname"] == "<script>alert(1)</script>"
    assert by_name["odd-no-address"]["nic"] == []
    assert by_name["odd-unknown-state"]["state"] == "Transmogrifying"
    assert by_name["odd-nulls"]["nic"] is None
    assert len(by_name["odd-huge-name"]["displayname"]) == 255
    assert any("id" not in row for row in rows)


def test_a_page_of_five_hundred_is_rendered_once(make_api):
    cloud = simulator.cloud("large", instances=1000)
    with serve([cloud]) as urls:
        api = make_api(cloud.settings(urls["large"]))
        first = api.rows("listVirtualMachines", page=1, pagesize=500)
        machines = cloud.machines
        kept = [next(iter(m.encoded.values())) for m in machines[:500]]
        assert api.rows("listVirtualMachines", page=1, pagesize=500) == first
        assert all(
            next(iter(m.encoded.values())) is k for m, k in zip(machines, kept, strict=False)
        )
        api.call("updateVirtualMachine", id=machines[1].id, displayname="new")
        again = api.rows("listVirtualMachines", page=1, pagesize=500)
        assert [r["id"] for r in again] == [r["id"] for r in first]
        assert [r["displayname"] for r in again if r["displayname"] == "new"] == ["new"]
        assert machines[0].encoded
        addresses = {nic.address for m in machines for nic in m.nics}
        assert len(addresses) == 1000


def test_clouds_have_nothing_in_common(make_api):
    first, second = (simulator.cloud(name, instances=1, odd=True) for name in ("a", "b"))
    with serve([first, second]) as urls:
        api = make_api(first.settings(urls["a"]))
        network = api.rows("listNetworks", name="demo-net")[0]["id"]
        machine = api.rows("listVirtualMachines", name="odd-no-address")[0]["id"]
        api.done("addNicToVirtualMachine", virtualmachineid=machine, networkid=network)
        other = make_api(second.settings(urls["b"]))
        assert other.rows("listVirtualMachines", name="odd-no-address")[0]["nic"] == []


@pytest.mark.parametrize(("fault", "code"), [("403", 531), ("404", 431), ("409", 536)])
def test_cloudstack_has_codes_of_its_own(api, cloud, fault, code):
    cloud.behaviour.break_with([fault])
    refused = api.reply("listZones")
    assert refused.status_code == code
    assert refused.json()["errorresponse"]["errorcode"] == code
