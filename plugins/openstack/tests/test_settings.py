import anyio.to_thread
import msgspec
import pytest

from anabranch.errors import ConfigurationError
from anabranch_openstack import driver
from anabranch_openstack.identity import login_body
from anabranch_openstack.settings import AuthSettings, OpenStackSettings

PASSWORD = {
    "auth_url": "https://cloud.example:5000/v3",
    "username": "demo",
    "password": "hush",
    "project_name": "demo",
}
CREDENTIAL = {
    "auth_url": "https://cloud.example:5000",
    "application_credential_id": "ac",
    "application_credential_secret": "hush",
}


def configure(auth=None, environment=None, **entry):
    if auth is not None:
        entry["auth"] = auth
    return driver.configure("lisbon", {"driver": "openstack", **entry}, environment or {})


def identity(settings):
    return login_body(settings)["auth"]["identity"]


def scope(settings):
    return login_body(settings)["auth"].get("scope")


@pytest.mark.parametrize("kind", [AuthSettings, OpenStackSettings])
def test_every_setting_is_described(kind):
    schema = msgspec.json.schema(kind, schema_hook=lambda _: {"type": "string"})
    for name, field in schema["$defs"][kind.__name__]["properties"].items():
        text = field.get("description") or field.get("anyOf", [{}])[0].get("description")
        assert text, name


def test_a_password_with_names():
    body = login_body(configure({**PASSWORD, "user_domain_name": "D", "project_domain_id": "d"}))
    assert body == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "demo", "domain": {"name": "D"}, "password": "hush"}},
            },
            "scope": {"project": {"name": "demo", "domain": {"id": "d"}}},
        }
    }


def test_a_name_without_domain_is_of_the_default_domain():
    settings = configure(PASSWORD)
    assert identity(settings)["password"]["user"]["domain"] == {"id": "default"}
    assert scope(settings)["project"]["domain"] == {"id": "default"}


def test_the_default_domain_can_be_another():
    settings = configure({**PASSWORD, "default_domain_name": "Heat"})
    assert scope(settings)["project"]["domain"] == {"name": "Heat"}


def test_ids_need_no_domain():
    settings = configure(
        {"auth_url": "http://h", "user_id": "u", "password": "p", "project_id": "13"}
    )
    assert identity(settings)["password"]["user"] == {"id": "u", "password": "p"}
    assert scope(settings) == {"project": {"id": "13"}}


def test_other_scopes():
    user = {"auth_url": "http://h", "username": "u", "password": "p"}
    assert scope(configure(user)) is None
    assert scope(configure({**user, "domain_name": "D"})) == {"domain": {"name": "D"}}
    assert scope(configure({**user, "domain_id": "d"})) == {"domain": {"id": "d"}}
    assert scope(configure({**user, "system_scope": "all"})) == {"system": {"all": True}}


@pytest.mark.parametrize("auth_type", [None, "v3applicationcredential", "application_credential"])
def test_an_application_credential_sends_no_scope(auth_type):
    settings = configure(CREDENTIAL, auth_type=auth_type)
    assert login_body(settings) == {
        "auth": {
            "identity": {
                "methods": ["application_credential"],
                "application_credential": {"id": "ac", "secret": "hush"},
            }
        }
    }


def test_an_application_credential_by_name():
    auth = {**CREDENTIAL, "application_credential_name": "n", "username": "demo"}
    del auth["application_credential_id"]
    assert identity(configure(auth))["application_credential"] == {
        "name": "n",
        "secret": "hush",
        "user": {"name": "demo", "domain": {"id": "default"}},
    }


def test_a_token():
    settings = configure({"auth_url": "http://h", "token": "gAAA", "project_id": "1"})
    assert identity(settings) == {"methods": ["token"], "token": {"id": "gAAA"}}


