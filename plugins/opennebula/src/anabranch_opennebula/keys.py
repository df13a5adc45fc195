"""Keys: public keys by name, kept in the user's own template.

OpenNebula has no key objects. A user has one attribute SSH_PUBLIC_KEY, which the templates hand to
instances; it may hold several keys. It is shown as a key of that name, and left alone. Further
keys are kept by name in one attribute of the user, and an instance that is made with one gets
that key in its CONTEXT, in the place of the user's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Final, NamedTuple

from anabranch.errors import Conflict, InvalidRequest, NotFound, ProtocolError
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.keys import KeysSpec
from anabranch.models import Key, KeySpec
from anabranch.paging import Page
from anabranch_opennebula import own
from anabranch_opennebula.client import OpenNebulaCloud, Session, session
from anabranch_opennebula.reading import Thing, integer
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.templates import template

__all__ = ["USERS_OWN", "Keys", "public_key"]

USERS_OWN: Final = "SSH_PUBLIC_KEY"
"""The id of the key that is the user's by OpenNebula's own means."""
_LONGEST_NAME: Final = 128
_TRIES: Final = 3


class _Keys(NamedTuple):
    uid: int
    users_own: str
    named: dict[str, str]
    spoilt: bool


class Keys(KeysSpec[OpenNebulaSettings]):
    """Public keys of the user. A key's name is its id."""

    @hookimpl
    async def list_keys(self, cloud: OpenNebulaCloud, cursor: str | None) -> Page[Key]:
        found = await _read(session(cloud))
        keys = [_key(cloud.name, name, text) for name, text in sorted(found.named.items())]
        if found.users_own:
            keys.insert(0, _key(cloud.name, USERS_OWN, found.users_own))
        return Page(keys)

    @hookimpl
    async def get_key(self, cloud: OpenNebulaCloud, key_id: str) -> Key:
        return _key(cloud.name, key_id, await public_key(session(cloud), key_id))

    @hookimpl
    @offers(Feature.IMPORT_KEY, constraints={Feature.IMPORT_KEY: {"required": "true"}})
    async def create_key(self, cloud: OpenNebulaCloud, spec: KeySpec) -> Key:
        text = " ".join((spec.public_key or "").split())
        if not text:
            raise InvalidRequest(
                "OpenNebula makes no key pairs", remedy="Make one, and give its public key"
            )
        if not spec.name.strip() or len(spec.name) > _LONGEST_NAME:
            raise InvalidRequest(f"the name of a key has 1 to {_LONGEST_NAME} characters")

        def add(named: dict[str, str]) -> None:
            if spec.name == USERS_OWN or named.get(spec.name, text) != text:
                raise Conflict(f"there is a key {spec.name!r} already")
            named[spec.name] = text

        await _rewrite(session(cloud), add, lambda named: named.get(spec.name) == text)
        return _key(cloud.name, spec.name, text)

    @hookimpl
    async def destroy_key(self, cloud: OpenNebulaCloud, key_id: str) -> None:
        if key_id == USERS_OWN:
            raise InvalidRequest(
                "this key is the user's by OpenNebula's own means, and is not managed here"
            )

        def remove(named: dict[str, str]) -> None:
            if named.pop(key_id, None) is None:
                raise NotFound(f"there is no key {key_id!r}")

        await _rewrite(session(cloud), remove, lambda named: key_id not in named)


async def public_key(one: Session, key_id: str) -> str:
    """Return the text of a key.

    Raises:
        NotFound: no such key.
    """
    found = await _read(one)
    text = found.users_own if key_id == USERS_OWN else found.named.get(key_id)
    if not text:
        raise NotFound(f"there is no key {key_id!r}")
    return text


async def _read(one: Session) -> _Keys:
    def convert(user: Thing) -> _Keys:
        uid = integer(user.element.findtext("ID"))
        if uid is None:
            raise ProtocolError("OpenNebula does not tell who the user is")
        text = user.element.findtext(f"TEMPLATE/{own.KEYS}")
        return _Keys(
            uid,
            (user.element.findtext(f"TEMPLATE/{USERS_OWN}") or "").strip(),
            own.mapping_of(text),
            own.is_spoilt(text),
        )

    return await one.read(convert, "user.info", -1)


async def _rewrite(
    one: Session,
    change: Callable[[dict[str, str]], None],
    done: Callable[[dict[str, str]], bool],
) -> None:
    """Change the keys by name, and see that nobody else wrote them at the same time.

    They are one attribute, because oned can merge attributes but not delete one: it would take
    the replacement of all that the user's template holds.

    Raises:
        Conflict: others write them all the time, or what is there cannot be read: it is kept.
    """
    async with one.rewriting:
        found = await _read(one)
        if found.spoilt:
            raise Conflict(
                f"{own.KEYS} of the user is no JSON of names and keys, and is not written over",
                remedy="Mend it in OpenNebula, or take it out",
            )
        for _ in range(_TRIES):
            change(found.named)
            text = template([(own.KEYS, own.written(found.named))])
            await one.change("user.update", found.uid, text, 1, idempotent=True)
            found = await _read(one)
            if done(found.named):
                return
    raise Conflict("others change the keys of this user at the same time", remedy="Try again")


def _key(cloud: str, name: str, text: str) -> Key:
    return Key(cloud=cloud, id=name, name=name, public_key=text, fingerprint=_fingerprint(text))


def _fingerprint(text: str) -> str | None:
    """The fingerprint as OpenSSH shows it; None: it is no key, or several."""
    parts = text.split()
    if "\n" in text or len(parts) < 2:
        return None
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except binascii.Error:
        return None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"
