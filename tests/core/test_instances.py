"""The façade's own work on instances: a create whose answer was lost, destroy, waiting."""

import anyio
import msgspec
import pytest

from anabranch import (
    AuthenticationError,
    CloudUnavailable,
    ConfigurationError,
    DeadlineExceeded,
    InstanceAction,
    InstanceState,
    InvalidState,
    NotFound,
    OutcomeUnknown,
    SecretStr,
)
from anabranch.models import Authentication, Instance, InstanceSpec
from anabranch.paging import Page

SPEC = InstanceSpec(image_id="1", name="web")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr("anabranch.facade._waiting._FIRST_PAUSE", 0.01)


def _instance(state: InstanceState = InstanceState.RUNNING, **fields: object) -> Instance:
    return Instance(cloud="", id="7", state=state, **fields)  # type: ignore[arg-type]


@pytest.fixture
def listed(stub, monkeypatch):
    """What the cloud lists when it is asked for the lost instance."""
    found: list[Instance | Exception] = []
    plain = type(stub).list_instances

    async def list_instances(self, cloud, cursor, where):
        self.calls.append((cloud.name, "list_instances"))
        for item in found:
            if isinstance(item, Exception):
                raise item
        token = self.specs[-1].client_token
        return Page(
            [
                msgspec.structs.replace(i, cloud=cloud.name, client_token=token)
                if i.client_token == "ours"
                else msgspec.structs.replace(i, cloud=cloud.name)
                for i in found
                if isinstance(i, Instance)
            ]
        )

    for name, value in vars(plain).items():
        setattr(list_instances, name, value)
    monkeypatch.setattr(type(stub), "list_instances", list_instances)
    return found


async def test_a_token_is_sent_along(make_broker, stub):
    async with make_broker() as broker:
        await broker.instances.create("lisbon", SPEC)
        await broker.instances.create("lisbon", SPEC)
        mine = msgspec.structs.replace(SPEC, client_token="mine")
        await broker.instances.create("lisbon", mine)
    first, second, third = (spec.client_token for spec in stub.specs)
    assert first
    assert second
    assert first != second
    assert third == "mine"


async def test_a_lost_create_is_found_by_its_token_and_not_sent_again(make_broker, stub, listed):
    listed += [_instance(client_token="another's"), _instance(client_token="ours", name="web")]
    stub.answers = [OutcomeUnknown("lost")]
    async with make_broker() as broker:
        made = await broker.instances.create("lisbon", SPEC)
        assert (made.cloud, made.name) == ("lisbon", "web")
    assert [op for _, op in stub.calls] == ["create_instance", "list_instances"]


async def test_one_that_is_found_gets_the_tags_that_it_lacks(
    make_broker, stub, listed, monkeypatch
):
    async def set_instance_tags(self, cloud, instance_id, tags):
        return msgspec.structs.replace(_instance(tags=dict(tags)), cloud=cloud.name)

    vars(set_instance_tags).update(vars(type(stub).get_instance))
    monkeypatch.setattr(type(stub), "set_instance_tags", set_instance_tags)
    listed.append(_instance(client_token="ours", tags={"there": "1"}))
    stub.answers = [OutcomeUnknown("lost")]
    async with make_broker() as broker:
        spec = msgspec.structs.replace(SPEC, tags={"role": "web"})
        monkeypatch.setattr("anabranch.capabilities.requested", lambda *_: {})
        made = await broker.instances.create("lisbon", spec)
    assert made.tags == {"there": "1", "role": "web"}


async def test_also_when_the_deadline_cut_it_off(make_broker, stub, listed):
    listed.append(_instance(client_token="ours"))
    stub.answers = [60.0]
    async with make_broker() as broker:
        made = await broker.instances.create("lisbon", SPEC, timeout=0.05)
        assert made.id == "7"
    assert [op for _, op in stub.calls].count("create_instance") == 1


async def test_one_that_is_not_found_says_that_it_was_looked_for(make_broker, stub, listed):
    stub.answers = [OutcomeUnknown("lost")]
    async with make_broker() as broker:
        with pytest.raises(OutcomeUnknown) as caught:
            await broker.instances.create("lisbon", SPEC)
        assert str(caught.value) == (
            "lisbon: create_instance: lost; looked for it by its token, and found nothing. "
            "Look for it before you try again: anabranch instances list --cloud lisbon"
        )
        stub.answers = [OutcomeUnknown("lost")]
        listed.append(CloudUnavailable("dead"))
        with pytest.raises(OutcomeUnknown, match="lost; it could not be looked for either"):
            await broker.instances.create("lisbon", SPEC)
    assert len(stub.specs) == 2


async def test_other_errors_of_create_are_themselves(make_broker, stub, listed):
    stub.answers = [CloudUnavailable("never connected")]
    async with make_broker() as broker:
        with pytest.raises(CloudUnavailable):
            await broker.instances.create("lisbon", SPEC)
    assert stub.calls == [("lisbon", "create_instance")]