def test_spellings_of_openstacks_tools():
    auth = {"auth_url": "http://h", "username": 7, "password": 1234, "tenant_name": 99}
    settings = configure(
        auth,
        endpoint_type="internalURL",
        identity_api_version=3,
        insecure=True,
        volumev3_endpoint_override="http://v",
        region_name=None,
    )
    assert settings.interface == "internal"
    assert settings.verify is False
    assert settings.block_storage_endpoint_override == "http://v"
    assert scope(settings)["project"]["name"] == "99"
    assert identity(settings)["password"]["user"]["password"] == "1234"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({}, "field 'auth': is required. Add it, or name a cloud of your clouds.yaml"),
        ({"auth": "me"}, "field 'auth': Expected 'object', got 'str'"),
        ({"auth": {}}, "field 'auth.auth_url': is required"),
        ({"auth": {"auth_url": "http://h"}}, "field 'auth.username': is required to log in by"),
        ({"auth": {"auth_url": "http://h", "username": "u"}}, "field 'auth.password': is required"),
        ({"auth": {**PASSWORD, "auth_url": "cloud:5000"}}, "'auth.auth_url': 'cloud:5000' is no"),
        ({"auth": {**PASSWORD, "auth_url": "ftp://h"}}, "field 'auth.auth_url'"),
        ({"auth": {**PASSWORD, "auth_url": "http://[h"}}, "field 'auth.auth_url'"),
        ({"auth": {**PASSWORD, "usernam": "x"}}, "no such setting. Did you mean 'username'?"),
        ({"auth": PASSWORD, "regoin_name": "x"}, "no such setting. Did you mean 'region_name'?"),
        ({"auth": PASSWORD, "interface": "pubic"}, "field 'interface': Invalid enum value"),
        ({"auth": PASSWORD, "identity_api_version": "2.0"}, "field 'identity_api_version'"),
        ({"auth": PASSWORD, "page_size": 0}, "field 'page_size'"),
        (
            {"auth": PASSWORD, "auth_type": "v3kerberos"},
            "field 'auth_type': 'v3kerberos' is no way",
        ),
        ({"auth": PASSWORD, "compute_endpoint_override": "h"}, "field 'compute_endpoint_override'"),
        ({"auth": {**PASSWORD, **CREDENTIAL}}, "holds password and an application credential"),
        ({"auth": {**PASSWORD, "token": "t"}}, "holds password and token. Keep the one"),
        ({"auth": PASSWORD, "auth_type": "token"}, "field 'auth.token': is required to log in by"),
        ({"auth": {**CREDENTIAL, "project_id": "1"}}, "field 'auth.project_id': cannot be chosen"),
        (
            {"auth": {"auth_url": "http://h", "application_credential_id": "x"}},
            "field 'auth.application_credential_secret': is required",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(entry, text):
    with pytest.raises(ConfigurationError) as caught:
        configure(**entry)
    message = str(caught.value)
    assert text in message
    assert message.startswith("cloud 'lisbon'")
    assert "\n" not in message
    assert "hush" not in message


def test_secrets_are_in_no_repr():
    shown = repr(configure(PASSWORD)) + repr(configure(CREDENTIAL))
    assert "hush" not in shown


# ------------------------------------------------------------------------------------ clouds.yaml

CLOUDS = """
clouds:
  lab:
    auth:
      auth_url: http://lab:5000/v3
      username: demo
      project_name: demo
      passcode: '123456'
    regions: [{name: R1}]
    compute_api_version: 2
    compute_default_microversion: '2.60'
    networks: [{name: x}]
    verify: false
  ovh: {profile: ovh, auth: {username: u, password: p, project_id: 17}, region_name: GRA}
  credential:
    auth_type: v3applicationcredential
    auth:
      auth_url: http://lab
      application_credential_id: a
      application_credential_secret: hush
      project_name: told all the same
"""
SECURE = "clouds: {lab: {auth: {password: hush}}}"
PUBLIC = "public-clouds: {ovh: {auth: {auth_url: 'https://auth.ovh/'}, interface: internal}}"


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / ".config" / "openstack"
    folder.mkdir(parents=True)
    (folder / "clouds.yaml").write_text(CLOUDS)
    (folder / "secure.yaml").write_text(SECURE)
    (folder / "clouds-public.yaml").write_text(PUBLIC)
    return tmp_path


def test_a_reference_to_clouds_yaml(home):
    settings = configure(cloud="lab", environment={"HOME": str(home)}, timeout=3)
    assert settings.auth.auth_url == "http://lab:5000/v3"
    assert settings.auth.password.get_secret_value() == "hush"
    assert (settings.region_name, settings.verify, settings.timeout) == ("R1", False, 3)


def test_the_entry_wins_over_clouds_yaml(home):
    settings = configure(
        {"project_name": "tiny"}, cloud="lab", region_name="R2", environment={"HOME": str(home)}
    )
    assert (settings.auth.project_name, settings.region_name) == ("tiny", "R2")
    assert settings.auth.username == "demo"


def test_profiles_of_vendors(home):
    settings = configure(cloud="ovh", environment={"HOME": str(home)})
    assert settings.auth.auth_url == "https://auth.ovh/"
    assert (settings.auth.project_id, settings.interface) == ("17", "internal")


def test_the_project_beside_an_application_credential_is_overlooked_in_clouds_yaml(home):
    settings = configure(cloud="credential", environment={"HOME": str(home)})
    assert scope(settings) is None


def test_a_misspelt_key_is_an_error_in_the_entry_itself(home):
    with pytest.raises(ConfigurationError, match="'regoin_name'"):
        configure(cloud="lab", regoin_name="x", environment={"HOME": str(home)})


def test_clouds_file(home):
    file = home / ".config" / "openstack" / "clouds.yaml"
    assert configure(cloud="lab", clouds_file=str(file)).region_name == "R1"
    tilde = configure(
        cloud="lab",
        clouds_file="~/.config/openstack/clouds.yaml",
        environment={"HOME": str(home)},
    )
    assert tilde.region_name == "R1"


def test_os_client_config_file(tmp_path, home):
    other = tmp_path / "other.yaml"
    other.write_text(CLOUDS.replace("http://lab", "http://other"))
    settings = configure(
        cloud="lab", environment={"HOME": str(home), "OS_CLIENT_CONFIG_FILE": str(other)}
    )
    assert settings.auth.auth_url == "http://other:5000/v3"


@pytest.mark.parametrize(
    ("text", "entry", "wanted"),
    [
        (CLOUDS, {"cloud": "lob"}, "has no cloud 'lob'. Did you mean 'lab'?"),
        ("clouds: [", {"cloud": "lab"}, "is no YAML (line 1)"),
        ("- 1", {"cloud": "lab"}, "holds no mapping"),
        ("clouds: 3", {"cloud": "lab"}, "'clouds' in"),
        ("", {"cloud": "lab"}, "has no cloud 'lab'"),
        (CLOUDS, {"cloud": "lab", "clouds_file": "/nowhere/x"}, "there is no file '/nowhere/x'"),
    ],
)
def test_what_is_wrong_with_clouds_yaml(tmp_path, text, entry, wanted):
    file = tmp_path / "clouds.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        configure(**{"clouds_file": str(file), **entry})
    assert wanted in str(caught.value)
    assert str(caught.value).startswith("cloud 'lisbon'")


def test_no_clouds_yaml_at_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"there is no clouds.yaml\. It is looked for"):
        configure(cloud="lab", environment={"HOME": str(tmp_path)})


