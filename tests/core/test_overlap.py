"""Two looks at once, a change and a look at once."""

import anyio
import pytest

from anabranch.errors import CloudUnavailable, InvalidState
from anabranch.overlap import both, read_meanwhile


async def test_both_are_under_way_at_once():
    asked, looked = anyio.Event(), anyio.Event()

    async def change():
        asked.set()
        await looked.wait()

    async def read():
        await asked.wait()
        looked.set()
        return "seen"

    with anyio.fail_after(5):
        assert await read_meanwhile(change, read) == "seen"


async def test_both_answers_are_returned():
    met = [anyio.Event(), anyio.Event()]

    def one(me):
        async def do():
            met[me].set()
            await met[1 - me].wait()
            return me

        return do

    with anyio.fail_after(5):
        assert await both(one(0), one(1)) == (0, 1)


async def test_a_change_that_fails_ends_the_look_and_is_what_is_told():
    ended = []

    async def change():
        await anyio.sleep(0.01)
        raise InvalidState("no")

    async def read():
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    with anyio.fail_after(5), pytest.raises(InvalidState):
        await read_meanwhile(change, read)
    assert ended == [True]


async def test_a_look_that_fails_ends_no_change_and_is_told_when_that_is_made():
    made = []

    async def change():
        await anyio.sleep(0.05)
        made.append(True)

    async def read():
        raise CloudUnavailable("not seen")

    with pytest.raises(CloudUnavailable):
        await read_meanwhile(change, read)
    assert made == [True]


async def test_where_both_fail_the_change_is_told():
    async def change():
        await anyio.sleep(0.01)
        raise InvalidState("no")

    async def read():
        raise CloudUnavailable("not seen")

    with pytest.raises(InvalidState):
        await read_meanwhile(change, read)


async def test_who_is_cancelled_ends_both():
    ended = []

    async def forever():
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    with anyio.move_on_after(0.05) as scope:
        await read_meanwhile(forever, forever)
    assert scope.cancelled_caught
    assert ended == [True, True]
