import anyio
import anyio.lowlevel
import pytest
from lxml import etree

from anabranch import errors
from anabranch_server.deltacloud import app, handlers
from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.refusals import refusal
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.problems import problem_of

MOCK = {"driver": "mock"}
SECRETS = {
    "password": "hunter2a",
    "private_key": "hunter2b",
    "user_data": "hunter2c",
    "user_iso": "hunter2d",
    "content1": "hunter2e",
    "blob_data": "hunter2f",
    "API_TOKEN": "hunter2g",
    "cmd": "mysql -phunter2h",
}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.AuthenticationError, 401),
        (errors.PermissionDenied, 403),
        (errors.QuotaExceeded, 403),
        (errors.NotFound, 404),
        (errors.InvalidState, 405),
        (errors.Conflict, 403),
        (errors.InvalidRequest, 400),
        (errors.FeatureNotSupported, 400),
        (errors.OperationNotSupported, 412),
        (errors.RateLimited, 502),
        (errors.InsufficientCapacity, 502),
        (errors.OutcomeUnknown, 502),
        (errors.CloudUnavailable, 502),
        (errors.CircuitOpen, 502),
        (errors.ProtocolError, 502),
        (errors.CloudError, 502),
        (errors.DeadlineExceeded, 504),
        (errors.DriverFault, 500),
        (errors.PluginError, 500),
        (errors.ConfigurationError, 400),
        (errors.AnabranchError, 500),
    ],
)
def test_every_error_has_a_status(kind, status):
    problem = problem_of(kind("that is wrong"))

    assert (problem.status, problem.kind) == (status, kind.__name__)
    assert "that is wrong" in problem.message


def test_no_error_that_deltacloud_had_no_status_for_looks_like_a_success_to_its_client():
    """The Ruby client raises for these alone, and takes the rest for an answer."""
    raised = {*range(400, 410), 500, 501, 502}
    told = {
        problem_of(getattr(errors, name)("")).status
        for name in errors.__all__
        if name != "error_class"
    }

    assert told <= raised | {412, 504}


def test_a_message_names_cloud_and_operation():
    error = errors.QuotaExceeded("10 of 10", remedy="Destroy one", request_id="req-7")
    error.locate("lisbon", "create_instance")

    problem = problem_of(error)

    assert problem.message == "lisbon: create_instance: 10 of 10 (request id req-7)"
    assert problem.remedy == "Destroy one"


@pytest.mark.parametrize(("after", "told"), [(0.2, "1"), (30.0, "30"), (-1.0, "0")])
def test_retry_after_is_passed_on(after, told):
    assert problem_of(errors.RateLimited("", retry_after=after)).headers == {"Retry-After": told}


async def test_xml_is_deltaclouds_document_without_a_backtrace(serve):
    reply = await serve().get("/api/realms/nope?a=b")

    error = etree.fromstring(reply.content)
    assert reply.status_code == 404
    assert (error.tag, error.get("status"), error.get("url")) == (
        "error",
        "404",
        "/api/realms/nope",
    )
    assert dict(error.find("backend").attrib) == {"driver": "mock", "provider": "lisbon"}
    assert error.findtext("code") == "404"
    assert error.findtext("message").startswith("lisbon: get_realm: there is no realm 'nope'")
    assert error.find("backtrace") is None
    assert {p.get("name"): p.text for p in error.iter("param")} == {"a": "b"}
    assert reply.headers["x-deltacloud-driver"] == "mock"


async def test_json_and_html_tell_the_same(serve):
    client = serve()

    plain = (await client.get("/api/realms/nope?format=json")).json()
    page = await client.get("/api/realms/nope?format=html")

    assert (plain["code"], plain["error"]) == (404, "NotFound")
    assert page.status_code == 404
    assert "there is no realm" in page.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/instances", 400),
        ("GET", "/api/realms?limit=x", 400),
        ("GET", "/api;driver=nope/realms", 400),
        ("GET", "/api/nope", 404),
        ("GET", "/api/realms?format=yaml", 406),
    ],
)
async def test_what_deltacloud_told_in_plain_text_is_a_document(serve, method, path, status):
    reply = await serve().request(method, path)

    assert etree.fromstring(reply.content).get("status") == str(status) == str(reply.status_code)


