"""What a driver is given: single flight, tokens, things kept per cloud."""

import anyio
import pytest

from anabranch.cloud import Cloud, SingleFlight, Token, TokenStore
from anabranch.errors import AuthenticationError, CloudError
from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings


class Login:
    """Counts; answers with tokens, or with what it is told to raise."""

    def __init__(self, *, lifetime: float | None = None, seconds: float = 0.01) -> None:
        self.times = 0
        self.lifetime, self.seconds = lifetime, seconds
        self.failure: Exception | None = None

    async def __call__(self) -> Token:
        self.times += 1
        number = self.times
        await anyio.sleep(self.seconds)
        if self.failure:
            raise self.failure
        return Token(value=SecretStr(f"t{number}"), lifetime=self.lifetime)


async def _twenty(store: TokenStore, login: Login) -> list[Token | Exception]:
    found: list[Token | Exception] = []

    async def one() -> None:
        try:
            found.append(await store.get("me", login))
        except Exception as exc:
            found.append(exc)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(one)
    return found


async def test_twenty_tasks_log_in_once():
    store, login = TokenStore(), Login()
    found = await _twenty(store, login)
    assert login.times == 1
    assert len({id(token) for token in found}) == 1
    await store.get("me", login)
    assert login.times == 1
    await store.get("you", login)
    assert login.times == 2


async def test_they_share_the_failure_and_each_has_an_error_of_its_own():
    store, login = TokenStore(), Login()
    login.failure = AuthenticationError("refused", request_id="r")
    found = await _twenty(store, login)
    assert login.times == 1
    assert {str(error) for error in found} == {"refused (request id r)"}
    assert len({id(error) for error in found}) == 20
    login.failure = None
    assert isinstance(await store.get("me", login), Token)


async def test_where_the_failure_happened_is_told_by_each_task_itself():
    flight = SingleFlight[int]()
    places: list[str] = []

    async def fail() -> int:
        await anyio.sleep(0.01)
        raise AuthenticationError("refused")

    async def call(operation: str) -> None:
        try:
            await flight.get(fail)
        except CloudError as exc:
            exc.locate("lisbon", operation)
            places.append(str(exc))

    async with anyio.create_task_group() as group:
        for operation in ("list_images", "list_keys", "list_realms"):
            group.start_soon(call, operation)
    assert sorted(places) == [
        "lisbon: list_images: refused",
        "lisbon: list_keys: refused",
        "lisbon: list_realms: refused",
    ]


class Stubborn(Exception):
    """Cannot be copied."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__("no copy")


async def test_an_error_that_cannot_be_copied_is_shared_as_it_is():
    store, login = TokenStore(), Login()
    login.failure = Stubborn(1, 2)
    found = await _twenty(store, login)
    assert {id(error) for error in found} == {id(login.failure)}


async def test_if_the_first_is_cancelled_another_logs_in():
    store, login = TokenStore(), Login(seconds=0.05)
    found: list[Token] = []

    async def one() -> None:
        found.append(await store.get("me", login))

    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as first:
            async with anyio.create_task_group() as inner:
                inner.start_soon(one)
                await anyio.wait_all_tasks_blocked()
                for _ in range(3):
                    group.start_soon(one)
                await anyio.wait_all_tasks_blocked()
                first.cancel()
    assert login.times == 2
    assert [token.value.get_secret_value() for token in found] == ["t2"] * 3


async def test_a_cancelled_waiter_harms_nobody():
    store, login = TokenStore(), Login(seconds=0.05)
    async with anyio.create_task_group() as group:
        group.start_soon(store.get, "me", login)
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0.01):
            await store.get("me", login)
    assert (await store.get("me", login)).value == SecretStr("t1")
    assert login.times == 1


async def test_a_refused_token_is_discarded_once():
    store, login = TokenStore(), Login()
    old = await store.get("me", login)
    store.discard("me", old)
    new = await store.get("me", login)
    store.discard("me", old)  # another task was late: the new one stays
    assert await store.get("me", login) is new
    assert login.times == 2
    store.discard("nobody", old)


@pytest.mark.parametrize(("lifetime", "good"), [(3600, 3480), (100, 75), (None, 10**9)])
async def test_a_token_expires_a_little_early(monkeypatch, lifetime: float | None, good: float):
    store, login = TokenStore(), Login(lifetime=lifetime, seconds=0)
    now = 1000.0
    monkeypatch.setattr("anabranch.cloud.anyio.current_time", lambda: now)
    await store.get("me", login)
    now += good - 1
    await store.get("me", login)
    assert login.times == 1
    now += 2
    await store.get("me", login)
    assert login.times == (1 if lifetime is None else 2)


async def test_what_has_expired_is_not_kept(monkeypatch):
    store, login = TokenStore(), Login(lifetime=100, seconds=0)
    now = 1000.0
    monkeypatch.setattr("anabranch.cloud.anyio.current_time", lambda: now)
    for user in range(50):
        await store.get(user, login)
        now += 50
    assert len(store._held) <= 2
    assert store._logins == {}


def test_no_token_in_its_repr():
    token = Token(value=SecretStr("s3cret"), data={"password": "s3cret"})
    assert "s3cret" not in repr(token)


def _session(cloud: Cloud[CloudSettings]) -> list[str]:
    return [cloud.name]


async def test_what_is_kept_per_cloud():
    one, two = (Cloud(name, CloudSettings(driver="x")) for name in ("one", "two"))
    assert one.local(_session) is one.local(_session)
    assert two.local(_session) == ["two"]
    assert repr(one) == "Cloud('one', kind='x')"
    first = one.local(_session)
    await one.aclose()
    await one.aclose()
    assert one.local(_session) is not first
    await two.aclose()
