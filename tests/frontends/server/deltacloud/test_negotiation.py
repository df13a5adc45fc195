import pytest
from lxml import etree

from anabranch_server.deltacloud.negotiation import Format, negotiated

XML, JSON, HTML = Format.XML, Format.JSON, Format.HTML


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", XML),
        ("  ", XML),
        ("application/xml", XML),
        ("text/xml", XML),
        ("application/json", JSON),
        ("APPLICATION/JSON", JSON),
        ("text/html", HTML),
        ("application/xhtml+xml", HTML),
        ("*/*", HTML),
        ("application/json;q=0.5, application/xml;q=0.9", XML),
        ("application/xml;q=0.5, application/json;q=0.9", JSON),
        ("application/xml, application/json", JSON),
        ("application/json, application/xml", XML),
        ("application/json;q=0, application/xml;q=0.1", XML),
        ("application/yaml, application/json;q=0.1", JSON),
        ("application/json;q=rubbish, application/xml;q=0.1", XML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
        ("application/yaml", None),
        ("image/png", None),
        ("application/xml;q=0", None),
        (",;,", None),
    ],
)
def test_the_highest_q_wins_and_of_equal_ones_the_last(accept, wanted):
    assert negotiated(accept, None) is wanted


@pytest.mark.parametrize(("wanted", "found"), [("json", JSON), ("xml", XML), ("html", HTML)])
def test_the_parameter_format_overrides(wanted, found):
    assert negotiated("image/png", wanted) is found


@pytest.mark.parametrize("wanted", ["", "yaml", "JSON", "png"])
def test_a_format_that_there_is_not_is_none(wanted):
    assert negotiated("application/xml", wanted) is None


@pytest.mark.parametrize(
    ("headers", "query", "content_type"),
    [
        ({}, "", "application/xml; charset=utf-8"),
        ({"Accept": "application/json"}, "", "application/json"),
        ({"Accept": "*/*"}, "", "text/html; charset=utf-8"),
        ({"Accept": "*/*"}, "?format=json", "application/json"),
        ({"Accept": "application/json"}, "?format=xml", "application/xml; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("path", ["/api", "/api/realms", "/api/realms/us", "/api/drivers"])
async def test_every_document_comes_in_the_format_that_is_asked_for(
    serve, path, headers, query, content_type
):
    reply = await serve().get(f"{path}{query}", headers=headers)

    assert reply.status_code == 200
    assert reply.headers["content-type"] == content_type


@pytest.mark.parametrize(
    "path", ["/api", "/api/instances", "/api/realms/us", "/api/drivers", "/api/buckets"]
)
@pytest.mark.parametrize("query", ["?format=yaml", "?format="])
async def test_what_is_not_there_is_refused_in_xml(serve, path, query):
    reply = await serve().get(f"{path}{query}")

    assert reply.status_code == 406
    error = etree.fromstring(reply.content)
    assert error.get("status") == "406"
    assert "application/json" in error.findtext("message")


async def test_nothing_is_done_whose_answer_cannot_be_given(serve):
    client = serve({"lisbon": {"driver": "mock", "dataset": "empty"}})

    refused = await client.post(
        "/api/instances", params={"image_id": "img1"}, headers={"Accept": "application/yaml"}
    )

    assert refused.status_code == 406
    assert (await client.get("/api/instances?format=json")).json() == {"instances": []}
