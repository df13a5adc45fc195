"""Settings, cloudstack.ini, CLOUDSTACK_*, and what is discovered of them."""

from pathlib import Path

import anyio.to_thread
import msgspec
import pytest

from anabranch.errors import ConfigurationError
from anabranch.redaction import SecretStr
from anabranch_cloudstack import driver
from anabranch_cloudstack.settings import CloudStackSettings

ENTRY = {
    "driver": "cloudstack",
    "endpoint": "https://cloud.example/client/api",
    "key": "the-key",
    "secret": "hush-hush",
}
INI = """
[cloudstack]
endpoint = https://home.example/client/api
key = home-key
secret = home%hush

[lab]
endpoint = http://lab.example:8080/client/api
key = lab-key
secret = lab-hush
timeout = 30
expiration = -1
job_timeout = 60
retry = 4
verify = /etc/ca.pem
method = post
theme = monokai

[insecure]
endpoint = https://i.example/client/api
key = k
secret = s
verify = false
expiration = 5000

[half]
endpoint = https://half.example
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    place = tmp_path / "home"
    place.mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.chdir(tmp_path / "here")
    return place


def configure(entry, environment=None):
    return driver.configure("lisbon", entry, environment or {})


def test_an_entry_of_its_own():
    settings = configure(ENTRY)
    assert settings.key == SecretStr("the-key")
    assert settings.page_size == 500
    assert "hush" not in repr(settings)
    assert "the-key" not in repr(settings)


def test_every_setting_is_described():
    for field in msgspec.structs.fields(CloudStackSettings):
        assert "description=" in repr(field.type), field.name


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"endpoint": "cloud.example/client/api"}, "endpoint", "http"),
        ({"endpoint": "ftp://x"}, "endpoint", "no URL"),
        ({"endpoint": "http://[::1"}, "endpoint", "no URL"),
        ({"key": ""}, "key", "empty"),
        ({"secret": ""}, "secret", "empty"),
        ({"secret": None}, "secret", "required"),
        ({"page_size": 501}, "page_size", "500"),
        ({"signature_lifetime": 901}, "signature_lifetime", "900"),
        ({"list_all": "perhaps"}, "list_all", ""),
        ({"zones": "x"}, "zones", "zone"),
    ],
)
def test_what_is_wrong_is_named(changes, field, text):
    with pytest.raises(ConfigurationError) as caught:
        configure({**ENTRY, **changes})
    assert caught.value.cloud == "lisbon"
    assert caught.value.field == field
    assert text in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_section_of_the_home_directory(home):
    (home / ".cloudstack.ini").write_text(INI)
    settings = configure({"driver": "cloudstack", "region": "cloudstack"}, {"HOME": str(home)})
    assert settings.endpoint == "https://home.example/client/api"
    assert settings.secret == SecretStr("home%hush")  # a % is no interpolation
    lab = configure({"driver": "cloudstack", "region": "lab"}, {"HOME": str(home)})
    assert (lab.request_timeout, lab.job_timeout, lab.retries) == (30, 60, 4)
    assert (lab.verify, lab.cacert, lab.signature_lifetime) == (True, "/etc/ca.pem", 600)
    insecure = configure({"driver": "cloudstack", "region": "insecure"}, {"HOME": str(home)})
    assert (insecure.verify, insecure.cacert, insecure.signature_lifetime) == (False, None, 900)


def test_the_entry_goes_before_the_section(home):
    (home / ".cloudstack.ini").write_text(INI)
    entry = {"driver": "cloudstack", "region": "lab", "zone": "z", "request_timeout": 5}
    settings = configure(entry, {"HOME": str(home)})
    assert (settings.zone, settings.request_timeout) == ("z", 5)


def test_later_files_go_before_earlier_ones(home, tmp_path):
    (home / ".cloudstack.ini").write_text(INI)
    Path("cloudstack.ini").write_text("[lab]\nkey = here-key\n")
    named = tmp_path / "named.ini"
    named.write_text("[lab]\nsecret = named-hush\n")
    environment = {"HOME": str(home), "CLOUDSTACK_CONFIG": str(named)}
    lab = configure({"driver": "cloudstack", "region": "lab"}, environment)
    assert lab.endpoint == "http://lab.example:8080/client/api"
    assert lab.key == SecretStr("here-key")
    assert lab.secret == SecretStr("named-hush")


def test_a_file_that_is_named(home):
    (home / "mine.ini").write_text(INI)
    entry = {"driver": "cloudstack", "config_file": "~/mine.ini"}
    assert configure(entry, {"HOME": str(home)}).key == SecretStr("home-key")


def test_environment_variables(home):
    environment = {
        "HOME": str(home),
        "CLOUDSTACK_ENDPOINT": "https://env.example/client/api",
        "CLOUDSTACK_KEY": "env-key",
        "CLOUDSTACK_SECRET": "env-hush",
        "CLOUDSTACK_DANGEROUS_NO_TLS_VERIFY": "true",
    }
    settings = configure({"driver": "cloudstack", "region": "envvars"}, environment)
    assert settings.key == SecretStr("env-key")
    assert settings.verify is False


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"region": "lob"}, "Did you mean 'lab'?"),
        ({"region": "half"}, "field 'key'"),
        ({"region": "envvars"}, "no variable CLOUDSTACK_*"),
        ({"config_file": "/nowhere.ini"}, "there is no file '/nowhere.ini'"),
    ],
)
def test_references_that_lead_nowhere(home, entry, text):
    (home / ".cloudstack.ini").write_text(INI)
    with pytest.raises(ConfigurationError) as caught:
        configure({"driver": "cloudstack", **entry}, {"HOME": str(home)})
    assert caught.value.cloud == "lisbon"
    assert text in str(caught.value)


def test_no_file_at_all(home):
    with pytest.raises(ConfigurationError, match="there is no cloudstack"):
        configure({"driver": "cloudstack", "region": "lab"}, {"HOME": str(home)})


def test_a_broken_file_does_not_tell_its_lines(home):
    (home / ".cloudstack.ini").write_text("secret = hush-hush\n[x]\n")
    with pytest.raises(ConfigurationError, match="is no INI file") as caught:
        configure({"driver": "cloudstack", "region": "x"}, {"HOME": str(home)})
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_what_is_discovered(home, tmp_path):
    (home / ".cloudstack.ini").write_text(INI)
    named = tmp_path / "named.ini"
    named.write_text("[far away]\nendpoint = https://far.example\nkey = k\nsecret = far-hush\n")
    environment = {
        "HOME": str(home),
        "CLOUDSTACK_CONFIG": str(named),
        "CLOUDSTACK_ENDPOINT": "https://env.example",
        "CLOUDSTACK_KEY": "env-key",
        "CLOUDSTACK_SECRET": "env-hush",
    }
    found = {cloud.name: cloud for cloud in await driver.discover(environment)}
    assert list(found) == ["cloudstack", "lab", "insecure", "far-away", "envvars"]
    assert found["lab"].entry == {"driver": "cloudstack", "region": "lab"}
    assert found["lab"].source == str(home / ".cloudstack.ini")
    assert found["far-away"].entry["config_file"] == str(named)
    told = str(list(found.values()))
    assert "hush" not in told
    assert "-key" not in told
    for cloud in found.values():
        assert await anyio.to_thread.run_sync(configure, cloud.entry, environment)


async def test_nothing_to_discover(home):
    assert await driver.discover({"HOME": str(home)}) == []
