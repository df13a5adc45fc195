"""Accounts under many requests at once: those who come and go while one is checked or closed."""

import anyio
import pytest

from anabranch import AuthenticationError, Broker, CloudUnavailable, SecretStr
from anabranch_server.access import Credentials
from anabranch_server.accounts import Accounts
from anabranch_server.problems import Problem

MOCK = Credentials("mockuser", SecretStr("mockpassword"))


@pytest.fixture
def counted(monkeypatch):
    """The brokers that were made for accounts, and those that were closed."""
    made, closed = [], []
    sibling, aclose = Broker.sibling, Broker.aclose

    def making(self, *args, **options):
        made.append(sibling(self, *args, **options))
        return made[-1]

    async def closing(self):
        closed.append(self)
        await aclose(self)

    monkeypatch.setattr(Broker, "sibling", making)
    monkeypatch.setattr(Broker, "aclose", closing)
    return made, closed


async def test_who_leaves_a_refused_account_last_takes_not_the_next_one_along(
    broker, counted, monkeypatch
):
    checks = 0
    gate = anyio.Event()

    async def check(self, cloud, **_):
        nonlocal checks
        checks += 1
        await gate.wait()
        await anyio.lowlevel.checkpoint()
        if checks < 4:
            raise CloudUnavailable("down")

    monkeypatch.setattr(Broker, "check", check)
    accounts = Accounts(broker, "mock")
    told = []

    async def use() -> None:
        for _ in range(8):
            try:
                async with accounts.lease("", MOCK):
                    told.append("in")
            except Problem as problem:
                told.append(str(problem.status))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(use)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert len(told) == 40
    assert {"502", "in"} == set(told)
    assert len(accounts) == 1
    made, closed = counted
    assert len(made) == len(set(closed)) + 1
    await accounts.aclose()


async def test_who_leaves_a_forgotten_account_last_takes_not_the_next_one_along(broker, counted):
    accounts = Accounts(broker, "mock")
    async with accounts.lease("", MOCK) as old:
        with pytest.raises(AuthenticationError):
            async with accounts.lease("", MOCK):
                raise AuthenticationError("the password was changed")
        async with accounts.lease("", MOCK) as new:
            assert new is not old
    async with accounts.lease("", MOCK) as again:
        assert again is new
    made, closed = counted
    assert made == [old, new]
    assert closed == [old]
    await accounts.aclose()


async def test_what_is_closed_while_it_is_checked_is_an_error_of_nobody(
    broker, counted, monkeypatch
):
    gate = anyio.Event()

    async def check(self, cloud, **_):
        await gate.wait()

    monkeypatch.setattr(Broker, "check", check)
    accounts = Accounts(broker, "mock")
    entered = []

    async def use() -> None:
        async with accounts.lease("", MOCK) as guest:
            entered.append(guest)

    async with anyio.create_task_group() as group:
        group.start_soon(use)
        await anyio.wait_all_tasks_blocked()
        await accounts.aclose()
        gate.set()
    made, closed = counted
    assert entered == made
    assert closed[-1] is made[0]  # after its last use
    assert len(accounts) == 0


async def test_an_account_whose_check_is_refused_is_forgotten(broker, client, counted, monkeypatch):
    api = client(driver="mock")
    assert (await api.get("/api/realms", auth=("mockuser", "mockpassword"))).status_code == 200
    check = Broker.check

    async def refused(self, cloud, **_):
        raise AuthenticationError("the password was changed")

    monkeypatch.setattr(Broker, "check", refused)
    for path in ("/api?force_auth=1", "/api/realms"):
        assert (await api.get(path, auth=("mockuser", "mockpassword"))).status_code == 401
    monkeypatch.setattr(Broker, "check", check)
    assert (await api.get("/api/realms", auth=("mockuser", "mockpassword"))).status_code == 200
    made, closed = counted
    assert (len(made), len(closed)) == (3, 2)
