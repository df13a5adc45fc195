"""Who is let in to a daemon that holds credentials, and who is not."""

import base64
import json
from itertools import product

import pytest
from lxml import etree

from anabranch import Broker, Configuration, ConfigurationError, SecretStr
from anabranch_server.access import Access, Credentials, basic_credentials, is_loopback

KEEPER = Credentials("keeper", SecretStr("of the gate"))
BASIC = ("keeper", "of the gate")
OTHERS = "https://evil.example"


@pytest.fixture
def lisbon() -> Broker:
    return Broker(Configuration(clouds={"lisbon": {"driver": "mock"}}))


def objection(access, method, **headers):
    """Ask; the names of headers have underscores here."""
    fields = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return access.objection(method, fields)


def header(user, password):
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


# ------------------------------------------------------------------------------------ passwords


@pytest.mark.parametrize(
    "given",
    [
        None,
        ("keeper", "of the gat"),
        ("keeper", ""),
        ("keeper", "of the gate "),
        ("Keeper", "of the gate"),
        ("", "of the gate"),
        ("keepe", "rof the gate"),
    ],
)
async def test_without_the_password_nobody_gets_anything(lisbon, client, given):
    api = client(lisbon, access=Access(user=KEEPER))
    called = []
    lisbon.invoke = lambda *a, **_: called.append(a)
    for method, path in product(
        ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"),
        ("/", "/api", "/api/instances", "/api/docs", "/api/style.css", "/nothing", "/api;driver=x"),
    ):
        reply = await api.request(method, path, auth=given)
        assert reply.status_code == 401, (method, path)
        assert reply.headers["www-authenticate"] == 'Basic realm="anabranch", charset="UTF-8"'
        assert "of the gate" not in reply.text
    assert not called


async def test_with_it_one_does(lisbon, client):
    api = client(lisbon, access=Access(user=KEEPER))
    assert (await api.get("/api/realms", auth=BASIC)).status_code == 200
    assert (await api.get("/nothing", auth=BASIC)).status_code == 404


async def test_whether_it_is_up_is_told_to_all(lisbon, client):
    access = Access(user=KEEPER, hosts=frozenset({"localhost"}))
    api = client(lisbon, access=access)
    for path in ("/health", "/robots.txt"):
        reply = await api.get(path, headers={"Host": "10.0.0.7.example"})
        assert reply.status_code == 200


async def test_the_refusal_is_in_the_format_that_was_asked_for(lisbon, client):
    api = client(lisbon, access=Access(user=KEEPER))
    xml = await api.get("/api/realms")
    assert etree.fromstring(xml.content).findtext("code") == "401"
    for path in ("/api/realms", "/", "/nothing"):
        reply = await api.get(path, headers={"Accept": "application/json"})
        assert json.loads(reply.content)["code"] == 401
    page = await api.get("/api/realms", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "text", ["", "Basic", "Basic !", "Basic a2VlcGVy", "Bearer abc", "Basic /w==", "Negotiate a:b"]
)
def test_what_is_no_basic_is_none(text):
    assert basic_credentials(text) is None


def test_basic_is_read_as_rfc_7617_says():
    assert basic_credentials(header("a", "b:c:é")) == Credentials("a", SecretStr("b:c:é"))
    assert basic_credentials(header("", "").replace("Basic", "bAsIc")) == ("", SecretStr(""))
    assert "b:c" not in repr(basic_credentials(header("a", "b:c")))


# ---------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("host", "fine"),
    [
        ("localhost:3000", True),
        ("LOCALHOST", True),
        ("localhost.", True),
        ("127.0.0.1:3000", True),
        ("[::1]:3000", True),
        ("192.168.1.7", True),
        ("clouds.example:3000", True),
        ("public.example", True),
        ("evil.example:3000", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("clouds.example.evil.example", False),
        ("[::1].evil.example", True),
    ],
)
def test_on_loopback_only_its_own_names_lead_to_it(host, fine):
    access = Access.of(
        "127.0.0.1", hosts=["Clouds.example"], public_url="https://public.example/anabranch"
    )
    problem = objection(access, "GET", host=host)
    assert (problem is None) is fine
    if problem:
        assert problem.status == 403
        assert "--allow-host" in problem.remedy


