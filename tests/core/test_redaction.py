"""Secrets do not show, wherever they are written."""

import copy
import json
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anabranch import errors
from anabranch.models import Extra, Instance, InstanceSpec, to_builtins
from anabranch.redaction import MASK, SecretStr, redact, redact_url
from anabranch.states import InstanceState

SECRET = "hunter2-s3cret"


def test_a_secret_string_shows_a_mask():
    secret = SecretStr(SECRET)
    assert secret.get_secret_value() == SECRET
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r}", "%s" % secret, [secret]):  # noqa: UP031
        assert SECRET not in str(text)
        assert MASK in str(text)
    assert (str(SecretStr("")), repr(SecretStr(""))) == ("", "SecretStr('')")
    assert bool(secret)
    assert not SecretStr("")


def test_nor_do_encoders():
    secret = SecretStr(SECRET)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    with pytest.raises(TypeError, match="is not pickled"):
        pickle.dumps({"a": secret})
    assert json.dumps(secret, default=str) == f'"{MASK}"'
    assert to_builtins({"a": secret}) == {"a": MASK}
    assert not hasattr(secret, "__dict__")


def test_it_is_a_value():
    assert SecretStr("a") == SecretStr("a") != SecretStr("b")
    assert SecretStr("a") != "a"
    assert len({SecretStr("a"), SecretStr("a")}) == 1
    secret = SecretStr("a")
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": [secret]}) == {"a": [secret]}


SECRET_KEYS = [
    "password", "adminPass", "admin_passwd", "passphrase", "client_secret", "X-Auth-Token",
    "token", "api_key", "apiKey", "APIKEY", "private_key", "privateKey", "credentials", "Signature",
    "user_data", "OS-EXT-SRV-ATTR:user_data", "Authorization", "Set-Cookie",
]  # fmt: skip
PLAIN_KEYS = [
    "key_name", "public_key", "name", "password_expires_at", "client_token", "passwordenabled",
    "id", "keypair", "passive",
]  # fmt: skip


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_what_the_name_says_is_a_secret(key: str):
    for value in (SECRET, [SECRET], {"id": SECRET, "more": {"x": [SECRET]}}, 42):
        assert redact({key: value}) == {key: MASK}
    assert redact({key: None, "b": {key: True}}) == {key: None, "b": {key: True}}


@pytest.mark.parametrize("key", PLAIN_KEYS)
def test_and_what_it_does_not(key: str):
    assert redact({key: "shown"}) == {key: "shown"}


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


def _planted(tree: object, key: str, deep: bool) -> object:
    if isinstance(tree, dict):
        return {**{k: _planted(v, key, deep) for k, v in tree.items()}, key: {"x": SECRET}}
    if isinstance(tree, list):
        return [*(_planted(v, key, deep) for v in tree), {key: SECRET}, SecretStr(SECRET)]
    return (tree, frozenset([SecretStr(SECRET)]), f"https://me:{SECRET}@host/?token={SECRET}&a=1")


@given(trees, st.sampled_from(SECRET_KEYS))
def test_wherever_it_is_planted_it_does_not_show(tree, key: str):
    planted = _planted(tree, key, True)
    assert SECRET not in repr(redact(planted))
    extra = Extra(lambda: {"inner": planted})
    instance = Instance(cloud="a", id="1", state=InstanceState.RUNNING, extra=extra)
    assert SECRET not in repr(to_builtins(instance, extra=True))
    assert SECRET not in repr(instance)


@given(trees)
def test_what_is_no_secret_is_left_as_it_is(tree):
    before = copy.deepcopy(tree)
    json.dumps(redact(tree))
    assert tree == before


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pw@host/x", f"https://{MASK}@host/x"),
        ("https://me:p@w@host/x", f"https://{MASK}@host/x"),
        ("postgresql://u@h and http://a:b@c", f"postgresql://{MASK}@h and http://{MASK}@c"),
        ("http://h/?a=1&token=x&b=2", f"http://h/?a=1&token={MASK}&b=2"),
        ("http://h/?access_token=x#f", f"http://h/?access_token={MASK}#f"),
        ("?apiKey=x&signature=y%3D", f"?apiKey={MASK}&signature={MASK}"),
        ("?X-Amz-Signature=x&X-Amz-Date=1", f"?X-Amz-Signature={MASK}&X-Amz-Date=1"),
        ("?temp_url_sig=x&sig=y&design=z", f"?temp_url_sig={MASK}&sig={MASK}&design=z"),
        ("?X-Amz-Credential=x", f"?X-Amz-Credential={MASK}"),
        ("mail me@host, see http://host/?to=me@host", "mail me@host, see http://host/?to=me@host"),
        ("plain text", "plain text"),
        ("a=b", "a=b"),
    ],
)
def test_urls(text: str, shown: str):
    assert redact_url(text) == shown


@given(st.text(max_size=60))
def test_redacting_twice_is_redacting_once(text: str):
    assert redact_url(redact_url(text)) == redact_url(text)


def test_no_error_shows_the_secrets_of_a_url():
    url = f"https://me:{SECRET}@host/?token={SECRET}"
    for error in (
        errors.CloudUnavailable(f"no connection to {url}"),
        errors.ConfigurationError(f"bad {url}", cloud="a"),
        errors.ConfigurationError("bad", remedy=f"not {url}"),
    ):
        assert SECRET not in str(error)
        assert SECRET not in repr(error)


def test_a_spec_does_not_show_what_is_in_it():
    spec = InstanceSpec(image_id="1", password=SecretStr(SECRET), user_data=SECRET.encode())
    assert SECRET not in repr(spec)
