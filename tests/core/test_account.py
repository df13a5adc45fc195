"""Accounts that come with each request: what the core checks of them for drivers."""

import pytest

from anabranch.errors import ConfigurationError
from anabranch.hooks import DriverSpec
from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings, check_login, check_provider_url, to_settings

GOOD = (
    "http://127.0.0.1:5000",
    "https://cloud.example.org/v3",
    "https://[2001:db8::7]:13000/v3",
    "https://bücher.example/client/api",
)
BAD = (
    "cloud.example.org",
    "//cloud.example.org",
    "file:///etc/passwd",
    "unix:///run/x.sock",
    "https://",
    "https:///v3",
    "https://:5000/v3",
    "https://host:0",
    "https://host:65536",
    "https://host:x",
    "https://someone:s3cret@host/v3",
    "https://someone@host/v3",
    "https://host/v3?to=elsewhere",
    "https://host/v3#there",
    "https://host\\@elsewhere/v3",
    "https://host /v3",
    "https://host/v3\r\nX-Auth-Token: x",
    "https://host/\x00",
    "https://host/v3\n",
    "https://host\u2028/v3",
    "https://[host]/v3",
    "https://[::1/v3",
    "https://host/\ud800",
)


class _Settings(CloudSettings, frozen=True, kw_only=True):
    password: SecretStr


class _Driver(DriverSpec[_Settings]):
    title = "Stub"


def test_a_driver_that_says_nothing_takes_no_accounts():
    with pytest.raises(ConfigurationError, match="Stub takes no accounts") as caught:
        _Driver().account("https://host", "someone", SecretStr("s3cret"))
    assert "anabranch.yaml" in caught.value.remedy
    assert _Driver.provider_help == ""


@pytest.mark.parametrize("provider", GOOD)
def test_a_bare_url_is_a_provider(provider):
    check_provider_url(provider, "https://HOST")


@pytest.mark.parametrize("provider", BAD)
def test_what_is_no_bare_url_is_none_and_is_not_quoted(provider):
    with pytest.raises(ConfigurationError, match="no bare URL") as caught:
        check_provider_url(provider, "https://HOST")
    assert (caught.value.field, caught.value.remedy) == ("provider", "Write https://HOST")
    assert "s3cret" not in str(caught.value)


def test_no_provider_is_one_too_few():
    with pytest.raises(ConfigurationError, match="'provider': is required"):
        check_provider_url("", "https://HOST")


@pytest.mark.parametrize(
    ("user", "password", "field"),
    [
        ("", "s3cret", "user"),
        ("someone", "", "password"),
        ("some\none", "s3cret", "user"),
        ("someone\x00", "s3cret", "user"),
        ("some\x85one", "s3cret", "user"),
        ("some\udcffone", "s3cret", "user"),
        ("some:one", "s3cret", "user"),
        ("someone", "s3cret\r", "password"),
        ("someone", "s3cret\ud800", "password"),
    ],
)
def test_what_basic_cannot_carry_is_no_login(user, password, field):
    with pytest.raises(ConfigurationError) as caught:
        check_login(user, SecretStr(password))
    assert caught.value.field == field
    assert caught.value.remedy
    assert "s3cret" not in str(caught.value)


def test_basic_carries_any_letters():
    check_login("jürgen müller@example.org", SecretStr("pä:ss w0rd+/% "))


def test_a_secret_may_be_in_an_entry_as_a_secret():
    secret = SecretStr("s3cret")
    entry = {"driver": "stub", "password": secret}
    assert to_settings(_Settings, entry, cloud="a").password == secret
