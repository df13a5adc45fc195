"""Who is let in: the signature to the letter, its time, and what is refused before any command."""

from __future__ import annotations

import base64
import hmac

import pytest

from anabranch.testing.simulation import serve
from anabranch_cloudstack.simulator import simulator

VALUES = [
    "plain",
    "a~b",
    "a*b",
    "a b+c",
    "é中🚀",
    "/:,()[]'\"",
    "UPPER lower",
    "-._",
    "%7E",
    "a&b=c",
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_values_are_escaped_as_java_does(api, method, value):
    assert getattr(api, method)(api.signed("listZones", keyword=value)).status_code == 200


def test_what_only_python_would_write_is_refused(api):
    """`cs` leaves `~` as it is, and escapes no `*`; the guide sorts without regard to case."""
    sent = api.parameters("listZones", keyword="a~b")
    text = f"apikey={api.key.lower()}&command=listzones&keyword=a~b&response=json"
    wrong = sent | {"signature": mac(text, api.secret)}
    assert api.post(wrong).status_code == 401
    sent = api.parameters("listZones", keyword="a*b")
    text = f"apikey={api.key.lower()}&command=listzones&keyword=a%2ab&response=json"
    assert api.post(sent | {"signature": mac(text, api.secret)}).status_code == 401


def test_names_are_sorted_as_sent(api):
    sent = api.parameters("listZones", aB="1", aa="2")
    assert api.post(sent | {"signature": api.sign(sent)}).status_code == 200
    head = f"aa=2&ab=1&apikey={api.key.lower()}&command=listzones&response=json"
    assert api.post(sent | {"signature": mac(head, api.secret)}).status_code == 401


def test_map_keys_are_not_escaped(api):
    parameters = {"tags[0].key": "role", "tags[0].value": "web"}
    assert api.call("listVirtualMachines", **parameters)["count"] == 5


def test_of_a_name_that_comes_twice_the_first_value_counts(api):
    signed = api.signed("listZones", name="adv-1")
    query = "&".join(f"{k}={v}" for k, v in signed.items() if k != "signature")
    reply = api.http.get(f"{api.endpoint}?{query}&name=basic-1", params=None)
    assert reply.status_code == 401
    url = f"{api.endpoint}?{query}&name=basic-1&signature={signed['signature'].replace('+', '%2B')}"
    reply = api.http.get(url.replace("=adv-1&", "=adv-1&"))
    assert [zone["name"] for zone in reply.json()["listzonesresponse"]["zone"]] == ["adv-1"]


def test_the_names_of_key_and_signature_may_have_any_case(api):
    sent = api.parameters("listZones")
    sent["APIKEY"] = sent.pop("apiKey")
    assert api.post(sent | {"SIGNATURE": api.sign(sent)}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"signature": ""},
        {"apiKey": "nobody"},
        {"command": "listzones"},
        {"command": "fooBar"},
        {"response": "xml"},
    ],
)
def test_a_wrong_signature_key_or_command_is_401(api, change):
    reply = api.post(api.signed("listZones") | change)
    assert reply.status_code == 401
    if change.get("response") != "xml":
        key = "listzonesresponse" if "command" not in change else "errorresponse"
        assert reply.json() == {
            key: {
                "uuidList": [],
                "errorcode": 401,
                "errortext": "unable to verify user credentials and/or request signature",
            }
        }


@pytest.mark.parametrize("command", ["listzones", "fooBar", "quotaSummary"])
def test_an_unknown_command_rightly_signed_is_401_too(api, command):
    reply = api.reply(command)
    assert (reply.status_code, list(reply.json())) == (401, ["errorresponse"])


def test_without_a_command_the_key_is_null(api):
    sent = {"response": "json", "apiKey": api.key}
    reply = api.post(sent | {"signature": api.sign(sent)})
    assert (reply.status_code, list(reply.json())) == (401, ["null"])
    assert api.http.get(api.endpoint).status_code == 401


@pytest.mark.parametrize(
    ("ahead", "form", "status"),
    [
        (600, "%Y-%m-%dT%H:%M:%S+0000", 200),
        (7200, "%Y-%m-%dT%H:%M:%S+0000", 200),
        (600, "%Y-%m-%dT%H:%M:%SZ", 200),
        (-1, "%Y-%m-%dT%H:%M:%S+0000", 401),
        (600, "%Y-%m-%dT%H:%M:%S.000+0000", 401),
        (600, "%Y-%m-%dT%H:%M:%S", 401),
        (600, "", 401),
    ],
)
def test_the_time_of_signature_version_3(api, ahead, form, status):
    assert api.get(api.timed("listZones", ahead=ahead, form=form)).status_code == status


def test_a_time_counts_only_with_version_3(api):
    assert api.reply("listZones", expires="2001-01-01T00:00:00+0000").status_code == 200
    assert api.reply("listZones", signatureVersion="3").status_code == 401


def test_before_4_22_a_time_may_not_end_in_z(clock, make_api):
    cloud = simulator.cloud("porto", instances=0, version="4.20.1.0", clock=clock)
    with serve([cloud]) as urls:
        api = make_api(cloud.settings(urls["porto"]), clock)
        assert api.post(api.timed("listZones", form="%Y-%m-%dT%H:%M:%SZ")).status_code == 401
        assert api.post(api.timed("listZones")).status_code == 200


def test_enforcement_wants_post_for_changes_and_a_near_time_for_all(clock, make_api):
    cloud = simulator.cloud("strict", instances=1, enforce_post=True, clock=clock)
    with serve([cloud]) as urls:
        api = make_api(cloud.settings(urls["strict"]), clock)
        assert api.get(api.timed("listZones")).status_code == 200
        assert api.get(api.signed("listZones")).status_code == 401
        assert api.get(api.timed("listZones", ahead=1000)).status_code == 401
        change = api.timed("createSSHKeyPair", name="k")
        refused = api.get(change)
        assert refused.status_code == 400
        assert refused.json()["createsshkeypairresponse"]["errorcode"] == 400
        assert api.post(change).status_code == 200
        assert api.post(api.signed("createSSHKeyPair", name="l")).status_code == 401


def mac(text, secret):
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), "sha1").digest()).decode()
