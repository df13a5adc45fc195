import pytest
from lxml import etree

from anabranch_server.deltacloud.call import Call

MOCK = {"driver": "mock"}


@pytest.mark.parametrize("path", ["/api", "/api/", "/api//", "/api;driver=mock/"])
async def test_the_entry_point_has_an_address_with_and_without_a_slash(serve, path):
    reply = await serve().get(path)

    assert etree.fromstring(reply.content).tag == "api"


@pytest.mark.parametrize(
    "path",
    [
        "/api/realms/",
        "/api/realms/us/",
        "/api/instances/inst1/stop/",
        "/api/buckets/",
        "/api/buckets/bucket1/",
        "/api/drivers/",
        "/api/instance_states/",
        "/api/docs/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("clouds", [1, 2])
async def test_a_path_that_ends_with_a_slash_misses_an_id(serve, path, method, clouds):
    client = serve({name: {"driver": "mock"} for name in ("lisbon", "porto")[:clouds]})

    assert (await client.request(method, path)).status_code == 404


@pytest.mark.parametrize("path", ["/api/realms/lisbon/", "/api/instances/lisbon/inst1/"])
async def test_the_id_may_be_missing_below_a_cloud(serve, path):
    client = serve({"lisbon": {"driver": "mock"}, "porto": {"driver": "mock"}})

    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/nonsense"),
        ("GET", "/api/realms.xml"),
        ("GET", "/api//realms"),
        ("GET", "/api/realms/us/more"),
        ("GET", "/api/drivers/mock/more"),
        ("GET", "/api/instance_states/running"),
        ("GET", "/api/docs/nonsense"),
        ("GET", "/api/docs/realms/create"),
        ("GET", "/api/docs/realms/index/more"),
        ("POST", "/api"),
        ("POST", "/api/realms"),
        ("POST", "/api/drivers"),
        ("POST", "/api/instance_states"),
        ("POST", "/api/docs"),
        ("PUT", "/api"),
        ("PUT", "/api/instances/inst1"),
        ("PATCH", "/api/instances/inst1"),
        ("DELETE", "/api"),
        ("DELETE", "/api/instances"),
        ("DELETE", "/api/realms/us"),
        ("TRACE", "/api/realms"),
        ("OPTIONS", "/api/nonsense"),
        ("OPTIONS", "/api/instances/a/b/c/d"),
    ],
)
@pytest.mark.parametrize("accept", ["application/xml", "application/json", "text/html"])
async def test_a_path_or_method_that_there_is_not_is_404_in_the_format_asked_for(
    serve, method, path, accept
):
    reply = await serve().request(method, path, headers={"Accept": accept})

    assert reply.status_code == 404
    assert reply.headers["content-type"].partition(";")[0] == accept
    if method != "HEAD":
        assert path.rstrip("/") in reply.text or "html" in accept


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accept", ["application/xml", "application/json"])
async def test_an_action_is_nothing_to_read_but_for_people(serve, method, accept):
    reply = await serve().request(method, "/api/instances/inst1/stop", headers={"Accept": accept})

    assert reply.status_code == 404


@pytest.mark.parametrize(
    "path", ["/api", "/api/realms", "/api/instances/inst1", "/api/instance_states", "/api/docs"]
)
async def test_head_is_get_without_its_body(serve, path):
    client = serve()

    got, headed = await client.get(path), await client.head(path)

    assert headed.status_code == 200
    assert headed.content == b""
    same = set(got.headers) - {"x-backend-runtime", "date"}
    assert {name: headed.headers[name] for name in same} == {n: got.headers[n] for n in same}


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/api", "GET, HEAD, OPTIONS, POST"),
        ("/api/realms", "GET, HEAD, OPTIONS"),
        ("/api/realms/us", "GET, HEAD, OPTIONS"),
        ("/api/instances", "GET, HEAD, OPTIONS, POST"),
        ("/api/instances/inst1", "DELETE, GET, HEAD, OPTIONS"),
        ("/api/instances/inst1/stop", "OPTIONS, POST"),
        ("/api/instances/lisbon/inst1/stop", "OPTIONS, POST"),
        ("/api/instances/lisbon/inst1", "DELETE, GET, HEAD, OPTIONS"),
        ("/api/firewalls/web/rules", "DELETE, OPTIONS, POST"),
        ("/api/firewalls/web/rules/7", "DELETE, OPTIONS"),
        ("/api/buckets/photos/cat.jpg", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
        ("/api/drivers", "GET, HEAD, OPTIONS"),
        ("/api/drivers/mock", "GET, HEAD, OPTIONS"),
        ("/api/instance_states", "GET, HEAD, OPTIONS"),
        ("/api/docs/keys/create", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_tells_the_methods(serve, path, allow):
    reply = await serve().options(path)

    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["allow"] == allow


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/keys/create", "name:string:required,public_key:string:optional"),
        ("/api/storage_volumes/:id/attach", "instance_id:string:required,device:string:optional"),
        ("/api/instances/:id/stop", ""),
    ],
)
async def test_options_tells_the_parameters_where_deltacloud_told_them(serve, path, told):
    assert (await serve().options(path)).headers["allow"] == told