async def test_create_and_wait_keeps_the_password_that_is_told_once(make_broker, stub):
    told = Authentication(password=SecretStr("once"))
    stub.answers = [_instance(InstanceState.PENDING, authentication=told), InstanceState.RUNNING]
    async with make_broker() as broker:
        made = await broker.instances.create("lisbon", SPEC, wait=5)
        assert (made.state, made.authentication) == (InstanceState.RUNNING, told)


async def test_create_and_wait_starts_what_was_left_stopped(make_broker, stub):
    pending, stopped = InstanceState.PENDING, InstanceState.STOPPED
    may_start = _instance(stopped, actions=(InstanceAction.START,))
    async with make_broker() as broker:
        stub.answers = [pending, may_start, pending, InstanceState.RUNNING]
        made = await broker.instances.create("lisbon", SPEC, wait=5)
        assert made.state is InstanceState.RUNNING
        assert [op for _, op in stub.calls] == [
            "create_instance",
            "get_instance",
            "start_instance",
            "get_instance",
        ]


async def test_destroy_tells_whether_it_was_there(make_broker, stub):
    async with make_broker() as broker:
        assert await broker.instances.destroy("lisbon/7") is True
        stub.answers = [NotFound("gone")]
        assert await broker.instances.destroy("lisbon/7") is False
        stub.answers = [InvalidState("locked")]
        with pytest.raises(InvalidState):
            await broker.instances.destroy("lisbon/7")


async def test_destroy_can_wait_until_it_is_gone(make_broker, stub):
    running, stopping = InstanceState.RUNNING, InstanceState.STOPPING
    async with make_broker() as broker:
        stub.answers = [running, stopping, CloudUnavailable("blink"), NotFound("gone")]
        assert await broker.instances.destroy("lisbon/7", wait=5) is True
        stub.answers = [running, stopping, InstanceState.FINISH]
        assert await broker.instances.destroy("lisbon/7", wait=5) is True
        stub.answers = [running] + [stopping] * 99
        with pytest.raises(DeadlineExceeded, match=r"lisbon: destroy_instance: not gone within 0"):
            await broker.instances.destroy("lisbon/7", wait=0.1)


async def test_wait_until_it_runs(make_broker, stub):
    pending, running = InstanceState.PENDING, InstanceState.RUNNING
    async with make_broker() as broker:
        # what may pass does not end it, and a state that is still to change is none
        stub.answers = [
            pending,
            CloudUnavailable("blink"),
            _instance(running, busy=True),
            running,
        ]
        found = await broker.instances.wait("lisbon/7", running, timeout=5)
        assert found.state is running
        assert stub.answers == []


async def test_wait_ends_at_what_does_not_pass(make_broker, stub):
    async with make_broker() as broker:
        stub.answers = [AuthenticationError("expired")]
        with pytest.raises(AuthenticationError):
            await broker.instances.wait("lisbon/7", InstanceState.RUNNING)


async def test_wait_for_what_went_wrong(make_broker, stub):
    async with make_broker() as broker:
        stub.answers = [_instance(InstanceState.ERROR, fault="no host", platform_state="ERROR")]
        with pytest.raises(InvalidState, match=r"^lisbon: wait: it is in ERROR \(ERROR\): no host"):
            await broker.instances.wait("lisbon/7", InstanceState.RUNNING)
        stub.answers = [InstanceState.PENDING, NotFound("gone")]
        with pytest.raises(
            InvalidState, match=r"it is gone, not RUNNING; before that it was PENDING \(told\)"
        ):
            await broker.instances.wait("lisbon/7", InstanceState.RUNNING)
        stub.answers = [_instance(InstanceState.ERROR)]
        found = await broker.instances.wait("lisbon/7", InstanceState.ERROR)
        assert found.state is InstanceState.ERROR
        stub.answers = [NotFound("gone")]
        found = await broker.instances.wait("lisbon/7", InstanceState.FINISH)
        assert found.state is InstanceState.FINISH


async def test_wait_that_takes_too_long_tells_how_far_it_is(make_broker, stub):
    async with make_broker() as broker:
        stub.answers = [InstanceState.PENDING] * 99
        with pytest.raises(
            DeadlineExceeded, match=r"^lisbon: wait: not RUNNING within 0.1 s: it is PENDING \(t"
        ):
            await broker.instances.wait("lisbon/7", InstanceState.RUNNING, timeout=0.1)
        stub.answers = [60.0]
        with pytest.raises(DeadlineExceeded, match="not seen yet"):
            await broker.instances.wait("lisbon/7", InstanceState.RUNNING, timeout=0.1)
        with anyio.fail_after(5):
            stub.answers = [InstanceState.RUNNING, InstanceState.RUNNING]
            await broker.instances.start("lisbon/7", wait=1)


async def test_things_of_two_clouds_do_not_meet(make_broker):
    async with make_broker(["a", "b"]) as broker:
        with pytest.raises(ConfigurationError, match="a/1 and b/2 are on different clouds"):
            await broker.storage_volumes.attach("a/1", "b/2")
        assert broker.storage_volumes._beside("a/1", "a/2") == "2"
        assert broker.storage_volumes._beside("a/1", "2") == "2"
        assert broker.storage_volumes._beside("a/1", "c/2") == "c/2"  # an id with a slash in it
