"""What all models share: a frozen Struct that says which cloud it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from anabranch.ids import QualifiedId
from anabranch.redaction import SecretStr, redact

__all__ = ["NO_EXTRA", "Extra", "Resource", "to_builtins"]


class Extra(Mapping[str, Any]):
    """The platform's own fields of a resource, untranslated, decoded when first looked at.

    Values are whatever the platform sent, secrets included: `repr()` and the encoders of this
    package do not show those.
    """

    __slots__ = ("_fields", "_source", "_without")

    def __init__(
        self,
        source: bytes | msgspec.Raw | Callable[[], Mapping[str, Any]],
        without: frozenset[str] = frozenset(),
    ) -> None:
        """Keep `source` for later.

        Args:
            source: A JSON object as bytes, or a function that makes the mapping.
            without: Keys that the model has under its own names already.
        """
        self._source, self._without = source, without
        self._fields: Mapping[str, Any] | None = None

    def _decoded(self) -> Mapping[str, Any]:
        if self._fields is None:
            source = self._source
            fields: Any = source() if callable(source) else msgspec.json.decode(source)
            self._fields = {k: v for k, v in fields.items() if k not in self._without}
            self._source = b"{}"
        return self._fields

    def __getitem__(self, key: str) -> Any:
        return self._decoded()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decoded())

    def __len__(self) -> int:
        return len(self._decoded())

    def __repr__(self) -> str:
        return f"<Extra: {', '.join(self._decoded()) or 'nothing'}>"

    def __hash__(self) -> int:
        return hash(frozenset(self._decoded()))


NO_EXTRA: Final = Extra(b"{}")


class Resource(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A thing on a cloud.

    Attributes:
        cloud: Name of the cloud that has it.
        id: The platform's id: opaque, stable, unique within its collection on that cloud.
        name: What people call it; may be empty, and is rarely unique.
        extra: The platform's fields that have no place in the model.
    """

    cloud: str
    id: str
    name: str = ""
    extra: Extra = NO_EXTRA

    @property
    def qualified_id(self) -> QualifiedId:
        """The id that is unique across clouds: `cloud/id`."""
        return QualifiedId(self.cloud, self.id)


def to_builtins(value: Any, *, extra: bool = False) -> Any:
    """Return a model, or a container of models, as dicts, lists, strings and numbers.

    This is the JSON form of the models: times are ISO 8601 in UTC, secrets are masked.

    Args:
        value: What to convert.
        extra: Whether to include the platform's own fields.
    """
    if extra:
        return msgspec.to_builtins(value, enc_hook=_encode, str_keys=True)
    return _without_extra(msgspec.to_builtins(value, enc_hook=_encode_short, str_keys=True))


def _encode(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return str(value)
    if isinstance(value, Extra):
        return redact(value)
    msg = f"{type(value).__name__} has no JSON form"
    raise NotImplementedError(msg)


def _encode_short(value: Any) -> Any:
    # Not decoded for nothing: a platform's own fields are most of the bytes.
    return None if isinstance(value, Extra) else _encode(value)


def _without_extra(plain: Any) -> Any:
    if isinstance(plain, dict):
        fields = cast("dict[str, Any]", plain)
        if "extra" in fields and fields["extra"] is None:
            del fields["extra"]
    elif isinstance(plain, (list, tuple)):
        for item in cast("Sequence[Any]", plain):
            _without_extra(item)
    return cast("Any", plain)
