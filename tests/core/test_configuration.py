"""`anabranch.yaml`, the environment over it, and what is said of mistakes."""

import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from anabranch import (
    Configuration,
    ConfigurationError,
    SecretStr,
    find_configuration,
    load_configuration,
)
from anabranch.settings import CloudSettings, to_settings


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(here: Path):
    def write(text: str, name: str = "anabranch.yaml") -> Path:
        file = here / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        return file

    return write


MINIMAL = "clouds: {lisbon: {driver: mock}}"


# ----------------------------------------------------------------------------------------- finding


def test_no_file_at_all_is_an_empty_configuration(here):
    assert find_configuration() is None
    assert load_configuration() == Configuration()


def test_the_file_that_is_named_then_the_one_here_then_the_users(write, monkeypatch, here, request):
    home = here / "home"
    monkeypatch.setenv("HOME", str(home))
    folder = (
        ".config/anabranch" if sys.platform == "linux" else "Library/Application Support/anabranch"
    )
    user = write("clouds: {user: {driver: mock}}", f"home/{folder}/anabranch.yaml")
    assert find_configuration() == user
    assert list(load_configuration().clouds) == ["user"]
    write("clouds: {local: {driver: mock}}")
    assert list(load_configuration().clouds) == ["local"]
    named = write("clouds: {named: {driver: mock}}", "other.yaml")
    monkeypatch.setenv("ANABRANCH_CONFIG", str(named))
    assert list(load_configuration().clouds) == ["named"]
    assert load_configuration().source == str(named)
    given = write("clouds: {given: {driver: mock}}", "given.yaml")
    assert list(load_configuration(given).clouds) == ["given"]
    monkeypatch.setenv("ANABRANCH_CONFIG", "~/x.yaml")
    with pytest.raises(ConfigurationError, match=f"there is no file '{home}/x.yaml'"):
        load_configuration()


def test_xdg_is_honoured(write, monkeypatch, here):
    if sys.platform != "linux":
        pytest.skip("XDG is of Linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here / "xdg"))
    assert find_configuration() is None
    assert find_configuration({}) is None
    file = write(MINIMAL, "xdg/anabranch/anabranch.yaml")
    assert find_configuration() == file


# ----------------------------------------------------------------------------------------- reading


def test_all_of_it(write):
    write("""
        timeout: 5
        require: all
        plugins: {deny: [old], pin: {openstack: anabranch-openstack}}
        clouds:
          lisbon: {driver: mock, instances: 3}
          porto: {driver: mock}
    """)
    found = load_configuration()
    assert (found.timeout, found.require) == (5.0, "all")
    assert found.plugins.deny == ("old",)
    assert found.clouds["lisbon"] == {"driver": "mock", "instances": 3}
    assert list(found.clouds) == ["lisbon", "porto"]


@pytest.mark.parametrize("text", ["", "# nothing", "clouds:", "clouds: {}"])
def test_an_empty_file(write, text: str):
    write(text)
    assert load_configuration().clouds == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clouds: [}", "is no YAML in line 1"),
        ("clouds:\n\tlisbon: 1", "is no YAML in line 2"),
        ("a: 1\n---\nb: 2", "is no YAML in line 2"),
        ("? {a: 1}\n: 2", "is no YAML in line 1"),
        ("x: !!python/object/apply:os.system [ls]", "is no YAML in line 1"),
        ("- a\n- b", "holds no mapping. Begin it with 'clouds:'"),
        ("clouds: 3", "field 'clouds': is no mapping of clouds by name"),
        ("clouds: {a: 3}", "cloud 'a': is no mapping of settings"),
        ("clouds: {a: {x: 1}}", "cloud 'a', field 'driver': is required. Add driver: KIND"),
        ("clouds: {a/b: {driver: mock}}", "'a/b' cannot be the name of a cloud"),
        ("clouds: {'': {driver: mock}}", "'' cannot be the name of a cloud"),
        ("cluods: {}", "field 'cluods': there is no such setting. Did you mean 'clouds'?"),
        ("timeout: soon", "field 'timeout': Expected 'float', got 'str'"),
        ("timeout: 0", "field 'timeout': Expected 'float' > 0.0"),
        ("require: most", "'most' is none of: any, all, a number"),
        ("plugins: {denny: [a]}", "field 'plugins.denny': there is no such setting. Did you mean"),
        ("plugins: {deny: a}", "field 'plugins.deny': Expected 'array'"),
        (
            "clouds:\n  a: {driver: mock}\n  b: {driver: mock}\n  a: {driver: mock}",
            "anabranch.yaml: 'a' stands twice, the second time in line 4. Rename or remove one",
        ),
        (
            "clouds: {a: {driver: x, y: [{z: 1, z: 2}]}}",
            "'z' stands twice, the second time in line 1",
        ),
    ],
)
def test_what_is_said_of_a_mistake(write, text: str, said: str):
    write(text)
    with pytest.raises(ConfigurationError) as caught:
        load_configuration()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(here):
    (here / "anabranch.yaml").write_bytes(b"\xff\xfe\x00\x01\x02")
    with pytest.raises(ConfigurationError, match="is no YAML"):
        load_configuration()
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_configuration(here)
    with pytest.raises(ConfigurationError, match="there is no file"):
        load_configuration(here / "nowhere.yaml")


