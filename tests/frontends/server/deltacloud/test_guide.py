import pytest
from lxml import etree

from anabranch_server.deltacloud.vocabulary import COLLECTIONS


async def test_every_collection_and_operation_is_documented(serve):
    client = serve()

    index = etree.fromstring((await client.get("/api/docs")).content)

    assert index.xpath("collections/collection/@name") == list(COLLECTIONS)
    for href in index.xpath("collections/collection/@href"):
        one = etree.fromstring((await client.get(href)).content)
        names = one.xpath("collection/operations/operation/@name")
        assert names[:2] == ["index", "show"]
        for operation in one.xpath("collection/operations/operation/@href"):
            assert (await client.get(operation)).status_code == 200


async def test_an_operation_tells_its_parameters(serve):
    plain = (await serve().get("/api/docs/storage_volumes/attach?format=json")).json()

    told = plain["operation"]
    assert (told["method"], told["path"]) == ("POST", "/api/storage_volumes/:id/attach")
    assert told["status"] == 202
    first = told["parameters"][0]
    assert (first["name"], first["type"], first["required"]) == ("instance_id", "instances", True)


async def test_xml_and_json_tell_the_same(serve):
    client = serve()

    plain = (await client.get("/api/docs/keys/create?format=json")).json()["operation"]
    (one,) = etree.fromstring((await client.get("/api/docs/keys/create")).content)

    assert one.get("status") == str(plain["status"]) == "201"
    assert one.findtext("description") == plain["description"]
    found = [
        {
            "name": parameter.get("name"),
            "required": parameter.get("type") == "required",
            "type": parameter.findtext("class"),
            "feature": parameter.findtext("feature"),
            "description": parameter.findtext("description"),
        }
        for parameter in one.iter("parameter")
    ]
    told = [{key: p.get(key) for key in found[0]} for p in plain["parameters"]]
    assert found == told


async def test_what_there_is_to_choose_from_is_told(serve):
    (create,) = etree.fromstring((await serve().get("/api/docs/load_balancers/create")).content)

    assert create.xpath("parameter[@name='listener_protocol']/values/value/text()") == [
        "HTTP",
        "TCP",
    ]


@pytest.mark.parametrize("path", ["", "/instances", "/instances/create"])
async def test_people_can_read_it(serve, path):
    page = await serve().get(f"/api/docs{path}", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "Documentation" in page.text
