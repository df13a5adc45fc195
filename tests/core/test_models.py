"""The domain models, and their JSON form."""

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anabranch import models
from anabranch.hooks import COLLECTIONS
from anabranch.models import (
    NO_EXTRA,
    Authentication,
    BlobContent,
    Extra,
    Instance,
    Key,
    NetworkAddress,
    Realm,
    Resource,
    to_builtins,
)
from anabranch.redaction import MASK, SecretStr
from anabranch.states import InstanceState

RESOURCES = [c for c in vars(models).values() if isinstance(c, type) and issubclass(c, Resource)]


def test_the_json_form_of_an_instance():
    instance = Instance(
        cloud="lisbon",
        id="7",
        name="web",
        state=InstanceState.RUNNING,
        public_addresses=(NetworkAddress("192.0.2.1"),),
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        authentication=Authentication(password=SecretStr("s3cret")),
        tags={"extra": "kept", "1": "2"},
        extra=Extra(b'{"status": "ACTIVE", "adminPass": "s3cret", "a": null}', frozenset(["a"])),
    )
    found = to_builtins(instance)
    assert found["state"] == "RUNNING"
    assert found["created_at"] == "2026-01-02T03:04:05Z"
    assert found["authentication"] == {"key_id": None, "username": None, "password": MASK}
    assert found["tags"] == {"extra": "kept", "1": "2"}
    assert list(found["public_addresses"]) == [
        {"address": "192.0.2.1", "kind": "ipv4", "port": None}
    ]
    assert "extra" not in found
    json.dumps(found)
    full = to_builtins([instance], extra=True)
    assert full[0]["extra"] == {"status": "ACTIVE", "adminPass": MASK}
    json.dumps(full)


def test_odd_data_has_a_stable_form():
    local = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-3)))
    assert to_builtins({1: (b"\x00", {"b"}, local)}) == {"1": ("AA==", ["b"], str_of(local))}
    for container in ([_lazy()], (_lazy(),)):
        assert [("extra" in item) for item in to_builtins(container)] == [False]
    assert to_builtins({"extra": "of a mapping"}) == {"extra": "of a mapping"}
    assert to_builtins(None) is None
    with pytest.raises(NotImplementedError, match="object has no JSON form"):
        to_builtins(object())


def str_of(moment: datetime) -> str:
    return moment.isoformat()


def _fail() -> dict[str, object]:
    raise AssertionError("decoded for nothing")


def _lazy() -> Realm:
    return Realm(cloud="a", id="1", extra=Extra(_fail))


def test_extra_is_decoded_when_first_looked_at_and_once():
    calls: list[int] = []

    def source() -> dict[str, object]:
        calls.append(1)
        return {"a": 1, "b": {"c": 2}}

    extra = Extra(source, frozenset(["a"]))
    realm = Realm(cloud="a", id="1", extra=extra)
    to_builtins(realm)
    assert calls == []
    assert dict(extra) == {"b": {"c": 2}}
    assert (extra["b"], len(extra), "a" in extra) == ({"c": 2}, 1, False)
    assert calls == [1]
    assert repr(extra) == "<Extra: b>"
    assert (repr(NO_EXTRA), len(NO_EXTRA)) == ("<Extra: nothing>", 0)
    assert Extra(msgspec.Raw(b'{"x": 1}'))["x"] == 1
    assert Extra(b"{}") == NO_EXTRA
    assert hash(realm) == hash(Realm(cloud="a", id="1", extra=Extra(lambda: {"b": {"c": 2}})))


@given(st.dictionaries(st.text(), st.none() | st.integers(-(2**53), 2**53) | st.text()))
def test_extra_of_any_json_object(fields):
    assert dict(Extra(msgspec.json.encode(fields))) == fields


@pytest.mark.parametrize("model", RESOURCES)
def test_models_are_frozen_and_say_where_they_are(model: type[Resource]):
    must = {f.name: "x" for f in msgspec.structs.fields(model) if f.required}
    made = model(**must)
    with pytest.raises(AttributeError):
        made.id = "y"  # type: ignore[misc]
    assert str(made.qualified_id) == "x/x"
    json.dumps(to_builtins(made, extra=True))


def test_every_collection_has_a_model():
    names = {c.__name__.lower() for c in RESOURCES}
    for collection in COLLECTIONS:
        singular = collection.replace("_", "").removesuffix("s").removesuffix("e")
        assert any(name.startswith(singular) for name in names), collection


def test_secrets_of_a_key_do_not_show():
    key = Key(cloud="a", id="1", private_key=SecretStr("s3cret"), password=SecretStr("s3cret"))
    assert "s3cret" not in repr(key)
    assert "s3cret" not in json.dumps(to_builtins(key))


async def test_blob_content_is_closed():
    closed: list[int] = []

    async def chunks():
        yield b"one"
        yield b"two"

    async def aclose() -> None:
        closed.append(1)

    blob = models.Blob(cloud="a", id="b", bucket_id="c")
    async with BlobContent(blob, chunks(), aclose) as content:
        assert [chunk async for chunk in content] == [b"one", b"two"]
    assert closed == [1]
