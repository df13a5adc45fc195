import re

import pytest
from lxml import etree

from anabranch.errors import CloudUnavailable
from anabranch.hooks import hookimpl
from anabranch_server.deltacloud import paging, sealing

PAGED = {"driver": "mock", "dataset": "generated", "instances": 25, "page_size": 10}
ABOUT = ["page", "instances"]


class _Counting:
    """Counts the pages that each cloud is asked for, and fails some."""

    def __init__(self, **failing: int) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self._failing = failing

    @hookimpl(wrapper=True)
    def list_instances(self, cloud, cursor):
        self.asked.append((cloud.name, cursor))
        page = yield
        number = sum(1 for name, _ in self.asked if name == cloud.name)
        if self._failing.get(cloud.name) != number:
            return page

        async def failing():
            page.close()
            raise CloudUnavailable("gone")

        return failing()


def _links(reply):
    return {rel: url for url, rel in re.findall('<([^>]*)>; rel="([a-z]+)"', reply.headers["link"])}


def _ids(reply):
    return etree.fromstring(reply.content).xpath("instance/@id")


async def _all(client, url, **options):
    """Follow the links to the end."""
    replies = []
    while url:
        replies.append(await client.get(url, **options))
        assert replies[-1].status_code == 200, replies[-1].text
        url = _links(replies[-1]).get("next")
        assert len(replies) < 20
    return replies


async def test_without_a_limit_everything_is_listed(serve):
    reply = await serve({"lisbon": PAGED}).get("/api/instances")

    assert len(_ids(reply)) == 25
    assert "link" not in reply.headers


async def test_a_list_goes_on_where_it_ended_and_asks_for_no_page_twice(serve):
    counting = _Counting()
    client = serve({"lisbon": PAGED}, counting)
    whole = _ids(await client.get("/api/instances"))
    counting.asked.clear()

    replies = await _all(client, "/api/instances?limit=5")

    assert [len(_ids(reply)) for reply in replies] == [10, 10, 5]
    assert [ident for reply in replies for ident in _ids(reply)] == whole
    assert len(counting.asked) == len(set(counting.asked)) == 3


async def test_several_clouds_go_on_together(serve):
    counting = _Counting()
    client = serve({"lisbon": PAGED, "porto": {**PAGED, "instances": 12}}, counting)
    whole = _ids(await client.get("/api/instances"))
    counting.asked.clear()

    replies = await _all(client, "/api/instances?limit=10")

    assert [len(_ids(reply)) for reply in replies] == [20, 12, 5]
    assert sorted(ident for reply in replies for ident in _ids(reply)) == sorted(whole)
    assert len(counting.asked) == len(set(counting.asked)) == 5


async def test_the_links_lead_on_and_back_and_keep_what_was_asked(serve):
    client = serve({"lisbon": PAGED, "porto": PAGED})

    first = await client.get("/api;provider=porto/instances;state=RUNNING?limit=1&format=json")
    links = _links(first)

    assert links["first"] == (
        "http://broker.test/api;provider=porto/instances?state=RUNNING&limit=1&format=json"
    )
    assert links["next"].startswith(links["first"] + "&page=")
    second = await client.get(links["next"])
    assert second.headers["content-type"] == "application/json"
    assert {one["state"] for one in second.json()["instances"]} == {"RUNNING"}
    assert (await client.get(links["first"])).json() == first.json()


async def test_people_get_a_link_too(serve):
    page = await serve({"lisbon": PAGED}).get("/api/instances?limit=5&format=html")

    assert _links(page)["next"].replace("&", "&amp;") in page.text


async def test_a_cloud_that_failed_is_told_and_not_asked_again(serve):
    counting = _Counting(porto=2)
    client = serve({"lisbon": PAGED, "porto": PAGED}, counting)

    replies = await _all(client, "/api/instances?limit=10")

    told = [reply.headers.get("x-anabranch-clouds") for reply in replies]
    assert told == [None, '"porto";status=failed;error=CloudUnavailable', None]
    assert [name for name, _ in counting.asked].count("porto") == 2
    assert len([i for reply in replies for i in _ids(reply) if i.startswith("lisbon/")]) == 25


