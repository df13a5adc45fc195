from email.utils import parsedate_to_datetime

import pytest

from anabranch.errors import CloudUnavailable
from anabranch.hooks import hookimpl
from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.reply import Reply

MOCK = {"driver": "mock"}


class _FailsAtTheSecondPage:
    @hookimpl(wrapper=True)
    def list_instances(self, cursor):
        page = yield

        async def failing():
            if cursor is None:
                return await page
            page.close()
            raise CloudUnavailable("the second page is gone")

        return failing()


async def _sent(reply: Reply, method: str = "GET", **headers: str) -> list[dict]:
    found: list[dict] = []
    scope = {
        "method": method,
        "path": "/api/x",
        "query_string": b"",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }

    async def send(message: dict) -> None:
        found.append(message)

    await reply.send(Call(scope, None), send)
    return found


async def test_every_reply_has_deltaclouds_headers(serve):
    reply = await serve().get("/api/realms")

    assert reply.headers["server"] == "Apache-Deltacloud/1.1.3"
    assert reply.headers["x-deltacloud-driver"] == "mock"
    assert reply.headers["cache-control"] == "max-age=0, private, must-revalidate"
    assert float(reply.headers["x-backend-runtime"]) >= 0
    assert parsedate_to_datetime(reply.headers["date"])
    assert int(reply.headers["content-length"]) == len(reply.content)


async def test_the_provider_is_told_only_if_it_is_chosen(serve):
    client = serve({"lisbon": MOCK, "porto": MOCK})

    everywhere = await client.get("/api/realms")
    there = await client.get("/api/realms", headers={"X-Deltacloud-Provider": "porto"})

    assert everywhere.headers["x-deltacloud-driver"] == "all"
    assert "x-deltacloud-provider" not in everywhere.headers
    assert there.headers["x-deltacloud-provider"] == "porto"


@pytest.mark.parametrize("told", ["{}", "W/{}", '"other", {}', '"other" , W/{}', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_has_it_already_gets_304(serve, told, method):
    client = serve()
    etag = (await client.get("/api/realms")).headers["etag"]

    reply = await client.request(
        method, "/api/realms", headers={"If-None-Match": told.format(etag)}
    )

    assert (reply.status_code, reply.content) == (304, b"")
    assert reply.headers["etag"] == etag
    assert "content-length" not in reply.headers


@pytest.mark.parametrize("told", ['"other"', "", "rubbish"])
async def test_who_has_another_gets_it(serve, told):
    reply = await serve().get("/api/realms", headers={"If-None-Match": told})

    assert reply.status_code == 200
    assert reply.content


async def test_another_document_has_another_etag(serve):
    client = serve()

    tags = {
        (await client.get(path)).headers["etag"]
        for path in ("/api/realms", "/api/realms?format=json", "/api/images")
    }

    assert len(tags) == 3


async def test_what_is_no_success_has_no_etag(serve):
    reply = await serve().get("/api/realms/nope")

    assert "etag" not in reply.headers


async def test_a_change_is_made_whatever_the_client_has(serve):
    reply = await serve().post("/api/keys", data={"name": "mine"}, headers={"If-None-Match": "*"})

    assert reply.status_code == 201
    assert "etag" in reply.headers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", b"plain"),
        ("a\r\nSet-Cookie: b", b"a  Set-Cookie: b"),
        ("a\x00b\x7fc", b"a b c"),
        ("caf\xe9", b"caf\xe9"),
        ("日本", b"??"),
        ("\ud800", b"?"),
        ("\xc3\x85", b"\xc3\x85"),
    ],
)
async def test_no_value_ends_a_header(text, value):
    start, _ = await _sent(Reply(200, b"", headers={"X-Told": text}))

    assert dict(start["headers"])[b"x-told"] == value


async def test_a_reply_without_a_body_says_so():
    for status, length in ((204, None), (202, b"0")):
        start, body = await _sent(Reply(status))
        assert dict(start["headers"]).get(b"content-length") == length
        assert body == {"type": "http.response.body", "body": b""}


async def test_each_cloud_that_did_not_answer_is_told(serve):
    client = serve(
        {
            "lisbon": MOCK,
            "porto": {**MOCK, "faults": [{"kind": "refuse"}]},
            "faro": {**MOCK, "faults": [{"kind": "odd_item"}]},
        }
    )

    reply = await client.get("/api/realms")

    assert reply.status_code == 200
    told = reply.headers["x-anabranch-clouds"]
    assert told == '"porto";status=failed;error=CloudUnavailable, "faro";status=partial'
    clouds = (await client.get("/api/realms?format=json")).json()["clouds"]
    assert [cloud["status"] for cloud in clouds] == ["ok", "failed", "partial"]


async def test_where_all_answer_nothing_is_told(serve):
    reply = await serve({"lisbon": MOCK, "porto": MOCK}).get("/api/realms")

    assert "x-anabranch-clouds" not in reply.headers


async def test_the_header_has_a_limit(serve):
    client = serve(
        {"lisbon": MOCK} | {f"c{n}": {**MOCK, "faults": [{"kind": "refuse"}]} for n in range(60)}
    )

    told = (await client.get("/api/realms")).headers["x-anabranch-clouds"].split(", ")

    assert len(told) == 51
    assert told[-1] == '"*";more=10'


async def test_none_of_several_is_an_error(serve):
    down = {**MOCK, "faults": [{"kind": "refuse"}]}
    slow = {**MOCK, "faults": [{"kind": "hang"}], "timeout": 0.05}

    same = await serve({"lisbon": down, "porto": down}).get("/api/realms")
    mixed = await serve({"lisbon": down, "porto": slow}).get("/api/realms")
    late = await serve({"lisbon": slow, "porto": slow}).get("/api/realms")

    assert [r.status_code for r in (same, mixed, late)] == [502, 502, 504]
    assert "lisbon" in mixed.text
    assert "porto" in mixed.text


async def test_one_cloud_whose_list_is_cut_short_is_an_error_and_no_short_list(serve):
    cut = {"kind": "refuse", "operations": ["list_instances"]}
    flaky = {**MOCK, "dataset": "generated", "instances": 20, "page_size": 5}
    client = serve({"lisbon": flaky}, _FailsAtTheSecondPage())
    whole = serve({"lisbon": {**flaky, "faults": [cut]}})

    assert (await client.get("/api/instances")).status_code == 502
    assert (await whole.get("/api/instances")).status_code == 502


async def test_one_cloud_with_an_item_that_cannot_be_read_tells_so(serve):
    client = serve({"lisbon": {**MOCK, "faults": [{"kind": "odd_item"}]}})

    reply = await client.get("/api/realms")

    assert reply.status_code == 200
    assert reply.headers["x-anabranch-clouds"] == '"lisbon";status=partial'
    assert b"<?problem " in reply.content