async def test_options_of_create_tells_what_features_add(serve):
    told = (await serve().options("/api/instances/create")).headers["allow"].split(",")

    assert {"image_id:string:required", "keyname:string:optional"} <= set(told)
    assert {"hwp_memory:integer:optional", "path5:string:optional"} <= set(told)


async def test_a_path_that_there_is_not_needs_no_credentials(pass_through):
    assert (await pass_through.get("/api/nonsense")).status_code == 404


async def test_options_needs_no_credentials(pass_through):
    assert (await pass_through.options("/api/instances")).status_code == 200


async def test_matrix_parameters_on_api_choose_and_are_kept_in_links(serve):
    client = serve({"lisbon": MOCK, "porto": {**MOCK, "dataset": "empty"}})

    reply = await client.get("/api;driver=mock;provider=porto/instances")

    assert reply.headers["x-deltacloud-provider"] == "porto"
    entry = etree.fromstring((await client.get("/api;driver=mock;provider=porto")).content)
    hrefs = entry.xpath("link/@href")
    root = "http://broker.test/api;driver=mock;provider=porto/"
    assert hrefs
    assert all(href.startswith(root) for href in hrefs)
    for href in hrefs:
        followed = await client.get(href)
        assert followed.headers["x-deltacloud-provider"] == "porto" or "drivers" in href


async def test_matrix_parameters_on_another_segment_choose_nothing(serve):
    client = serve({"lisbon": MOCK, "porto": MOCK})

    reply = await client.get("/api/realms;provider=porto")

    assert reply.headers["x-deltacloud-driver"] == "all"


async def test_headers_choose_whatever_their_case(serve):
    client = serve({"Lisbon": MOCK, "porto": MOCK})

    reply = await client.get(
        "/api/realms", headers={"X-Deltacloud-Driver": "MOCK", "X-Deltacloud-Provider": "lisbon"}
    )

    assert reply.headers["x-deltacloud-driver"] == "mock"
    assert reply.headers["x-deltacloud-provider"] == "Lisbon"


@pytest.mark.parametrize("method", ["DELETE", "delete"])
async def test_a_form_can_override_its_method(serve, method):
    client = serve()

    reply = await client.post("/api/keys/test-key", data={"_method": method})

    assert reply.status_code == 204


async def test_the_address_of_the_server_can_be_fixed(serve):
    client = serve(public_url="https://clouds.example")

    entry = etree.fromstring((await client.get("/api", headers={"Host": "evil.example"})).content)

    assert entry.xpath("link/@href")[0].startswith("https://clouds.example/api/")


@pytest.mark.parametrize("host", ["", "a/b", "a b", "evil.example'>", "x" * 300])
async def test_a_host_that_is_none_is_refused(serve, host):
    reply = await serve().get("/api", headers={"Host": host})

    assert reply.status_code == 400
    assert "Host" in etree.fromstring(reply.content).findtext("message")


async def test_pages_find_their_style(serve):
    reply = await serve().get("/api/style.css")

    assert reply.headers["content-type"] == "text/css; charset=utf-8"
    assert reply.headers.get_list("cache-control") == ["max-age=300"]


@pytest.mark.parametrize("path", ["/api", "/api/realms", "/api/nonsense", "/api/docs"])
async def test_pages_let_no_script_run(serve, path):
    reply = await serve().get(path, headers={"Accept": "text/html"})

    assert "default-src 'none'" in reply.headers["content-security-policy"]


def _call(path: str, **scope: object) -> Call:
    raw = path.encode()
    return Call(
        {
            "method": "GET",
            "path": path,
            "raw_path": raw,
            "query_string": b"",
            "scheme": "http",
            "headers": [(b"host", b"h:3001")],
            **scope,
        },
        None,
    )


@pytest.mark.parametrize("path", ["/", "*", "", "/nonsense", "/nonsense/realms"])
def test_a_path_outside_can_be_read_to_be_refused(path):
    assert _call(path).url == path


def test_a_program_can_have_it_under_a_path_of_its_own():
    call = _call("/clouds/api;driver=mock/realms/us", root_path="/clouds")

    assert call.path == ("realms", "us")
    assert call.root(None) == "http://h:3001/clouds/api;driver=mock"
    assert call.home == "/clouds/api;driver=mock"
    assert call.address(call.root(None), page="2") == f"{call.root(None)}/realms/us?page=2"


def test_what_is_told_of_a_path_has_no_parameters():
    call = _call("/api;driver=mock/instances/a%2Fb;password=x/stop")

    assert call.path == ("instances", "a/b", "stop")
    assert call.matrix == {"password": "x"}
    assert call.url == "/api/instances/a%2Fb/stop"
