"""The Ruby client up to 1.1.2 on the wire, each test named by the behaviour that it stands for.

It was run against this server unchanged, and so was `deltacloudc`, which stands on it. It sends
forms, follows the links of `actions` as they stand, makes of each element below a member a method,
and raises an error for some statuses only: any other it takes for a success.
"""

import base64
from typing import Any

import httpx
import pytest
from lxml import etree

from anabranch import errors
from anabranch_server.deltacloud.documents import ErrorDocument, error_xml
from anabranch_server.problems import problem_of

from .asking import Serve, ids, mock, parsed

RAISES = {400, 401, 403, 404, 405, 406, 408, 410, *range(500, 600)}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def basic(user: str, password: str) -> dict[str, str]:
    """Return the client's headers; it sends a login always, with nothing in it if it has none."""
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Accept": "application/xml", "Authorization": f"Basic {login}"}


LOGIN = basic("mockuser", "mockpassword")


def links(member: Any) -> dict[str, tuple[str, str]]:
    """Return the methods that a member gets of its links."""
    return {
        link.get("rel"): (link.get("method"), link.get("href"))
        for link in member.xpath("actions//link")
    }


async def follow(http: httpx.AsyncClient, member: Any, rel: str) -> httpx.Response:
    """Follow a link of a member as it stands, with no parameters: `instance.stop!`."""
    method, href = links(member)[rel]
    reply = await http.request(method.upper(), href, headers=LOGIN)
    assert reply.status_code not in RAISES, reply.text
    return reply


@pytest.mark.parametrize(("user", "password"), [("name", "password"), ("", "")])
async def test_entry_points_are_discovered_with_any_login(pass_through, user, password):
    """`DeltaCloud.driver_name(url)` sends an empty user and an empty password."""
    reply = await pass_through.get("/api", headers=basic(user, password))

    assert reply.status_code == 200
    assert parsed(reply).get("driver") == "mock"
    hrefs = parsed(reply).xpath("link/@href")
    assert "http://broker.test/api/instances" in hrefs
    for href in hrefs:
        if not href.endswith(("/instance_states", "/drivers")):
            assert (await pass_through.get(href, headers=basic("", ""))).status_code == 401


async def test_what_rest_client_accepts_by_itself_is_xml(pass_through):
    reply = await pass_through.get("/api", headers={"Accept": "*/*; q=0.5, application/xml"})

    assert parsed(reply).tag == "api"


async def test_every_member_has_the_id_and_the_url_that_the_client_insists_on(pass_through):
    entry = parsed(await pass_through.get("/api"))

    for link in entry.iter("link"):
        collection = link.get("rel")
        if collection == "instance_states":
            continue
        members = parsed(await pass_through.get(link.get("href"), headers=LOGIN))
        for member in members:
            one = parsed(await pass_through.get(member.get("href"), headers=LOGIN))
            assert one.tag == member.tag
            assert one.get("id")
            assert one.get("href") == member.get("href")


@pytest.mark.parametrize("collection", ["instances", "images", "storage_volumes", "networks"])
async def test_a_member_has_one_state(pass_through, collection):
    """The client takes the text of all elements `state` together for it."""
    for member in parsed(await pass_through.get(f"/api/{collection}", headers=LOGIN)):
        assert len(member.xpath(".//state")) == 1


async def test_a_form_may_have_fields_without_a_value(pass_through):
    """Each `create_…` sends `hwp_id`, which is nothing where no profile is wanted."""
    reply = await pass_through.post("/api/keys", content="name=a+b&hwp_id", headers=LOGIN | FORM)

    assert reply.status_code == 201
    assert parsed(reply).get("id") == "a b"


async def test_links_of_an_instance_are_followed_as_they_stand(pass_through):
    data = {"image_id": "img1", "hwp_id": "m1-xlarge", "hwp_memory": "16384", "keyname": "test-key"}
    data["user_data"] = base64.encodebytes(b"x" * 100).decode()
    reply = await pass_through.post("/api/instances", data=data, headers=LOGIN)
    assert reply.status_code == 201
    instance = parsed(reply)
    assert instance.xpath("authentication[@type='key']/login/keyname")[0].text == "test-key"

    image = parsed(await follow(pass_through, instance, "create_image"))
    assert image.tag == "image"
    await follow(pass_through, instance, "stop")
    stopped = parsed(await pass_through.get(instance.get("href"), headers=LOGIN))
    assert "stop" not in links(stopped)
    await follow(pass_through, stopped, "start")
    await follow(pass_through, instance, "reboot")
    await follow(pass_through, instance, "stop")
    assert (await follow(pass_through, stopped, "destroy")).status_code == 204
    assert (await pass_through.get(instance.get("href"), headers=LOGIN)).status_code == 404


async def test_links_of_an_image_are_followed_as_they_stand(pass_through):
    image = parsed(await pass_through.get("/api/images/img3", headers=LOGIN))

    created = await follow(pass_through, image, "create_instance")

    assert created.status_code == 201
    assert parsed(created).xpath("image/@id") == ["img3"]