def test_merges_and_aliases_may_say_again_what_they_override(write):
    write("""
        defaults: &d {driver: mock, timeout: 3}
        clouds: {}
    """)
    with pytest.raises(ConfigurationError, match="'defaults'"):
        load_configuration()
    write("""
        clouds:
          a: &a {driver: mock, timeout: 3, auth: &auth {<<: {user: x, domain: d}, user: y}}
          b: {<<: *a, timeout: 5}
          c: {driver: mock, auth: {<<: *auth, user: z}}
          d: *a
    """)
    clouds = load_configuration().clouds
    assert (clouds["a"]["timeout"], clouds["b"]["timeout"]) == (3, 5)
    assert clouds["c"]["auth"] == {"user": "z", "domain": "d"}
    assert clouds["a"]["auth"] == {"user": "y", "domain": "d"}
    assert clouds["d"] == clouds["a"]


# ------------------------------------------------------------------------------------- environment


def test_variables_go_over_the_file(write, monkeypatch):
    write("""
        clouds:
          Lisbon-2:
            driver: mock
            auth: {auth-url: http://old, user: me}
    """)
    for name, value in {
        "ANABRANCH_CLOUDS__LISBON_2__AUTH__AUTH_URL": "http://new",
        "ANABRANCH_CLOUDS__LISBON_2__AUTH__PASSWORD": "0123",
        "ANABRANCH_CLOUDS__LISBON_2__VERIFY": "false",
        "anabranch_clouds__lisbon_2__retries": "3",
        "ANABRANCH_CLOUDS__LISBON_2__REGIONS": '["a", "b"]',
        "ANABRANCH_CLOUDS__LISBON_2__ODD": "[not json",
        "ANABRANCH_CLOUDS__PORTO__DRIVER": "mock",
        "ANABRANCH_TIMEOUT": "7.5",
        "ANABRANCH_REQUIRE": "2",
    }.items():
        monkeypatch.setenv(name, value)
    found = load_configuration()
    assert found.clouds["Lisbon-2"] == {
        "driver": "mock",
        "auth": {"auth-url": "http://new", "user": "me", "password": "0123"},
        "verify": "false",
        "retries": "3",
        "regions": ["a", "b"],
        "odd": "[not json",
    }
    assert found.clouds["porto"] == {"driver": "mock"}
    assert (found.timeout, found.require) == (7.5, "2")