async def test_an_action_that_the_state_forbids_is_405(serve):
    client = serve()

    reply = await client.delete("/api/instances/inst0")

    assert reply.status_code == 405
    assert "RUNNING" in etree.fromstring(reply.content).findtext("message")


async def test_what_the_cloud_does_not_offer_is_412_and_names_the_capability(serve):
    lacks = ["list_firewalls", "get_firewall", "create_key"]
    client = serve({"lisbon": {**MOCK, "lacks": lacks}, "porto": {**MOCK, "lacks": lacks}})
    await client.get("/api")  # which asks what the clouds lack

    for api in ("/api;provider=lisbon", "/api"):
        listed = await client.get(f"{api}/firewalls")
        assert (listed.status_code, listed.headers["expect"]) == (412, "firewalls")
        assert etree.fromstring(listed.content).get("status") == "412"
    shown = await client.get("/api;provider=lisbon/firewalls/web")
    assert (shown.status_code, shown.headers["expect"]) == (412, "firewall")
    made = await client.post("/api;provider=lisbon/keys")
    assert (made.status_code, made.headers["expect"]) == (412, "create_key")


async def test_a_collection_that_some_clouds_do_not_offer_is_listed_from_the_others(serve):
    client = serve({"lisbon": {**MOCK, "lacks": ["list_keys"]}, "porto": MOCK})
    await client.get("/api")

    reply = await client.get("/api/keys")

    document = etree.fromstring(reply.content)
    assert reply.status_code == 200
    assert document.xpath("key/@id") == ["porto/test-key"]
    told = {
        one.get("name"): one.get("status") for one in document.xpath("processing-instruction()")
    }
    assert told["lisbon"] == "skipped"


@pytest.mark.parametrize("path", ["/api/instances/nope/stop", "/api/instances/x;password=hunter2z"])
@pytest.mark.parametrize("accept", ["application/xml", "application/json", "text/html"])
async def test_no_error_repeats_a_secret(serve, path, accept, caplog, capsys):
    reply = await serve().post(
        path,
        params={**SECRETS, "name": "shown"},
        data=SECRETS,
        headers={"Accept": accept, "Authorization": "Basic aHVudGVyMg=="},
    )

    assert reply.status_code >= 400
    seen = reply.text + caplog.text + "".join(capsys.readouterr())
    assert "hunter2" not in seen
    assert "aHVudGVyMg" not in seen
    assert "shown" in reply.text or accept == "text/html" or "x;" in path


def test_a_long_parameter_is_cut():
    call = Call({"method": "GET", "path": "/api/x", "headers": [], "query_string": b""}, None)
    call.parameters = {"name": "n" * 10_000}

    body = refusal(call, problem_of(errors.NotFound("no"))).body

    assert len(body) < 1000


async def test_a_bug_is_told_in_general_and_logged_without_values(
    serve, monkeypatch, caplog, capsys
):
    async def show(*_: object) -> Reply:
        raise KeyError(SECRETS["password"])

    monkeypatch.setattr(handlers, "show", show)

    reply = await serve().get("/api/realms/us")

    error = etree.fromstring(reply.content)
    assert (reply.status_code, error.findtext("kind")) == (500, "InternalError")
    assert error.find("backtrace") is None
    assert "KeyError" not in reply.text
    assert "Traceback" not in reply.text
    logged = caplog.text + "".join(capsys.readouterr())
    assert "KeyError" in logged
    assert "routes.py" in logged
    assert "hunter2" not in logged


async def test_a_driver_with_a_bug_is_500(serve):
    client = serve({"lisbon": {**MOCK, "faults": [{"kind": "crash"}]}})

    reply = await client.get("/api/realms")

    assert reply.status_code == 500
    assert etree.fromstring(reply.content).findtext("kind") == "DriverFault"


