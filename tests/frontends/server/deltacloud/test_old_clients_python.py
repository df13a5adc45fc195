"""The Python client 0.9.1 on the wire, each test named by the behaviour that it stands for.

It was run against this server unchanged, by Python 2.7. It asks for JSON, sends the parameters of a
POST in its query, takes any status of 400 and more for an error, and finds its way by hrefs.
"""

import httpx
import pytest


class PythonClient:
    """What the client does: `connected` makes one, and with it each program begins."""

    def __init__(self, http: httpx.AsyncClient, password: str) -> None:
        self.http, self.auth = http, ("mockuser", password)

    async def send(self, method: str, url: str, **parameters: object) -> httpx.Response:
        return await self.http.request(
            method, url, params=parameters or None, auth=self.auth, headers={"accept": JSON}
        )

    async def json(self, method: str, url: str, **parameters: object):
        reply = await self.send(method, url, **parameters)
        reply.raise_for_status()
        if not reply.text:
            return None
        assert reply.headers["content-type"] == JSON
        return reply.json()

    async def act(self, instance, action: str):
        """Follow the link of an action: what comes back is the instance itself, not wrapped."""
        (link,) = (link for link in instance["actions"] if link["rel"] == action)
        return await self.json(link["method"], link["href"])

    async def refreshed(self, instance):
        return (await self.json("get", instance["href"]))["instance"]


JSON = "application/json"


async def connected(http: httpx.AsyncClient, password: str = "mockpassword"):
    """Connect: the client asks for the entry point, and keeps where the collections are."""
    client = PythonClient(http, password)
    links = (await client.json("get", "http://broker.test/api"))["api"]["links"]
    return client, {link["rel"]: link["href"] for link in links}


async def test_it_connects_before_it_asks_whether_the_credentials_are_valid(pass_through):
    for password, status in [("mockpassword", 200), ("wrong", 401)]:
        client, _ = await connected(pass_through, password)
        reply = await client.send("get", "http://broker.test/api", force_auth=1)
        assert reply.status_code == status


@pytest.mark.parametrize(
    ("collection", "read"),
    [
        ("realms", {"id", "name", "state"}),
        ("hardware_profiles", {"id", "name"}),
        ("images", {"id", "name", "state", "owner", "architecture", "description"}),
        ("keys", {"id", "fingerprint", "pem_rsa_key"}),
        (
            "instances",
            {"id", "name", "state", "owner_id", "public_addresses", "private_addresses", "actions"},
        ),
    ],
)
async def test_members_have_the_keys_that_it_reads(pass_through, collection, read):
    client, entry = await connected(pass_through)

    members = (await client.json("get", entry[collection]))[collection]

    assert members
    assert all(one.keys() >= read for one in members)


async def test_an_instance_is_found_below_its_collection(pass_through):
    client, entry = await connected(pass_through)

    one = await client.json("get", f"{entry['instances']}/inst1")

    assert one["instance"]["id"] == "inst1"


async def test_an_instance_is_made_by_the_query_of_a_post_and_driven_by_its_actions(pass_through):
    client, entry = await connected(pass_through)

    made = await client.json("post", entry["instances"], name="py", image_id="img1")
    instance = made["instance"]
    assert (instance["name"], instance["state"]) == ("py", "RUNNING")
    for action, state in [
        ("stop", "STOPPED"),
        ("start", "RUNNING"),
        ("reboot", "RUNNING"),
        ("stop", "STOPPED"),
    ]:
        told = await client.act(instance, action)
        assert (told["id"], told["state"]) == (instance["id"], state)
        instance = await client.refreshed(told)
    assert await client.act(instance, "destroy") is None
    with pytest.raises(httpx.HTTPStatusError):
        await client.refreshed(instance)
