"""Settings, the file with the login, and discovery."""

import anyio.to_thread
import pytest

from anabranch.errors import ConfigurationError
from anabranch_opennebula import driver

ENTRY = {
    "driver": "opennebula",
    "endpoint": "http://one.invalid:2633/RPC2",
    "username": "tenant",
    "password": "hunter2",
}


def configure(environment=None, **changes):
    entry = {k: v for k, v in {**ENTRY, **changes}.items() if v is not None}
    return driver.configure("lisbon", entry, environment or {})


def test_defaults():
    found = configure()
    assert (found.max_connections, found.request_timeout, found.page_size) == (8, 30.0, 200)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"endpoint": "one.invalid"}, "endpoint"),
        ({"endpoint": "http://tenant:hunter2@one.invalid/RPC2"}, "endpoint"),
        ({"endpoint": None}, "endpoint"),
        ({"max_connections": 9}, "max_connections"),
        ({"page_size": 0}, "page_size"),
        ({"username": None}, "username"),
        ({"password": None}, "password"),
        ({"username": "a:b"}, "username"),
        ({"scope": "everybody"}, "scope"),
        ({"datastore_id": "one"}, "datastore_id"),
        ({"hardware_profiles": [{"name": "7", "memory_mib": 1}]}, "hardware_profiles"),
        ({"hardware_profiles": [{"name": "s", "memory_mib": 1}] * 2}, "hardware_profiles"),
        ({"hardware_profiles": [{"name": "s", "memory_mib": 1, "disk": 1}]}, "hardware_profiles"),
        ({"pagesize": 3}, "pagesize"),
    ],
)
def test_what_is_wrong_is_told(changes, field):
    with pytest.raises(ConfigurationError) as caught:
        configure(**changes)
    assert caught.value.cloud == "lisbon"
    assert (caught.value.field or "").startswith(field)
    assert "hunter2" not in str(caught.value)


def test_all_settings_are_described():
    for kind in (driver.settings_type, type(profiles()[0])):
        for name, hint in kind.__annotations__.items():
            assert "description=" in str(hint), name


def profiles():
    return configure(hardware_profiles=[{"name": "s", "memory_mib": 512}]).hardware_profiles


def test_a_login_file(tmp_path):
    path = tmp_path / "one_auth"
    path.write_text("tenant:hunter2:with:colons\n\n")
    found = configure(username=None, password=None, auth_file=str(path))
    assert found.username == "tenant"
    assert found.password.get_secret_value() == "hunter2:with:colons"
    home = {"HOME": str(tmp_path)}
    at_home = configure(home, username=None, password=None, auth_file="~/one_auth")
    assert at_home.password == found.password
    assert configure(password="other", auth_file=str(path)).password.get_secret_value() == "other"
    with pytest.raises(ConfigurationError, match="another user"):
        configure(username="somebody", password=None, auth_file=str(path))


@pytest.mark.parametrize("content", ["", "tenant", "tenant:", ":hunter2", "\n", b"\xff\xfe"])
def test_a_login_file_that_is_none(tmp_path, content):
    path = tmp_path / "one_auth"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError, match="one_auth") as caught:
        configure(username=None, password=None, auth_file=str(path))
    assert "hunter2" not in str(caught.value)


def test_no_login_file(tmp_path):
    with pytest.raises(ConfigurationError, match="No such file"):
        configure(username=None, password=None, auth_file=str(tmp_path / "none"))


async def test_nothing_is_found_where_nothing_is(tmp_path):
    assert await driver.discover({"HOME": str(tmp_path)}) == []
    assert await driver.discover({"HOME": str(tmp_path), "ONE_XMLRPC": "http://a.invalid"}) == []


async def test_what_the_tools_use_is_found(tmp_path):
    (tmp_path / ".one").mkdir()
    auth = tmp_path / ".one" / "one_auth"
    auth.write_text("tenant:hunter2\n")
    (found,) = await driver.discover({"HOME": str(tmp_path)})
    assert found.name == "opennebula"
    assert found.entry == {
        "driver": "opennebula",
        "endpoint": "http://localhost:2633/RPC2",
        "auth_file": str(auth),
    }
    assert "hunter2" not in repr(found)
    made = await anyio.to_thread.run_sync(driver.configure, "here", found.entry, {})
    assert made.username == "tenant"
    (tmp_path / ".one" / "one_endpoint").write_text("https://one.example/RPC2\n")
    (found,) = await driver.discover({"HOME": str(tmp_path)})
    assert (found.name, found.entry["endpoint"]) == ("one.example", "https://one.example/RPC2")


async def test_the_variables_go_first(tmp_path):
    auth = tmp_path / "secret file"
    auth.write_text("tenant:hunter2")
    environment = {
        "HOME": str(tmp_path),
        "ONE_AUTH": str(auth),
        "ONE_XMLRPC": "http://127.0.0.1:2633/RPC2",
    }
    (found,) = await driver.discover(environment)
    assert found.source == str(auth)
    assert found.entry["endpoint"] == "http://127.0.0.1:2633/RPC2"
    environment["ONE_XMLRPC"] = "http://tenant:hunter2@one.invalid/RPC2"
    with pytest.raises(ConfigurationError) as caught:
        await driver.discover(environment)
    assert "hunter2" not in str(caught.value)


async def test_a_variable_that_leads_nowhere(tmp_path):
    with pytest.raises(ConfigurationError, match="No such file"):
        await driver.discover({"HOME": str(tmp_path), "ONE_AUTH": str(tmp_path / "none")})
