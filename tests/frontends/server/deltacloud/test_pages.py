"""The API as a browser without scripts uses it: pages, links, buttons and forms."""

from typing import Any

import httpx
import pytest
from lxml import html

from .asking import HTML, JSON, Serve, mock

CLOUDS = {"lisbon": mock(), "porto": mock()}


@pytest.fixture
def browser(serve: Serve) -> httpx.AsyncClient:
    client = serve(CLOUDS, allow_run=True)
    client.headers.update(HTML)
    return client


def page(reply: httpx.Response) -> Any:
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    document = html.document_fromstring(reply.text)
    document.make_links_absolute(str(reply.url))
    return document


def title(reply: httpx.Response) -> str:
    return str(page(reply).findtext(".//h1"))


def hrefs(reply: httpx.Response) -> list[str]:
    return [str(one) for one in page(reply).xpath("//a/@href")]


async def send(client: httpx.AsyncClient, form: Any, **values: str) -> httpx.Response:
    """Send a form as it came, with some values typed in; follow where it leads."""
    form.fields.update(values)
    given = dict(form.form_values())
    reply = await client.post(form.action, data=given)
    assert reply.status_code in (301, 303), reply.text
    return await client.get(reply.headers["location"])


async def test_every_link_of_every_page_leads_somewhere(browser):
    seen, todo = set[str](), ["http://broker.test/api"]
    while todo:
        url = todo.pop()
        reply = await browser.get(url)
        assert reply.status_code == 200, url
        seen.add(url)
        if reply.headers["content-type"].startswith("text/html"):
            document = page(reply)
            assert not document.xpath("//script | //@onclick | //@style")
            links = {str(one) for one in document.xpath("//a/@href | //img/@src | //link/@href")}
            # One cloud is enough: the other has the same.
            todo += [one for one in links - seen - {*todo} if "porto" not in one]
    assert len(seen) > 300


@pytest.mark.parametrize(
    "path",
    [
        "instances/new",
        "instances/lisbon/inst1/run",
        "addresses/lisbon/192.168.0.2/associate",
        "storage_volumes/lisbon/vol1/attach_instance",
        "firewalls/lisbon/fw1/new_rule",
        "buckets/lisbon/bucket1/new_blob_form_d15cfd90",
    ],
)
async def test_forms_are_where_deltacloud_had_them(browser, path):
    assert page(await browser.get(f"/api/{path}")).forms


async def test_a_form_says_what_it_is_about_and_comes_in_no_other_format(browser):
    reply = await browser.get("/api/instances/lisbon/inst1/destroy")
    assert title(reply) == "Destroy instance lisbon/inst1"
    assert not [one for one in hrefs(reply) if "format=" in one]


async def test_a_rule_is_added_by_its_form_and_removed_by_its_button(browser):
    firewall = "/api/firewalls/lisbon/fw1"
    shown = await browser.get(firewall)
    to_rules = [one for one in hrefs(shown) if one.endswith("/rules")]
    assert to_rules == ["http://broker.test/api/firewalls/lisbon/fw1/rules"]
    (form,) = page(await browser.get(to_rules[0])).forms
    values = {"protocol": "tcp", "port_from": "8080", "port_to": "8080"}
    added = await send(browser, form, ip_address1="10.0.0.0/8", **values)
    buttons = [one for one in page(added).forms if one.action.endswith("/rule3")]
    assert len(buttons) == 1
    assert "rule3" not in page(await send(browser, buttons[0])).text_content()


async def test_a_bucket_and_a_blob_are_destroyed_after_a_question(browser):
    bucket = "http://broker.test/api/buckets/lisbon/bucket2"
    for place, name in (
        (f"{bucket}/blob4", "blob lisbon/bucket2/blob4"),
        (f"{bucket}/blob5", "blob lisbon/bucket2/blob5"),
        (bucket, "bucket lisbon/bucket2"),
    ):
        shown = await browser.get(place)
        assert not page(shown).forms
        (ask,) = [one for one in hrefs(shown) if "confirm" in one]
        asked = await browser.get(ask)
        assert title(asked) == f"Destroy {name}"
        (form,) = page(asked).forms
        assert (await send(browser, form)).status_code == 200
        assert (await browser.get(place)).status_code == 404


async def test_a_part_of_a_bucket_leads_on(browser):
    reply = await browser.get("/api/buckets/lisbon/bucket1?limit=1")
    seen = [one for one in hrefs(reply) if "/blob" in one]
    while following := page(reply).xpath("//a[@rel='next']/@href"):
        reply = await browser.get(following[0])
        seen += [one for one in hrefs(reply) if "/blob" in one]
    assert [one.rsplit("/", 1)[1] for one in seen] == ["blob1", "blob2", "blob3"]


