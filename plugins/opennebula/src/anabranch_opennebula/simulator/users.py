"""Users: `one.user.…`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.documents import cdata, ids, plain
from anabranch_opennebula.simulator.machines.quotas import usage
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.records import LoginToken, User
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Template

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call
    from anabranch_opennebula.simulator.state import State

__all__ = ["METHODS"]

_MYSELF = -1
_DEFAULT = -1
_PCI_QUOTAS_SINCE = (7, 4)


def _document(state: State, user: User) -> str:
    tokens = "".join(
        f"<LOGIN_TOKEN><TOKEN>{t.token}</TOKEN><EXPIRATION_TIME>{t.expires}</EXPIRATION_TIME>"
        f"<EGID>{t.egid}</EGID></LOGIN_TOKEN>"
        for t in user.tokens
    )
    return "".join(
        (
            f"<USER><ID>{user.id}</ID><GID>{user.gid}</GID>{ids('GROUPS', [user.gid])}",
            f"<GNAME>{plain(user.gname)}</GNAME><NAME>{plain(user.name)}</NAME>",
            f"<PASSWORD>{cdata(user.password)}</PASSWORD><AUTH_DRIVER>core</AUTH_DRIVER>",
            f"<ENABLED>1</ENABLED>{tokens}{user.template.xml()}",
            _datastore_quota(state, user),
            _network_quota(state, user),
            _machine_quota(state, user),
            _image_quota(state, user),
            "<DEFAULT_USER_QUOTAS><DATASTORE_QUOTA/><NETWORK_QUOTA/><VM_QUOTA/><IMAGE_QUOTA/>",
            "</DEFAULT_USER_QUOTAS></USER>",
        )
    )


def _datastore_quota(state: State, user: User) -> str:
    sizes = [image.size for image in state.images.values() if image.uid == user.id]
    values = {"ID": "1", "IMAGES": "-1", "IMAGES_USED": str(len(sizes)), "SIZE": "-1"}
    return _quota("DATASTORE", [values | {"SIZE_USED": str(sum(sizes))}] if sizes else [])


def _network_quota(state: State, user: User) -> str:
    used: dict[int, int] = {}
    for machine in state.machines.values():
        if machine.uid == user.id:
            for network_id, _ in machine.leases.values():
                used[network_id] = used.get(network_id, 0) + 1
    values = [
        {"ID": str(number), "LEASES": "-1", "LEASES_USED": str(count)}
        for number, count in used.items()
    ]
    return _quota("NETWORK", values)


def _machine_quota(state: State, user: User) -> str:
    values: dict[str, str] = {}
    for metric, amount in usage(state, user).items():
        if "PCI" in metric and state.release < _PCI_QUOTAS_SINCE:
            continue
        decimals = ".2f" if metric.endswith("CPU") else ".0f"
        limit = user.limits.get(metric, _DEFAULT)
        values[metric] = f"{limit:g}"
        values[f"{metric}_USED"] = f"{amount:{decimals}}"
    return _quota("VM", [values] if values else [])


def _image_quota(state: State, user: User) -> str:
    values: list[dict[str, str]] = []
    for image in state.images.values():
        used = sum(state.machines[n].uid == user.id for n in image.vms if n in state.machines)
        if used:
            values.append({"ID": str(image.id), "RVMS": "-1", "RVMS_USED": str(used)})
    return _quota("IMAGE", values)


def _quota(tag: str, entries: list[dict[str, str]]) -> str:
    """Elements exist only after first use."""
    return Template((tag, entry) for entry in entries).xml(f"{tag}_QUOTA")


def _find(call: Call, user_id: int, *, myself: bool) -> User:
    """A user that the caller may see and change.

    Args:
        call: Who asks.
        user_id: Which user.
        myself: Whether -1 means the caller.
    """
    if myself and user_id == _MYSELF:
        return call.user
    user = call.state.users.get(user_id)
    if user is None:
        raise Refusal(Code.NO_EXISTS, f"Error getting user [{user_id}].", user_id)
    if user is not call.user and not call.user.privileged:
        raise Refusal(
            Code.AUTHORIZATION,
            f"User [{call.user.id}] : Not authorized to perform USE USER [{user_id}].",
            user_id,
        )
    return user


def _info(call: Call, user_id: int, decrypt: bool = False) -> str:
    del decrypt
    return _document(call.state, _find(call, user_id, myself=True))


def _update(call: Call, user_id: int, text: str, append: int) -> int:
    user = _find(call, user_id, myself=False)
    parsed = Template.parse(text)
    if append:
        user.template.merge(parsed)
    else:
        kept = user.template.text("TOKEN_PASSWORD")
        user.template = parsed
        user.template.put("TOKEN_PASSWORD", kept)
    return user_id


def _login(call: Call, name: str, token: str, seconds: int, group_id: int = -1) -> str:
    """A new token when `token` is empty; with 0 seconds, the end of one."""
    user = next((u for u in call.state.users.values() if u.name == name), None)
    if user is None or (user is not call.user and not call.user.privileged):
        raise Refusal(
            Code.AUTHORIZATION,
            f"User [{call.user.id}] : Not authorized to perform MANAGE USER.",
        )
    if seconds == 0:
        user.tokens = [t for t in user.tokens if token not in ("", t.token)]
        return token
    made = token or secrets.token_hex(32)
    expires = -1 if seconds < 0 else call.now + seconds
    user.tokens.append(LoginToken(token=made, expires=expires, egid=group_id))
    return made


METHODS = {
    "one.user.info": Method("i|b", _info),
    "one.user.login": Method("ssi|i", _login),
    "one.user.update": Method("isi", _update),
}
