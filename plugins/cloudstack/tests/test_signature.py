"""The signature, against the server's rule written out by hand, and against what others sign."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from anabranch.redaction import SecretStr
from anabranch_cloudstack.signature import expiry, signature, signed_body

SECRET = SecretStr("s3cret~Key*")


def by_hand(text: str) -> str:
    digest = hmac.new(SECRET.get_secret_value().encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("parameters", "signed"),
    [
        ({"command": "listZones", "apiKey": "K"}, "apikey=k&command=listzones"),
        # Sorted as sent, capitals first: a sort without case would give aa before aB.
        ({"command": "c", "aa": "1", "aB": "2"}, "ab=2&aa=1&command=c"),
        # Of the signs only these four are not escaped, and a tilde is.
        ({"name": "a-b_c.d*e"}, "name=a-b_c.d*e"),
        ({"name": "a~b"}, "name=a%7eb"),
        ({"name": "a b+c"}, "name=a%20b%2bc"),
        ({"name": "x=1&y=2"}, "name=x%3d1%26y%3d2"),
        ({"name": "a/b:c,d'e\"(f)[g]"}, "name=a%2fb%3ac%2cd%27e%22%28f%29%5bg%5d"),
        ({"name": "Größe ☃"}, "name=gr%c3%b6%c3%9fe%20%e2%98%83"),
        # Names are signed as they are.
        ({"tags[0].key": "env", "tags[0].value": "Dev"}, "tags[0].key=env&tags[0].value=dev"),
        ({"name": ""}, "name="),
    ],
)
def test_what_is_signed(parameters, signed):
    assert signature(parameters, SECRET) == by_hand(signed)


def test_a_body_holds_all_that_was_signed():
    asked = {"command": "createTags", "tags[0].key": "a b~*&=", "tags[0].value": "ü+%"}
    body = signed_body(asked, key=SecretStr("KEY"), secret=SECRET, lifetime=600)
    sent = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
    told = sent.pop("signature")
    assert {k: sent[k] for k in asked} == asked
    assert (sent["apiKey"], sent["response"], sent["signatureVersion"]) == ("KEY", "json", "3")
    assert told == signature(sent, SECRET)
    assert SECRET.get_secret_value() not in body.decode()


def test_expiry_is_in_the_one_format_that_all_versions_read():
    now = datetime(2026, 11, 26, 23, 55, 59, 999999, tzinfo=UTC)
    assert expiry(now, 600) == "2026-11-27T00:05:59+0000"


def test_it_expires_as_configured():
    body = signed_body({"command": "c"}, key=SecretStr("K"), secret=SECRET, lifetime=120)
    expires = dict(parse_qsl(body.decode()))["expires"]
    left = (datetime.fromisoformat(expires) - datetime.now(UTC)).total_seconds()
    assert 100 < left <= 120