async def test_one_cloud_that_fails_is_an_error_and_its_page_can_be_asked_for_again(serve):
    client = serve({"lisbon": PAGED}, _Counting(lisbon=2))
    following = _links(await client.get("/api/instances?limit=5"))["next"]

    assert (await client.get(following)).status_code == 502
    again = await client.get(following)
    assert len(_ids(again)) == 10


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5"])
async def test_a_limit_that_is_none_is_refused(serve, limit):
    reply = await serve().get(f"/api/instances?limit={limit}")

    assert reply.status_code == 400
    assert "limit" in reply.text


async def test_a_page_belongs_to_its_list(serve):
    counting = _Counting()
    client = serve({"lisbon": PAGED, "porto": PAGED}, counting)
    links = _links(await client.get("/api;provider=lisbon/instances?limit=5"))
    page = links["next"].partition("page=")[2]
    counting.asked.clear()

    for url in (
        f"/api/instances?limit=5&page={page}",
        f"/api;provider=porto/instances?limit=5&page={page}",
        f"/api;provider=lisbon/instances?limit=5&state=RUNNING&page={page}",
        f"/api;provider=lisbon/images?limit=5&page={page}",
        f"/api;provider=lisbon/instances?limit=5&page={page[:-4]}AAAA",
        f"/api;provider=lisbon/instances?limit=5&page={page}AAAA",
        f"/api;provider=lisbon/instances?limit=5&page={page[:40]}",
        "/api;provider=lisbon/instances?limit=5&page=AAAA",
        "/api;provider=lisbon/instances?limit=5&page=%C3%A9",
    ):
        reply = await client.get(url)
        assert reply.status_code == 400, url
        assert etree.fromstring(reply.content).findtext("remedy") == "Start again without it"
    assert counting.asked == []


async def test_a_page_belongs_to_its_account(pass_through):
    auth = ("mockuser", "mockpassword")
    first = await pass_through.get("/api/instances?limit=1", auth=auth)

    assert "next" not in _links(first)
    forged = sealing.sealed({"mock": "10"}, ABOUT)
    refused = await pass_through.get(f"/api/instances?limit=1&page={forged}", auth=auth)
    assert refused.status_code == 400


async def test_a_page_is_good_for_a_day(serve, monkeypatch):
    client = serve({"lisbon": PAGED})
    following = _links(await client.get("/api/instances?limit=5"))["next"]

    monkeypatch.setattr(paging, "_LIFE", -1)

    assert (await client.get(following)).status_code == 400


def test_what_is_sealed_can_be_opened():
    text = sealing.sealed({"lisbon": "/v2/servers?marker=é"}, ABOUT)

    assert re.fullmatch("[A-Za-z0-9_-]+", text)
    assert sealing.opened(text, ABOUT, life=60) == {"lisbon": "/v2/servers?marker=é"}
    assert sealing.opened(text, ["page", "images"], life=60) is None
    assert sealing.opened(text, ABOUT, life=-1) is None


def test_the_texts_of_many_clouds_stay_short():
    cursors = {f"cloud{n}": f"/v2.1/servers/detail?limit=1000&marker={n:032x}" for n in range(50)}

    assert len(sealing.sealed(cursors, ABOUT)) < 1500


@pytest.fixture
def _fresh_key():
    sealing._key.cache_clear()
    yield
    sealing._key.cache_clear()


@pytest.mark.usefixtures("_fresh_key")
@pytest.mark.parametrize(("secrets", "read"), [(("a", "a"), True), (("a", "b"), False)])
def test_processes_with_the_same_secret_read_each_others(monkeypatch, secrets, read):
    monkeypatch.setenv(sealing.SECRET_VARIABLE, secrets[0])
    text = sealing.sealed({"a": "b"}, ABOUT)
    sealing._key.cache_clear()
    monkeypatch.setenv(sealing.SECRET_VARIABLE, secrets[1])

    assert (sealing.opened(text, ABOUT, life=60) is not None) == read


@pytest.mark.usefixtures("_fresh_key")
def test_without_one_each_process_has_its_own():
    text = sealing.sealed({"a": "b"}, ABOUT)
    sealing._key.cache_clear()

    assert sealing.opened(text, ABOUT, life=60) is None