async def test_one_cloud_is_chosen_and_all_of_them_again(browser):
    (form,) = page(await browser.get("/api")).forms
    assert form.inputs["provider"].value_options == ["", "lisbon", "porto"]
    one = await send(browser, form, provider="porto")
    root = "http://broker.test/api;driver=all;provider=porto"
    assert f"{root}/instances" in hrefs(one)
    (form,) = page(one).forms
    assert form.inputs["provider"].value == "porto"
    every = await send(browser, form, provider="")
    assert "/lisbon/" in (await browser.get(f"{every.url}/realms")).text


async def test_an_instance_is_launched_from_its_image_stopped_and_destroyed(browser):
    image = await browser.get("/api/images/lisbon/img1")
    (launch,) = [one for one in hrefs(image) if "/instances/new" in one]
    (form,) = page(await browser.get(launch)).forms
    made = await send(browser, form, name="<web> & more", hwp_id="lisbon/m1-small")
    assert title(made) == "<web> & more"
    (stop,) = [one for one in page(made).forms if one.action.endswith("/stop")]
    stopped = await send(browser, stop)
    (ask,) = [one for one in hrefs(stopped) if one.endswith("/destroy")]
    (form,) = page(await browser.get(ask)).forms
    await send(browser, form)
    gone = await browser.get(str(made.url), headers=JSON)
    assert gone.status_code == 404


@pytest.mark.parametrize(("method", "formats"), [("GET", 2), ("POST", 0)])
async def test_the_page_of_an_error_leads_to_other_formats_only_if_they_can_be_got(
    browser, method, formats
):
    reply = await browser.request(method, "/api/instances/lisbon/inst1/fly")
    assert reply.status_code == 404
    assert reply.text.count("format=") == formats


async def test_whatever_is_destroyed_is_asked_for_once_more(browser):
    for collection in ("images", "keys", "networks", "firewalls"):
        shown = await browser.get(f"/api/{collection}")
        assert not [f for f in page(shown).forms if "_method" in f.fields], collection
        asks = [one for one in hrefs(shown) if one.endswith("/destroy")]
        (form,) = page(await browser.get(asks[0])).forms
        assert f"{form.action}/destroy" == asks[0]
        assert dict(form.form_values()) == {"_method": "delete"}


async def test_a_list_tells_the_cloud_of_each_and_leads_to_what_is_ones_own(browser):
    shown = await browser.get("/api/keys")
    assert "lisbon/test-key" in page(shown).text_content()
    images = await browser.get("/api/images")
    (own,) = [one for one in hrefs(images) if "owner_id" in one]
    names = [a.text for a in page(await browser.get(own)).xpath("//tbody//td[1]/a")]
    assert names == ["img3", "img3"]


async def test_a_source_is_shown_with_its_prefix(browser):
    assert "0.0.0.0/0" in page(await browser.get("/api/firewalls/lisbon/fw1")).text_content()


async def test_a_form_tells_what_a_profile_allows(browser):
    (form,) = page(await browser.get("/api/instances/new")).forms
    texts = [str(one.text) for one in form.inputs["hwp_id"]]
    sizes = "cpu 1 to 6, memory 7680 to 15360 MB, storage 850 or 1024 GB, architecture x86_64"
    assert f"m1-large (lisbon/m1-large): {sizes}" in texts
    assert "opaque (lisbon/opaque)" in texts


async def test_a_form_lets_choose_among_what_is_on_its_cloud(browser):
    (form,) = page(await browser.get("/api/instances/new?image_id=porto%2Fimg1")).forms
    assert form.inputs["image_id"].value == "porto/img1"
    assert form.inputs["realm_id"].value_options == ["", "porto/us", "porto/eu"]
    (form,) = page(await browser.get("/api/storage_volumes/lisbon/vol1/attach")).forms
    assert {one[:7] for one in form.inputs["instance_id"].value_options} == {"lisbon/"}


async def test_there_is_no_form_for_what_no_cloud_offers(serve):
    lacks = ["create_key", "create_address", "reboot_instance"]
    browser = serve({"lisbon": mock(), "porto": mock(lacks=lacks)})
    browser.headers.update(HTML)
    await browser.get("/api")
    (form,) = page(await browser.get("/api/keys/new")).forms
    assert form.inputs["provider"].value_options == ["lisbon"]
    chosen = "/api;provider=porto"
    assert not [one for one in hrefs(await browser.get(f"{chosen}/keys")) if "/new" in one]
    for path in ("keys/new", "addresses/new", "instances/inst1/reboot"):
        assert (await browser.get(f"{chosen}/{path}")).status_code == 412
