"""Accounts that come with each request."""

import pytest

from anabranch.errors import ConfigurationError
from anabranch.redaction import SecretStr
from anabranch_paci import driver

URL = "http://127.0.0.1:4465/paci/v1.0"
PASSWORD = SecretStr("s3cret: +/%")


@pytest.mark.parametrize("user", ["anna+test@example.org", "null", "/etc/passwd", "jürgen müller"])
def test_an_account_is_an_entry(user):
    entry = driver.account(URL, user, PASSWORD)
    assert entry == {"endpoint": URL, "username": user, "password": PASSWORD}
    settings = driver.configure("account", {**entry, "driver": "paci"}, {})
    assert (settings.endpoint, settings.username, settings.password) == (URL, user, PASSWORD)
    assert "s3cret" not in f"{entry!r} {settings!r}"


@pytest.mark.parametrize(
    ("provider", "user", "password", "field"),
    [
        ("", "someone", "s3cret", "provider"),
        ("/etc/passwd", "someone", "s3cret", "provider"),
        ("file:///etc/passwd", "someone", "s3cret", "provider"),
        ("http://someone:s3cret@127.0.0.1", "someone", "s3cret", "provider"),
        (URL, "", "s3cret", "user"),
        (URL, "some:one", "s3cret", "user"),
        (URL, "some\x00one", "s3cret", "user"),
        (URL, "someone", "", "password"),
    ],
)
def test_what_is_none_is_refused(provider, user, password, field):
    with pytest.raises(ConfigurationError) as caught:
        driver.account(provider, user, SecretStr(password))
    assert caught.value.field == field
    assert caught.value.remedy
    assert "s3cret" not in str(caught.value)
