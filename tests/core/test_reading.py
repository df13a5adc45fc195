"""One odd item does not spoil a list."""

import msgspec
import pytest

from anabranch import ProtocolError
from anabranch.reading import Reader


class Machine(msgspec.Struct, frozen=True):
    id: str
    size: int | None = None
    tags: list[str] = []


READER = Reader(Machine)


def raws(*texts: str) -> list[msgspec.Raw]:
    return [msgspec.Raw(text.encode()) for text in texts]


def test_what_is_odd_about_an_item_is_told_and_the_rest_of_it_kept():
    items, problems = READER.read_all(
        raws(
            '{"id": "1", "size": 2, "colour": "red"}',
            '{"id": "2", "size": "big", "tags": ["a"]}',
            '{"size": 3}',
            "[7]",
            '{"id": "5"}',
        ),
        lambda machine, raw: (machine.id, machine.size, machine.tags, bytes(raw)[:3]),
    )
    assert items == [
        ("1", 2, [], b'{"i'),
        ("2", None, ["a"], b'{"i'),
        ("5", None, [], b'{"i'),
    ]
    assert [(p.id, p.message) for p in problems] == [
        ("2", "a machine with odd size"),
        ("", "a machine with odd fields"),
        ("", "a machine that is no object"),
    ]


def test_an_item_can_be_left_out():
    items, problems = READER.read_all(
        raws('{"id": "1"}', '{"id": "2"}'), lambda m, _: m if m.id == "2" else None
    )
    assert [machine.id for machine in items] == ["2"]
    assert problems == []


def test_one_item_is_read_as_far_as_it_can_be():
    assert READER.read(b'{"id": "2", "size": {}}') == Machine("2")
    with pytest.raises(ProtocolError, match="a machine that is no object") as caught:
        READER.read(b'"x"', "req-7")
    assert caught.value.request_id == "req-7"
