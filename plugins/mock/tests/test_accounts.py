"""Accounts that come with each request."""

import pytest

from anabranch.errors import ConfigurationError
from anabranch.redaction import SecretStr
from anabranch_mock import driver

PASSWORD = SecretStr("mockpassword")


@pytest.mark.parametrize("provider", ["", "default", "file:///etc/passwd", "\x00"])
def test_an_account_is_an_entry_whatever_the_provider(provider):
    entry = driver.account(provider, "mockuser", PASSWORD)
    assert entry == {"username": "mockuser", "password": PASSWORD}
    settings = driver.configure("account", {**entry, "driver": "mock"}, {})
    assert (settings.username, settings.password) == ("mockuser", PASSWORD)
    assert settings == driver.configure("account", {"driver": "mock"}, {})
    assert "mockpassword" not in f"{entry!r} {settings!r}"


@pytest.mark.parametrize(
    ("user", "password", "field"),
    [("", "x", "user"), ("mock\x00user", "x", "user"), ("mockuser", "", "password")],
)
def test_what_is_none_is_refused(user, password, field):
    with pytest.raises(ConfigurationError) as caught:
        driver.account("", user, SecretStr(password))
    assert caught.value.field == field
