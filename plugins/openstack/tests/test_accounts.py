"""Accounts that come with each request."""

import pytest

from anabranch.errors import ConfigurationError
from anabranch.redaction import SecretStr
from anabranch_openstack import driver

URL = "http://127.0.0.1:5000/v3"
PASSWORD = SecretStr("s3cret: +/%")
CREDENTIAL = "0123456789abcdef0123456789abcdef"


def made(provider, user):
    """The settings of an account, as far as they are not those of every other."""
    entry = driver.account(provider, user, PASSWORD)
    settings = driver.configure("account", {**entry, "driver": "openstack"}, {})
    assert "s3cret" not in f"{entry!r} {settings!r}"
    assert (settings.cloud, settings.clouds_file, settings.cacert) == (None, None, None)
    assert settings.auth.auth_url == URL
    return settings


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("anna+web", ("anna", None, "web", None)),
        ("Corp/anna+web", ("anna", "Corp", "web", "Corp")),
        ("anna+Corp/web", ("anna", None, "web", "Corp")),
        ("Corp/anna+Default/web", ("anna", "Corp", "web", "Default")),
        ("anna+test@example.org+web", ("anna+test@example.org", None, "web", None)),
        ("anna+web%2Bdb", ("anna", None, "web+db", None)),
        ("Corp/a/b+c/d/e", ("a/b", "Corp", "d/e", "c")),
        ("a%2Fb+c%2fd", ("a/b", None, "c/d", None)),
        ("A%2FB/anna+web", ("anna", "A/B", "web", "A/B")),
        ("100%+50%25", ("100%", None, "50%", None)),
        ("jürgen müller+büro 3", ("jürgen müller", None, "büro 3", None)),
        ("null+null", ("null", None, "null", None)),
        ("..+~", ("..", None, "~", None)),
    ],
)
def test_a_user_names_its_project(user, expected):
    auth = made(URL, user).auth
    found = (auth.username, auth.user_domain_name, auth.project_name, auth.project_domain_name)
    assert found == expected
    assert auth.password == PASSWORD


def test_a_user_without_a_project_is_an_application_credential():
    settings = made(URL, CREDENTIAL)
    assert settings.auth_type == "application_credential"
    assert settings.auth.application_credential_id == CREDENTIAL
    assert settings.auth.application_credential_secret == PASSWORD


def test_a_provider_may_name_a_region():
    assert made(URL, "anna+web").region_name is None
    assert made(f"{URL};", "anna+web").region_name is None
    assert made(f"{URL};RegionOne", "anna+web").region_name == "RegionOne"


@pytest.mark.parametrize(
    ("provider", "user", "password", "field"),
    [
        ("", "anna+web", "s3cret", "provider"),
        (";RegionOne", "anna+web", "s3cret", "provider"),
        ("envvars", "anna+web", "s3cret", "provider"),
        ("file:///etc/openstack/clouds.yaml", "anna+web", "s3cret", "provider"),
        ("http://anna:s3cret@127.0.0.1", "anna+web", "s3cret", "provider"),
        (f"{URL};Region\nOne", "anna+web", "s3cret", "provider"),
        (URL, "", "s3cret", "user"),
        (URL, "anna", "s3cret", "user"),
        (URL, "+", "s3cret", "user"),
        (URL, "anna+", "s3cret", "user"),
        (URL, "+web", "s3cret", "user"),
        (URL, "/anna+web", "s3cret", "user"),
        (URL, "Corp/+web", "s3cret", "user"),
        (URL, "anna+Corp/", "s3cret", "user"),
        (URL, "anna%00+web", "s3cret", "user"),
        (URL, "anna+web%0a", "s3cret", "user"),
        (URL, "anna+web%ff", "s3cret", "user"),
        (URL, "an\x00na+web", "s3cret", "user"),
        (URL, "anna+web", "", "password"),
    ],
)
def test_what_is_none_is_refused(provider, user, password, field):
    with pytest.raises(ConfigurationError) as caught:
        driver.account(provider, user, SecretStr(password))
    assert caught.value.field == field
    assert caught.value.remedy
    assert "s3cret" not in str(caught.value)