@pytest.mark.parametrize(
    ("collection", "form"),
    [
        ("keys", {"name": "my_new_key"}),
        ("storage_volumes", {"capacity": "2", "name": "v", "realm_id": "us"}),
        ("storage_snapshots", {"volume_id": "vol1"}),
        ("firewalls", {"name": "fw", "description": "d"}),
        ("addresses", {}),
    ],
)
async def test_what_is_made_is_destroyed_by_its_link(pass_through, collection, form):
    reply = await pass_through.post(f"/api/{collection}", data=form, headers=LOGIN)
    assert reply.status_code == 201

    assert (await follow(pass_through, parsed(reply), "destroy")).status_code == 204


async def test_a_mount_has_an_instance_and_a_device_or_there_is_none(pass_through):
    """The client reads both of a mount without asking whether they are there."""
    volumes = parsed(await pass_through.get("/api/storage_volumes", headers=LOGIN))

    assert {len(one.xpath("mount")) for one in volumes} == {0, 1}
    for mount in volumes.xpath("storage_volume/mount"):
        assert mount.xpath("instance/@id")
        assert mount.xpath("device/@name")


async def test_properties_of_a_profile_are_read_by_their_kind(pass_through):
    for profile in parsed(await pass_through.get("/api/hardware_profiles", headers=LOGIN)):
        for each in profile.xpath("property"):
            match each.get("kind"):
                case "range":
                    assert each.xpath("range/@first")
                    assert each.xpath("range/@last")
                case "enum":
                    assert each.xpath("enum/entry/@value")
                case kind:
                    assert kind == "fixed"


async def test_a_blob_is_a_form_with_a_file_and_its_content_comes_back(pass_through):
    created = await pass_through.post("/api/buckets?name=oldbucket", headers=LOGIN)
    assert created.status_code == 201

    blob = await pass_through.post(
        "/api/buckets/oldbucket",
        data={"blob_id": "b1"},
        files={"blob_data": ("b.txt", b"hello", "text/plain")},
        headers=LOGIN,
    )

    assert blob.status_code == 201
    assert parsed(blob).findtext("content_length") == "5"
    bucket = parsed(await pass_through.get("/api/buckets/oldbucket", headers=LOGIN))
    assert bucket.xpath("blob/@id") == ["b1"]
    content = await pass_through.get("/api/buckets/oldbucket/b1/content", headers=LOGIN)
    assert content.content == b"hello"
    for path in ("oldbucket/b1", "oldbucket"):
        assert (await pass_through.delete(f"/api/buckets/{path}", headers=LOGIN)).status_code == 204


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("id=inst1", ["inst1"]),
        ("state=RUNNING", ["inst0", "inst1", "inst2", "inst3"]),
        ("state=STOPPED", []),
        ("realm_id=nowhere", []),
    ],
)
async def test_instances_are_filtered_by_the_query(pass_through, query, found):
    reply = await pass_through.get(f"/api/instances?{query}", headers=LOGIN)

    assert ids(reply, "instance") == found


async def test_a_name_that_is_taken_is_no_success(pass_through):
    for status in (201, 403):
        reply = await pass_through.post("/api/keys", data={"name": "twice"}, headers=LOGIN)
        assert reply.status_code == status


def test_no_error_is_a_success():
    """But 412: what a cloud does not offer has no method in the client."""
    told = {
        problem_of(getattr(errors, name)("")).status for name in errors.__all__ if name[0] != "e"
    }

    assert told <= RAISES | {412}


def test_an_error_of_the_server_is_read_in_full():
    """What the client reads of a 5xx without asking whether it is there; `backtrace` it takes only
    with lines in it, or not at all."""
    document = etree.fromstring(
        error_xml(ErrorDocument(status=502, url="/api", driver="mock", message="no", error="X"))
    )

    assert document.get("status") == "502"
    assert set(document.find("backend").attrib) == {"driver", "provider"}
    assert document.findtext("message") == "no"
    assert document.find("backtrace") is None


async def test_the_documentation_of_a_collection_tells_its_operations(pass_through):
    """`deltacloudc instances -l` prints it."""
    docs = parsed(await pass_through.get("/api/docs/instances", headers=LOGIN))

    assert docs.find("collection/description") is not None
    operations = docs.xpath("/docs/collection/operations/operation")
    assert {"index", "show", "create", "stop"} < {one.get("name") for one in operations}
    assert all(one.findtext("description") for one in operations)
    (create,) = (one for one in operations if one.get("name") == "create")
    (image_id,) = create.xpath("parameter[@name='image_id']")
    assert image_id.get("type") == "required"
    assert image_id.findtext("class") == "images"


async def test_a_driver_may_be_named_by_a_header_of_each_request(serve: Serve):
    http = serve({"lisbon": mock(), "porto": mock()})
    headers = LOGIN | {"X-Deltacloud-Driver": "mock", "X-Deltacloud-Provider": "porto"}

    assert ids(await http.get("/api/realms", headers=headers), "realm") == ["us", "eu"]