async def test_a_name_that_was_bent_to_this_machine_gets_nothing(lisbon, client):
    api = client(lisbon, access=Access.of("127.0.0.1"))
    for path in ("/api/instances", "/", "/api"):
        reply = await api.get(path, headers={"Host": "rebound.example:3000"})
        assert reply.status_code == 403
        assert "rebound.example" in reply.text
    assert (await api.get("/api/instances")).status_code == 200


@pytest.mark.parametrize(
    "options", [{"user": KEEPER}, {"own_credentials": False}], ids=["password", "pass-through"]
)
def test_where_a_password_is_asked_for_any_name_may_lead(options):
    access = Access.of("192.0.2.1", **options)
    problem = objection(access, "GET", host="any.example", authorization=header(*BASIC))
    assert problem is None
    named = Access.of("192.0.2.1", hosts=["one.example"], **options)
    assert objection(named, "GET", host="any.example").status == 403


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.7", "2001:db8::1", "server.lan"])
def test_where_others_reach_it_a_password_is_needed_or_said_not_to_be(address):
    with pytest.raises(ConfigurationError, match="--open") as caught:
        Access.of(address)
    assert caught.value.field == "--host"
    assert Access.of(address, user=KEEPER).user == KEEPER
    everybody = Access.of(address, anybody=True)
    assert objection(everybody, "GET", host="evil.example").status == 403
    assert objection(everybody, "GET", host="192.168.1.7") is None
    assert Access.of(address, own_credentials=False) == Access()


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_only_this_machine_reaches(address, loopback):
    assert is_loopback(address) is loopback


# --------------------------------------------------------------------------- other sites' pages


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    ("headers", "fine"),
    [
        ({}, True),
        ({"sec_fetch_site": "same-origin", "origin": "http://localhost:3000"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-origin", "origin": "null"}, True),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site", "origin": "http://localhost:8080"}, False),
        ({"sec_fetch_site": "cross-site", "origin": "http://localhost:3000"}, False),
        ({"origin": "http://localhost:3000"}, True),
        ({"origin": "http://LOCALHOST:3000"}, True),
        ({"origin": "https://clouds.example"}, True),
        ({"origin": "http://localhost:8080"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": OTHERS}, False),
        ({"origin": "https://clouds.example.evil.example"}, False),
    ],
)
def test_a_page_of_another_site_changes_nothing(method, headers, fine):
    access = Access.of("127.0.0.1", public_url="https://clouds.example/api-of-mine")
    problem = objection(access, method, host="localhost:3000", **headers)
    assert (problem is None) is fine
    assert problem is None or problem.status == 403
    assert objection(access, "GET", host="localhost:3000", **headers) is None


async def test_a_form_on_another_site_starts_no_machine(lisbon, client):
    api = client(lisbon)
    (instance, *_) = (await lisbon.instances.list()).items
    path = f"/api/instances/{instance.id}"
    for request in (
        {"method": "POST", "url": f"{path}/stop"},
        {"method": "POST", "url": path, "data": {"_method": "delete"}},
        {"method": "POST", "url": "/api/keys", "data": {"name": "theirs"}},
    ):
        reply = await api.request(**request, headers={"Origin": OTHERS})
        assert reply.status_code == 403
    assert await lisbon.instances.get(f"lisbon/{instance.id}") == instance
    assert (await api.post(f"{path}/stop")).status_code == 202


async def test_the_same_holds_for_accounts_of_their_own(client):
    api = client(driver="mock")
    auth = ("mockuser", "mockpassword")
    reply = await api.post(
        "/api/keys", data={"name": "x"}, auth=auth, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert reply.status_code == 403
    assert (await api.post("/api/keys", data={"name": "x"}, auth=auth)).status_code == 201
