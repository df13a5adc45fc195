import pytest
from lxml import etree

from anabranch_mock import driver

MOCK = {"driver": "mock"}
DELTACLOUDS = """
<states>
  <state name='start'> <transition action='create' to='pending'></transition> </state>
  <state name='pending'> <transition auto='true' to='running'></transition> </state>
  <state name='running'>
    <transition action='reboot' to='running'></transition>
    <transition action='stop' to='stopped'></transition>
  </state>
  <state name='stopped'>
    <transition action='start' to='running'></transition>
    <transition action='destroy' to='finish'></transition>
  </state>
  <state name='finish'> </state>
</states>
"""


def _tree(element):
    return (element.tag, dict(element.attrib), [_tree(child) for child in element])


async def test_the_drivers_are_listed_with_their_clouds_as_providers(serve):
    reply = await serve({"lisbon": MOCK, "porto": MOCK}).get("/api/drivers")

    (one,) = etree.fromstring(reply.content)
    assert dict(one.attrib) == {"href": "http://broker.test/api/drivers/mock", "id": "mock"}
    assert one.findtext("name") == "Mock"
    assert one.xpath("provider/@id") == ["lisbon", "porto"]


@pytest.mark.parametrize(("ident", "found"), [("mock", ["mock"]), ("unknown", [])])
async def test_the_drivers_are_filtered_by_id(serve, ident, found):
    reply = await serve().get(f"/api/drivers?id={ident}")

    assert etree.fromstring(reply.content).xpath("driver/@id") == found


@pytest.mark.parametrize("kind", ["mock", "MOCK"])
async def test_a_driver_is_shown(serve, kind):
    client = serve()

    shown = etree.fromstring((await client.get(f"/api/drivers/{kind}")).content)
    plain = (await client.get(f"/api/drivers/{kind}?format=json")).json()

    assert (shown.tag, shown.get("id")) == ("driver", "mock")
    assert (plain["driver"]["id"], plain["driver"]["name"]) == ("mock", "Mock")
    assert (await client.get("/api/drivers?format=json")).json()["mock"]["name"] == "Mock"


async def test_a_driver_that_there_is_not_is_a_document(serve):
    reply = await serve().get("/api/drivers/ec2")

    assert reply.status_code == 404
    error = etree.fromstring(reply.content)
    assert error.findtext("message") == "there is no driver 'ec2'"
    assert error.findtext("remedy") == "There are: mock"


async def test_drivers_need_no_good_credentials(pass_through):
    reply = await pass_through.get("/api/drivers/mock", auth=("mockuser", "wrong"))

    assert reply.status_code == 200


async def test_the_states_are_deltaclouds(serve):
    reply = await serve().get("/api/instance_states")

    assert _tree(etree.fromstring(reply.content)) == _tree(etree.fromstring(DELTACLOUDS))


async def test_the_states_are_a_bare_list_in_json(serve):
    plain = (await serve().get("/api/instance_states?format=json")).json()

    assert plain[1] == {"name": "pending", "transitions": [{"to": "running", "auto": "true"}]}
    assert plain[-1] == {"name": "finish", "transitions": []}


@pytest.mark.parametrize(
    ("query", "accept"), [("?format=png", "application/xml"), ("", "image/png")]
)
async def test_the_states_are_a_picture_too(serve, query, accept):
    reply = await serve().get(f"/api/instance_states{query}", headers={"Accept": accept})

    assert reply.headers["content-type"] == "image/png"
    assert reply.content.startswith(b"\x89PNG")


async def test_the_states_are_a_graph_too(serve):
    reply = await serve().get("/api/instance_states?format=gv")

    assert reply.headers["content-type"] == "text/vnd.graphviz; charset=utf-8"
    assert reply.text.startswith("digraph")


async def test_people_see_the_picture(serve):
    page = await serve().get("/api/instance_states?format=html")

    assert 'src="http://broker.test/api/instance_states?format=png"' in page.text


@pytest.mark.parametrize("accept", ["image/png", "text/vnd.graphviz"])
async def test_nothing_else_is_a_picture(serve, accept):
    reply = await serve().get("/api/realms", headers={"Accept": accept})

    assert reply.status_code == 406


async def test_a_driver_without_instances_has_no_states(serve, monkeypatch):
    monkeypatch.delattr(type(driver), "instance_states")

    reply = await serve().get("/api/instance_states")

    assert (reply.status_code, reply.headers["expect"]) == (412, "instance_states")
