"""Accounts that come with each request: who is let in, what is asked of the cloud, what is kept."""

import contextlib
import logging
import socket

import anyio
import pytest

from anabranch import AuthenticationError, Broker, ConfigurationError, PermissionDenied, SecretStr
from anabranch.models import InstanceSpec
from anabranch_server.access import Credentials
from anabranch_server.accounts import Accounts
from anabranch_server.deltacloud.backends import PassThrough
from anabranch_server.problems import Problem

PLATFORMS = ("cloudstack", "opennebula", "openstack", "paci")
MOCK = Credentials("mockuser", SecretStr("mockpassword"))
LOGIN = "/auth/tokens"
REFUSED = {"cloudstack": 2}
"""Requests until a driver knows: CloudStack answers 401 to unknown commands as well."""


async def at_once(function, times=40):
    """Await many calls at once, and return what they returned."""
    found = []

    async def one():
        found.append(await function())

    async with anyio.create_task_group() as group:
        for _ in range(times):
            group.start_soon(one)
    return found


@pytest.fixture
def closed(monkeypatch):
    """The brokers that were closed, in order."""
    found = []
    aclose = Broker.aclose

    async def noted(self):
        found.append(self)
        await aclose(self)

    monkeypatch.setattr(Broker, "aclose", noted)
    return found


# ------------------------------------------------------------------- what is asked of the cloud


@pytest.mark.parametrize("kind", PLATFORMS)
async def test_without_credentials_the_cloud_is_asked_nothing(simulated, client, kind):
    served = simulated(kind)
    api = client(driver=kind, provider=served.account.provider)
    for method, path in (
        ("GET", "/api/instances"),
        ("GET", "/api/instances/1"),
        ("POST", "/api/instances?image_id=1"),
        ("POST", "/api/instances/1/stop"),
        ("DELETE", "/api/instances/1"),
        ("GET", "/api?force_auth=1"),
    ):
        reply = await api.request(method, path)
        assert reply.status_code == 401, path
        assert reply.headers["www-authenticate"].startswith(f'Basic realm="{kind}-deltacloud@')
    assert served.requests.total == 0


@pytest.mark.parametrize("kind", PLATFORMS)
async def test_wrong_credentials_cost_one_refused_request(simulated, client, kind):
    served = simulated(kind, instances=2)
    api = client(driver=kind, provider=served.account.provider)
    reply = await api.post("/api/instances?image_id=1", auth=served.account.wrong)
    assert reply.status_code == 401
    assert "www-authenticate" not in reply.headers
    assert served.requests.total == REFUSED.get(kind, 1)
    right = await api.get("/api/instances", auth=served.account.basic)
    assert right.status_code == 200
    before = served.requests.total
    again = await api.get("/api/instances", auth=served.account.wrong)
    assert again.status_code == 401
    assert served.requests.total == before + REFUSED.get(kind, 1)


@pytest.mark.parametrize("kind", PLATFORMS)
async def test_many_who_bring_the_same_wrong_password_cost_one(simulated, client, kind):
    served = simulated(kind)
    api = client(driver=kind, provider=served.account.provider)
    replies = await at_once(lambda: api.get("/api/realms", auth=served.account.wrong))
    assert {reply.status_code for reply in replies} == {401}
    assert served.requests.total == REFUSED.get(kind, 1)


@pytest.mark.parametrize("kind", PLATFORMS)
async def test_a_warm_account_costs_what_the_operation_costs(simulated, client, kind):
    served = simulated(kind, instances=3)
    api = client(driver=kind, provider=served.account.provider)
    replies = await at_once(lambda: api.get("/api/instances", auth=served.account.basic), 5)
    assert {reply.status_code for reply in replies} == {200}
    served.requests.reset()
    await api.get("/api/instances", auth=served.account.basic)
    once = served.requests.total
    await api.get("/api/instances", auth=served.account.basic)
    assert served.requests.total == 2 * once


async def test_forty_who_bring_the_same_new_account_log_in_once(simulated, client):
    served = simulated("openstack")
    api = client(driver="openstack", provider=served.account.provider)
    replies = await at_once(lambda: api.get("/api/images", auth=served.account.basic))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.content for reply in replies}) == 1
    assert served.requests.count(LOGIN, "POST") == 1