def test_variables_alone_will_do(here, monkeypatch):
    monkeypatch.setenv("ANABRANCH_CLOUDS__LISBON", '{"driver": "mock", "instances": 3}')
    assert load_configuration().clouds == {"lisbon": {"driver": "mock", "instances": 3}}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ANABRANCH_TIMEOUT", "s3cret", "field 'timeout': Expected 'float', got 'str'"),
        ("ANABRANCH_REQUIRE", "most", "none of: any, all, a number"),
        ("ANABRANCH_CLOUDS__LISBON", "s3cret", "ANABRANCH_CLOUDS__LISBON is no mapping"),
        ("ANABRANCH_CLOUDS", "{s3cret", "ANABRANCH_CLOUDS is no JSON object"),
        ("ANABRANCH_PLUGINS", "{s3cret", "ANABRANCH_PLUGINS is no JSON object"),
        ("ANABRANCH_PLUGINS__DENY", "s3cret", "field 'plugins.deny': Expected 'array'"),
    ],
)
def test_what_is_said_of_a_variable(here, monkeypatch, name: str, value: str, said: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_configuration()
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


# ---------------------------------------------------------------------------------------- settings


class Auth(CloudSettings, frozen=True, kw_only=True):
    """Settings with everything in them."""

    class Inner(CloudSettings, frozen=True, kw_only=True):
        driver: str = ""
        token: SecretStr | None = None

    project: str | None = None
    regions: tuple[str, ...] = ()
    password: SecretStr | None = None
    auth: Inner | None = None


def _settings(**entry: Any) -> Auth:
    return to_settings(Auth, {"driver": "x", **entry}, cloud="lisbon")


def test_text_of_the_environment_becomes_what_a_setting_is():
    found = _settings(verify="false", retries="3", timeout="2.5", password="0123", project="null")
    assert (found.verify, found.retries, found.timeout) == (False, 3, 2.5)
    assert (found.password, found.project) == (SecretStr("0123"), "null")
    assert _settings(password=123).password == SecretStr("123")
    assert _settings(auth={"token": "t"}).auth == Auth.Inner(token=SecretStr("t"))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"verfy": True}, "field 'verfy': there is no such setting. Did you mean 'verify'?"),
        ({"xyzzy": 1}, "field 'xyzzy': there is no such setting. Known: auth, cacert, "),
        (
            {"auth": {"tokn": 1}},
            "field 'auth.tokn': there is no such setting. Did you mean 'token'",
        ),
        ({"verify": "maybe"}, "field 'verify': Expected 'bool', got 'str'"),
        ({"retries": 11}, "field 'retries': Expected 'int' <= 10"),
        ({"retries": -1}, "field 'retries': Expected 'int' >= 0"),
        ({"timeout": 0}, "field 'timeout': Expected 'float' > 0.0"),
        ({"regions": "a"}, "field 'regions': Expected 'array', got 'str'"),
        ({"regions": ["a", 1]}, "field 'regions[1]': Expected 'str', got 'int'. Put it in quotes"),
        ({"project": 1}, "field 'project': Expected 'str | null', got 'int'. Put it in quotes"),
        ({"password": ["s3cret"]}, "field 'password': Expected a text"),
        ({"password": True}, "field 'password': Expected a text"),
        ({"auth": "s3cret"}, "field 'auth': Expected 'object | null', got 'str'"),
        ({"driver": None}, "field 'driver': Expected 'str', got 'null'"),
    ],
)
def test_what_is_said_of_a_setting(entry: dict[str, Any], said: str):
    with pytest.raises(ConfigurationError) as caught:
        _settings(**entry)
    assert str(caught.value).startswith("cloud 'lisbon', ")
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_setting_that_is_missing():
    with pytest.raises(ConfigurationError) as caught:
        to_settings(Auth, {}, cloud="a")
    assert str(caught.value) == "cloud 'a', field 'driver': is required. Add it"


def test_a_setting_that_no_setting_can_hold():
    class Wrong(CloudSettings, frozen=True, kw_only=True):
        path: Path

    with pytest.raises(NotImplementedError, match="settings cannot hold a Path"):
        to_settings(Wrong, {"driver": "x", "path": "/"}, cloud="a")


# --------------------------------------------------------------------------------------- selection


def test_select():
    clouds = {n: {"driver": d} for n, d in [("a", "x"), ("b", "y"), ("c", "x")]}
    configuration = Configuration(clouds=clouds, timeout=3)
    assert list(configuration.select(["c", "a"]).clouds) == ["a", "c"]
    assert list(configuration.select(drivers=["x"]).clouds) == ["a", "c"]
    assert list(configuration.select("a", "x").clouds) == ["a"]
    assert configuration.select(["a"]).timeout == 3
    with pytest.raises(ConfigurationError, match=r"there is no cloud 'd'. Known: a, b, c"):
        configuration.select(["e", "d", "a"])
    with pytest.raises(ConfigurationError, match=r"no cloud has the driver 'z'. Known: x, y"):
        configuration.select(drivers=["z"])
    with pytest.raises(ConfigurationError, match=r"there is no cloud 'a'$"):
        Configuration().select(["a"])