async def test_a_page_of_a_message_with_markup_is_escaped(serve):
    reply = await serve().get("/api/realms/%3Cscript%3Ealert(1)%3C%2Fscript%3E?format=html")

    assert reply.status_code == 404
    assert "<script" not in reply.text


async def test_the_daemons_own_credentials_that_are_refused_are_not_the_clients(serve):
    client = serve({"lisbon": {**MOCK, "password": "wrong"}})

    reply = await client.get("/api/realms")

    assert reply.status_code == 502
    assert etree.fromstring(reply.content).findtext("kind") == "AuthenticationError"
    assert "www-authenticate" not in reply.headers


async def test_credentials_that_are_missing_are_asked_for_and_wrong_ones_are_not(pass_through):
    missing = await pass_through.get("/api/instances")
    wrong = await pass_through.get("/api/instances", auth=("mockuser", "wrong"))

    assert (missing.status_code, wrong.status_code) == (401, 401)
    assert missing.headers["www-authenticate"].startswith("Basic realm=")
    assert missing.headers["x-deltacloud-driver"] == "mock"
    assert etree.fromstring(missing.content).find("backend").get("driver") == "mock"
    assert "www-authenticate" not in wrong.headers


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("storage_volumes/lisbon/x", "destroy_storage_volume: there is no storage volume 'x'"),
        ("buckets/lisbon/bucket1/x", "destroy_blob: there is no blob 'bucket1/x'"),
    ],
)
async def test_what_is_not_there_to_destroy_is_told_with_cloud_and_operation(serve, path, told):
    refused = await serve({"lisbon": MOCK, "porto": MOCK}).delete(f"/api/{path}")

    assert refused.status_code == 404
    assert etree.fromstring(refused.content).findtext("message") == f"lisbon: {told}"


async def test_an_error_tells_the_provider_that_was_chosen(pass_through):
    refused = await pass_through.get("/api/realms", headers={"X-Deltacloud-Provider": "elsewhere"})

    assert refused.status_code == 400
    backend = etree.fromstring(refused.content).find("backend")
    assert dict(backend.attrib) == {"driver": "mock", "provider": "elsewhere"}


async def test_a_reply_that_fails_while_it_streams_breaks_the_connection(monkeypatch, serve):
    closed = []

    async def parts():
        try:
            yield b"half"
            raise errors.CloudUnavailable("it is gone")
        finally:
            closed.append(True)

    async def routed(*_: object) -> Reply:
        return Reply(200, parts(), "text/plain")

    monkeypatch.setattr(app, "routed", routed)

    with pytest.raises(errors.CloudUnavailable):
        await serve().get("/api/realms")

    assert closed == [True]


async def test_a_reply_that_streams_comes_whole_and_head_takes_none_of_it(monkeypatch, serve):
    asked = []

    async def parts():
        for part in (b"one", b"", b"two"):
            asked.append(part)
            yield part

    async def routed(*_: object) -> Reply:
        return Reply(200, parts(), "text/plain")

    monkeypatch.setattr(app, "routed", routed)
    client = serve()

    assert (await client.get("/api/realms")).content == b"onetwo"
    asked.clear()
    assert (await client.head("/api/realms")).content == b""
    assert asked == []


async def test_a_client_that_leaves_ends_what_is_streamed():
    sent, closed = [], []

    async def parts():
        try:
            while True:
                yield b"more"
                await anyio.lowlevel.checkpoint()
        finally:
            closed.append(True)

    async def send(message: dict) -> None:
        sent.append(message)

    async def receive() -> dict:
        while len(sent) < 3:
            await anyio.lowlevel.checkpoint()
        return {"type": "http.disconnect"}

    scope = {"method": "GET", "path": "/api/x", "headers": [], "query_string": b""}
    with anyio.fail_after(5):
        await Reply(200, parts(), "text/plain").send(Call(scope, receive), send)

    assert closed == [True]
    assert all(message.get("more_body") for message in sent[1:])