async def test_force_auth_tells_whether_the_account_is_good(simulated, client):
    served = simulated("openstack")
    api = client(driver="openstack", provider=served.account.provider)
    good = await api.get("/api?force_auth=1", auth=served.account.basic)
    wrong = await api.get("/api?force_auth=1", auth=served.account.wrong)
    assert (good.status_code, wrong.status_code) == (200, 401)
    assert served.requests.count(LOGIN, "POST") == 2


async def test_what_is_about_the_driver_needs_no_account(simulated, client):
    served = simulated("openstack")
    api = client(driver="openstack", provider=served.account.provider)
    for path in ("/api", "/api/drivers", "/api/drivers/openstack", "/api/instance_states"):
        reply = await api.get(path)
        assert reply.status_code == 200, path
    assert (await api.options("/api/instances")).status_code == 200
    assert served.requests.total == 0


async def test_where_no_account_is_needed_a_wrong_one_does_no_harm(simulated, client):
    served = simulated("openstack")
    api = client(driver="openstack", provider=served.account.provider)
    for path in ("/api", "/api/drivers", "/api/instance_states"):
        assert (await api.get(path, auth=served.account.wrong)).status_code == 200, path
    assert served.requests.count(LOGIN) == 1


async def test_an_empty_user_with_an_empty_password_is_none(simulated, client):
    served = simulated("openstack")
    api = client(driver="openstack", provider=served.account.provider)
    reply = await api.get("/api/realms", auth=("", ""))
    assert reply.status_code == 401
    assert "www-authenticate" in reply.headers
    assert (await api.get("/api", auth=("", ""))).status_code == 200
    assert served.requests.total == 0


async def test_a_user_that_is_not_written_as_it_should_be_is_told_so(simulated, client):
    served = simulated("openstack")
    api = client(driver="openstack", provider=served.account.provider)
    reply = await api.get("/api/realms", auth=("no project", "p4ss"))
    assert reply.status_code == 401
    assert "USER+[DOMAIN/]PROJECT" in reply.text
    assert served.requests.total == 0


