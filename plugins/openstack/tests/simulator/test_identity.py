from __future__ import annotations

import pytest

TOKENS = "/identity/v3/auth/tokens"


def test_versions_need_no_token(anonymous):
    root = anonymous.call("GET", "/identity/")
    assert root.status_code == 300
    assert root.headers["location"] == f"{anonymous.url}/identity/v3/"
    assert root.json()["versions"]["values"][0]["id"] == "v3.14"
    assert anonymous.get("/identity/v3")["version"]["links"][0]["href"].startswith(anonymous.url)


def test_a_login_buys_a_token_and_the_catalog(api, cloud):
    assert len(api.token) == 183
    assert api.body["project"]["name"] == "demo"
    assert [role["name"] for role in api.body["roles"]] == [
        "member",
        "load-balancer_member",
        "reader",
    ]
    found = {
        (service["type"], endpoint["region_id"], endpoint["interface"]): endpoint["url"]
        for service in api.body["catalog"]
        for endpoint in service["endpoints"]
    }
    assert found["compute", "RegionOne", "public"] == f"{api.url}/compute/v2.1"
    assert found["compute", "RegionTwo", "internal"] == f"{api.url}/RegionTwo/compute/v2.1"
    assert found["identity", "RegionTwo", "public"] == f"{api.url}/identity/v3"
    assert ("compute", "RegionTwo", "admin") not in found
    assert cloud.logins == 1


def test_the_second_region_is_another_place(api):
    assert len(api.get("/compute/v2.1/servers")["servers"]) == 10
    assert api.get("/RegionTwo/compute/v2.1/servers")["servers"] == []
    flavor = api.get("/RegionTwo/compute/v2.1/flavors")["flavors"][0]
    assert flavor["links"][0]["href"].startswith(f"{api.url}/RegionTwo/compute/v2.1/flavors/")


def test_nocatalog_unscoped_and_domain_scopes(api, cloud, url):
    body = api.call("POST", TOKENS + "?nocatalog", api.password(scope=api.project())).json()
    assert "catalog" not in body["token"]
    reply = api.call("POST", TOKENS, api.password(scope="unscoped"))
    token = reply.json()["token"]
    assert set(token) == {"methods", "user", "audit_ids", "expires_at", "issued_at"}
    unscoped = reply.headers["x-subject-token"]
    projects = api.call("GET", "/identity/v3/auth/projects", token=unscoped).json()["projects"]
    assert [project["name"] for project in projects] == ["demo", "tiny"]
    assert api.call("GET", "/compute/v2.1/servers", token=unscoped).status_code == 403
    assert api.call("POST", TOKENS, api.password()).json()["token"]["project"]["name"] == "demo"
    refused = api.call("POST", TOKENS, api.password(scope={"domain": {"id": "default"}}))
    assert refused.status_code == 401
    api.auth = cloud.settings(url, user="admin")["auth"]
    scoped = api.call("POST", TOKENS, api.password(scope={"domain": {"id": "default"}}))
    assert scoped.json()["token"]["domain"] == {"id": "default", "name": "Default"}


def test_a_new_scope_is_no_new_life(api, clock, cloud):
    old = api.body
    clock.now += 100
    scope = {"project": {"name": "tiny", "domain": {"id": "default"}}}
    auth = {"identity": {"methods": ["token"], "token": {"id": api.token}}, "scope": scope}
    new = api.call("POST", TOKENS, {"auth": auth}).json()["token"]
    assert new["expires_at"] == old["expires_at"]
    assert new["audit_ids"][1:] == old["audit_ids"]
    assert new["methods"] == ["password", "token"]
    assert new["project"]["name"] == "tiny"
    assert cloud.logins == 1