def test_a_broken_clouds_yaml_shows_no_secret(tmp_path):
    file = tmp_path / "clouds.yaml"
    file.write_text("clouds:\n  lab:\n    auth: {password: hush\n  x: }")
    with pytest.raises(ConfigurationError) as caught:
        configure(cloud="lab", clouds_file=str(file))
    assert "hush" not in str(caught.value)


ENVIRONMENT = {
    "OS_AUTH_URL": "http://env:5000",
    "OS_USERNAME": "demo",
    "OS_PASSWORD": "hush",
    "OS_TENANT_NAME": "old",
    "OS_PROJECT_NAME": "demo",
    "OS_USER_DOMAIN_NAME": "Default",
    "OS_PROJECT_DOMAIN_ID": "default",
    "OS_REGION_NAME": "R1",
    "OS_INTERFACE": "internal",
    "OS_IDENTITY_API_VERSION": "3",
    "OS_CACERT": "/ca.pem",
    "OS_INSECURE": "true",
    "OS_COMPUTE_API_VERSION": "2.60",
}


def test_a_reference_to_the_environment():
    settings = configure(cloud="envvars", environment=ENVIRONMENT)
    assert settings.auth.project_name == "demo"
    assert (settings.region_name, settings.interface) == ("R1", "internal")
    assert (settings.cacert, settings.verify) == ("/ca.pem", False)


def test_a_reference_to_an_empty_environment():
    with pytest.raises(ConfigurationError, match=r"no variable OS_\* is set"):
        configure(cloud="envvars", environment={"OS_USERNAME": " "})


# --------------------------------------------------------------------------------------- discover


async def test_discovery_repeats_no_secret(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = await driver.discover({**ENVIRONMENT, "HOME": str(home)})
    assert [c.name for c in found] == ["lab", "ovh", "credential", "envvars"]
    assert found[0].entry == {"driver": "openstack", "cloud": "lab"}
    assert found[0].source.endswith("clouds.yaml")
    assert "hush" not in repr(found)

    def configured():
        environment = {**ENVIRONMENT, "HOME": str(home)}
        return [driver.configure(c.name, c.entry, environment) for c in found]

    assert all(s.auth.auth_url for s in await anyio.to_thread.run_sync(configured))


async def test_discovery_names_a_file_that_is_not_where_it_always_is(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("clouds: {'my cloud/1': {auth: {}}}")
    (found,) = await driver.discover({"OS_CLIENT_CONFIG_FILE": str(file), "HOME": str(tmp_path)})
    assert found.name == "my-cloud-1"
    assert found.entry == {
        "driver": "openstack",
        "cloud": "my cloud/1",
        "clouds_file": str(file),
    }


async def test_discovery_finds_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert await driver.discover({"HOME": str(tmp_path)}) == []