async def test_a_cloud_that_is_down_is_no_wrong_password(broker, client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    api = client(driver="paci", provider=f"http://127.0.0.1:{port}/paci/v1.0")
    reply = await api.get("/api/instances", auth=("user", "password"))
    assert reply.status_code == 502


# ---------------------------------------------------------------------------- where it connects


async def test_no_request_leads_to_a_provider_that_is_not_allowed(simulated, client):
    served = simulated("openstack")
    api = client(
        driver="openstack",
        provider=served.account.provider,
        allowed_providers=["http://127.0.0.1:9/v3"],
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        evil = f"http://127.0.0.1:{port}/identity/v3"
        own = served.account.provider.partition(";")[0]
        for provider in (
            evil,
            f"{evil};{own}",
            f"{own}@127.0.0.1:{port}",
            f"{own}/../..;{evil}",
            own[:-3],
            f"{own}?{evil}",
        ):
            header = await api.get(
                "/api/realms",
                headers={"X-Deltacloud-Provider": provider},
                auth=served.account.basic,
            )
            quoted = provider.replace("/", "%2F").replace(";", "%3B").replace("?", "%3F")
            matrix = await api.get(f"/api;provider={quoted}/realms", auth=served.account.basic)
            assert (header.status_code, matrix.status_code) == (400, 400), provider
            assert "there is no provider" in header.text
            assert own in header.text
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert served.requests.total == 0


async def test_another_driver_is_refused_and_all_is_the_one(simulated, client):
    served = simulated("openstack")
    api = client(driver="openstack", provider=served.account.provider)
    for headers in ({"X-Deltacloud-Driver": "mock"}, {"X-Deltacloud-Driver": "ec2"}):
        reply = await api.get("/api/realms", headers=headers, auth=served.account.basic)
        assert reply.status_code == 400
        assert "openstack" in reply.text
    assert served.requests.total == 0
    for driver in ("all", "openstack", "OpenStack"):
        reply = await api.get(
            "/api/realms", headers={"X-Deltacloud-Driver": driver}, auth=served.account.basic
        )
        assert reply.status_code == 200
        assert "<clouds>" not in reply.text


async def test_an_allowed_provider_is_used_as_its_operator_wrote_it(broker):
    backend = PassThrough(
        broker,
        "openstack",
        provider="http://Keystone.example/v3",
        allowed=["https://other.example/Identity/v3/"],
    )
    assert backend.drivers() == {
        "openstack": ["http://Keystone.example/v3", "https://other.example/Identity/v3/"]
    }
    for wanted, used in (
        ("", "http://Keystone.example/v3"),
        ("HTTP://keystone.EXAMPLE/V3/", "http://Keystone.example/v3"),
        ("https://other.example/identity/v3", "https://other.example/Identity/v3/"),
        ("http://keystone.example/v3;Porto", "http://Keystone.example/v3;Porto"),
    ):
        async with backend.select({"provider": wanted}, None, required=False) as selection:
            assert selection.provider == used
            assert selection.clouds == ()
    await backend.aclose()


async def test_a_provider_allowed_with_its_region_is_allowed_with_no_other(broker):
    backend = PassThrough(broker, "openstack", allowed=["http://ks.example/v3;Porto"])

    async def chosen(provider):
        async with backend.select({"provider": provider}, None, required=False) as selection:
            return selection.provider

    assert await chosen("http://ks.example/v3;porto") == "http://ks.example/v3;Porto"
    for provider in ("http://ks.example/v3", "http://ks.example/v3;Faro", ""):
        with pytest.raises(Problem):
            await chosen(provider)


@pytest.mark.parametrize(
    ("driver", "options", "words"),
    [
        ("openstack", {}, "OpenStack needs one"),
        ("openstack", {"provider": "no-url"}, "no bare URL"),
        ("openstack", {"provider": "http://u:p@h/v3"}, "no bare URL"),
        ("openstack", {"allowed": ["http://h/v3", "no-url"]}, "no bare URL"),
        ("mock", {"provider": "http://h"}, "Mock has none"),
    ],
)
def test_what_could_only_fail_with_every_request_is_told_at_the_start(
    broker, driver, options, words
):
    with pytest.raises(ConfigurationError, match=words) as caught:
        PassThrough(broker, driver, **options)
    assert caught.value.field == "--provider"


# ---------------------------------------------------------------------------------- what is kept


async def test_the_mock_cloud_lives_in_its_account(broker):
    accounts = Accounts(broker, "mock")
    async with accounts.lease("", MOCK) as guest:
        (image, *_) = (await guest.images.list()).items
        made = await guest.instances.create("mock", InstanceSpec(image_id=image.id, name="mine"))
    async with accounts.lease("", MOCK) as guest:
        assert (await guest.instances.get(f"mock/{made.id}")).name == "mine"
    await accounts.aclose()


async def test_a_wrong_password_never_reaches_the_warm_account(broker):
    accounts = Accounts(broker, "mock")
    async with accounts.lease("", MOCK) as right:
        for user, password in (
            ("mockuser", "wrong"),
            ("mockuser", ""),
            ("mockuser", "mockpassword "),
            ("", "mockusermockpassword"),
            ('mockuser","mockpassword', ""),
            ("MOCKUSER", "mockpassword"),
        ):
            with pytest.raises(Problem) as caught:
                async with accounts.lease("", Credentials(user, SecretStr(password))):
                    pytest.fail("let in")
            assert caught.value.status == 401
        async with accounts.lease("", MOCK) as again:
            assert again is right
    assert len(accounts) == 1
    await accounts.aclose()


async def test_the_accounts_that_were_used_last_are_kept_and_the_others_closed(broker, closed):
    accounts = Accounts(broker, "mock", most=2)

    async def use(provider):
        async with accounts.lease(provider, MOCK) as guest:
            return guest

    a, b = await use("a"), await use("b")
    assert await use("a") is a
    await use("c")
    assert closed == [b]
    assert len(accounts) == 2
    assert await use("a") is a
    assert await use("b") is not b
    await accounts.aclose()


async def test_an_account_in_use_is_not_closed(broker, closed):
    accounts = Accounts(broker, "mock", most=1)
    async with accounts.lease("a", MOCK) as a:
        async with accounts.lease("b", MOCK):
            assert len(accounts) == 2
        assert closed
        assert a not in closed
        async with accounts.lease("c", MOCK):
            pass
        assert a not in closed
        assert (await a.realms.list()).items
    assert len(accounts) == 1
    await accounts.aclose()
    assert a in closed


async def test_wrong_passwords_push_no_good_account_out(broker, closed):
    accounts = Accounts(broker, "mock", most=1)
    async with accounts.lease("", MOCK) as good:
        pass
    for number in range(10):
        with pytest.raises(Problem):
            async with accounts.lease("", Credentials("mockuser", SecretStr(f"wrong{number}"))):
                pass
    async with accounts.lease("", MOCK) as again:
        assert again is good
    assert len(closed) == 10
    assert good not in closed
    await accounts.aclose()


async def test_an_account_that_is_refused_later_is_checked_again(broker, closed, monkeypatch):
    accounts = Accounts(broker, "mock")
    with pytest.raises(AuthenticationError):
        async with accounts.lease("", MOCK) as old:
            raise AuthenticationError("the password was changed")
    assert closed == [old]
    assert len(accounts) == 0
    async with accounts.lease("", MOCK) as new:
        assert new is not old
    await accounts.aclose()


async def test_who_may_not_ask_who_he_is_is_let_in(broker, monkeypatch):
    async def check(self, cloud, **_):
        raise PermissionDenied("not for you")

    monkeypatch.setattr(Broker, "check", check)
    accounts = Accounts(broker, "mock")
    async with accounts.lease("", MOCK) as guest:
        assert (await guest.realms.list()).items
    assert len(accounts) == 1
    await accounts.aclose()


async def test_when_who_checks_gives_up_the_next_one_checks(simulated, broker):
    served = simulated("openstack")
    cloud = next(iter(served.fleet.clouds.values()))
    cloud.behaviour.break_with(["hangx1:/auth/tokens"])
    accounts = Accounts(broker, "openstack")
    credentials = served.account.credentials()
    entered = []

    async def first(scope):
        with scope:
            async with accounts.lease(served.account.provider, credentials):
                entered.append("first")

    async def second():
        async with accounts.lease(served.account.provider, credentials):
            entered.append("second")

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            scope = anyio.CancelScope()
            group.start_soon(first, scope)
            await anyio.sleep(0.2)
            group.start_soon(second)
            await anyio.sleep(0.2)
            scope.cancel()
    assert entered == ["second"]
    assert len(accounts) == 1
    await accounts.aclose()


async def test_nothing_is_left_of_a_request_that_gave_up(simulated, broker, closed):
    served = simulated("openstack")
    next(iter(served.fleet.clouds.values())).behaviour.break_with(["hang:/auth/tokens"])
    accounts = Accounts(broker, "openstack")
    with anyio.move_on_after(0.2):
        async with accounts.lease(served.account.provider, served.account.credentials()):
            pytest.fail("let in")
    assert len(closed) == 1
    assert len(accounts) == 0
    await accounts.aclose()
    assert len(closed) == 1


async def test_all_is_closed_in_the_end(simulated, broker, closed):
    served = simulated("openstack")
    backend = PassThrough(broker, "openstack", provider=served.account.provider)
    async with backend.select({}, served.account.credentials()) as selection:
        assert selection.account
    await backend.aclose()
    assert closed == [selection.broker, broker]


# ------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize("kind", PLATFORMS)
async def test_no_password_is_shown_anywhere(simulated, client, broker, caplog, kind):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("anabranch").setLevel(logging.DEBUG)
    served = simulated(kind)
    wrong = "hunter2-and-more"
    told = []
    api = client(driver=kind, provider=served.account.provider)
    for auth in (served.account.basic, (served.account.user, wrong), ("\nodd\x00", wrong)):
        for kind_of_document in ("xml", "json", "html"):
            reply = await api.get(f"/api/instances?format={kind_of_document}", auth=auth)
            told += [reply.text, str(reply.headers)]
    accounts = Accounts(broker, kind)
    with contextlib.suppress(Problem):
        async with accounts.lease(served.account.provider, served.account.credentials(wrong)):
            pass
    async with accounts.lease(served.account.provider, served.account.credentials()) as guest:
        told += [repr(vars(accounts)), repr(guest), repr(vars(guest)), repr(guest.configuration)]
    await accounts.aclose()
    told.append(caplog.text)
    for text in told:
        assert served.account.password not in text
        assert wrong not in text