def test_tokens_expire_and_can_be_revoked(api, clock, cloud):
    headers = {"x-subject-token": api.token}
    assert api.call("HEAD", TOKENS, headers=headers).status_code == 200
    clock.now += 3600
    assert api.call("GET", "/compute/v2.1/servers").status_code == 401
    api.log_in()
    assert api.call("GET", "/compute/v2.1/servers").status_code == 200
    headers = {"x-subject-token": api.token}
    assert api.call("DELETE", TOKENS, headers=headers).status_code == 204
    assert api.call("GET", "/compute/v2.1/servers").status_code == 401
    assert cloud.logins == 2


@pytest.mark.parametrize(
    ("path", "html"),
    [
        ("/compute/v2.1/servers", False),
        ("/network/v2.0/networks", False),
        ("/volume/v3/volumes", False),
        ("/image/v2/images", True),
        ("/identity/v3/auth/projects", False),
    ],
)
def test_every_service_refuses_a_bad_token_in_its_own_way(anonymous, path, html):
    reply = anonymous.call("GET", path, token="gAAAAABnope")
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == f'Keystone uri="{anonymous.url}/identity/v3"'
    if html:
        assert "<h1>401 Unauthorized</h1>" in reply.text
    else:
        assert reply.json()["error"]["code"] == 401
    assert reply.headers["x-openstack-request-id"].startswith("req-")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"password": "wrong"}, 401),
        ({"username": "nobody"}, 401),
        ({"user_domain_name": "Elsewhere"}, 401),
        ({"project_name": "admin"}, 401),
        ({"project_name": "none"}, 401),
    ],
)
def test_all_wrong_logins_look_the_same(anonymous, cloud, change, status):
    anonymous.auth = {**anonymous.auth, **change}
    body = anonymous.password(scope=anonymous.project())
    reply = anonymous.call("POST", TOKENS, body)
    assert reply.status_code == status
    message = "The request you have made requires authentication."
    assert reply.json()["error"]["message"] == message
    assert (cloud.logins, cloud.state.identity.refused) == (0, 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"auth": {}},
        {"auth": {"identity": {}}},
        {"auth": {"identity": {"methods": ["password"]}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {}}}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "demo"}}}}},
        ["auth"],
    ],
)
def test_malformed_logins(anonymous, body):
    reply = anonymous.call("POST", TOKENS, body)
    assert reply.status_code == 400
    assert reply.json()["error"]["title"] == "Bad Request"


def test_application_credentials(anonymous, api, cloud):
    user = f"/identity/v3/users/{api.body['user']['id']}/application_credentials"
    wanted = {"name": "mine", "roles": [{"name": "reader"}]}
    made = api.call("POST", user, {"application_credential": wanted}).json()
    made = made["application_credential"]
    login = {"id": made["id"], "secret": made["secret"]}
    identity = {"methods": ["application_credential"], "application_credential": login}
    reply = anonymous.call("POST", TOKENS, {"auth": {"identity": identity}}, token="")
    token = reply.json()["token"]
    assert token["application_credential"]["restricted"] is True
    assert [role["name"] for role in token["roles"]] == ["reader"]
    scoped = {"identity": identity, "scope": anonymous.project()}
    refused = anonymous.call("POST", TOKENS, {"auth": scoped}, token="")
    assert refused.status_code == 401
    assert "cannot request a scope" in refused.json()["error"]["message"]
    listed = api.get(user)["application_credentials"]
    assert [c["name"] for c in listed] == ["anabranch", "mine"]
    assert all("secret" not in c for c in listed)
    assert api.call("DELETE", f"{user}/{made['id']}").status_code == 204
    assert anonymous.call("POST", TOKENS, {"auth": {"identity": identity}}).status_code == 404


def test_a_reader_may_look_but_not_touch(auditor):
    server = auditor.get("/compute/v2.1/servers")["servers"][0]
    refused = auditor.call("DELETE", f"/compute/v2.1/servers/{server['id']}")
    assert refused.json()["forbidden"]["message"] == (
        "Policy doesn't allow os_compute_api:servers:delete to be performed."
    )
    refused = auditor.call("POST", "/network/v2.0/networks", {"network": {}})
    assert refused.json()["NeutronError"]["type"] == "PolicyNotAuthorized"
