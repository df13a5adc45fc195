"""SSH key pairs."""

from __future__ import annotations

import base64
import binascii
import hashlib

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.records import KeyPair
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.records import owner
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, invalid

__all__ = ["commands", "fingerprint"]

commands = Commands()

_KINDS = ("ssh-rsa", "ssh-ed25519", "ssh-dss", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384")


@commands.add("listSSHKeyPairs", "id:uuid name fingerprint", listing=True)
def list_key_pairs(call: Call) -> Document:
    """Lists SSH key pairs."""
    pairs = matching(call, call.state.key_pairs.values(), fingerprint="fingerprint")
    return listed(call, "sshkeypair", [_document(call.state, pair) for pair in pairs])


@commands.add("createSSHKeyPair", "name! projectid:uuid account domainid:uuid")
def create_key_pair(call: Call) -> Document:
    """Makes a key pair and returns its private key, this once."""
    _check_name(call)
    blob = hashlib.sha512(f"{call.state.name}/{call.state.new_id()}".encode()).digest()
    public = f"ssh-rsa {base64.b64encode(_blob('ssh-rsa', blob)).decode()} generated"
    private = base64.encodebytes(blob * 18).decode()
    pair = _add(call, public)
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{private}-----END RSA PRIVATE KEY-----\n"
    return {"keypair": {"privatekey": text, **_document(call.state, pair)}}


@commands.add("registerSSHKeyPair", "name! publickey! projectid:uuid account domainid:uuid")
def register_key_pair(call: Call) -> Document:
    """Registers a public key."""
    _check_name(call)
    key = call.text("publickey").strip()
    if fingerprint(key) is None:
        raise invalid("Public key is invalid")
    for pair in call.visible(call.state.key_pairs.values()):
        if pair.public_key.split()[:2] == key.split()[:2]:
            raise invalid(f"A key pair with key '{key}' already exists for this account.")
    return {"keypair": _document(call.state, _add(call, key))}


@commands.add("deleteSSHKeyPair", "name! projectid:uuid account domainid:uuid")
def delete_key_pair(call: Call) -> Document:
    """Deletes a key pair by its name."""
    for pair in call.visible(call.state.key_pairs.values()):
        if pair.name == call.text("name"):
            del call.state.key_pairs[pair.id]
            return {"success": True}
    raise invalid(
        f"A key pair with name '{call.text('name')}' does not exist for account"
        f" {call.account.name} in specified domain id"
    )


def fingerprint(public_key: str) -> str | None:
    """The fingerprint of a public key, MD5 with colons; `None` if it is none."""
    kind, _, rest = public_key.partition(" ")
    encoded = rest.split(" ", 1)[0]
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    if kind not in _KINDS or not blob.startswith(_blob(kind, b"")):
        return None
    digest = hashlib.md5(blob, usedforsecurity=False).digest()
    return digest.hex(":")


def _blob(kind: str, rest: bytes) -> bytes:
    return len(kind).to_bytes(4, "big") + kind.encode() + rest


def _check_name(call: Call) -> None:
    name = call.text("name")
    if any(pair.name == name for pair in call.visible(call.state.key_pairs.values())):
        raise invalid(f"A key pair with name '{name}' already exists.")


def _add(call: Call, public_key: str) -> KeyPair:
    pair = KeyPair(
        id=call.state.new_id(),
        name=call.text("name"),
        account=call.account.name,
        project=call.project,
        created=call.state.now,
        public_key=public_key,
        fingerprint=fingerprint(public_key) or "",
    )
    call.state.add(call.state.key_pairs, pair)
    return pair


def _document(state: State, pair: KeyPair) -> Document:
    document: Document = {"id": pair.id} if state.version >= (4, 17) else {}
    whose = owner(state, pair)
    del whose["domainpath"]
    return document | {
        "name": pair.name,
        **whose,
        "fingerprint": pair.fingerprint,
        "hasannotations": False,
    }
