"""Documents to models."""

from datetime import UTC, datetime

import pytest

from anabranch.models import Hardware, NetworkAddress, to_builtins
from anabranch_paci import convert, driver
from anabranch_paci.markup import parse
from anabranch_paci.settings import DEFAULT_PROFILES
from anabranch_paci.states import INSTANCE_STATES, view


@pytest.fixture
def settings():
    entry = {"driver": "paci", "endpoint": "http://h:1", "username": "u", "password": "p"}
    return driver.configure("lisbon", entry, {})


@pytest.fixture
def converted(settings):
    return lambda content: convert.instance(settings, "lisbon", "web1", parse(content), content)


def test_a_server(converted, ve_document):
    found = converted(ve_document)
    assert (found.id, found.name, str(found.qualified_id)) == ("web1", "web1", "lisbon/web1")
    assert (found.state, found.platform_state, found.busy) == ("RUNNING", "STARTED", False)
    assert found.owner_id == "1000045"
    assert found.realm_id == "1000077"
    assert found.image_id == "template:centos-6-x86_64"
    assert found.hardware == Hardware(cpu=1, memory_mib=512, storage_gb=10)
    assert found.hardware_profile_id == DEFAULT_PROFILES[0].name
    assert [a.address for a in found.public_addresses] == ["198.51.100.10", "2001:db8::7"]
    assert [a.kind for a in found.public_addresses] == ["ipv4", "ipv6"]
    assert found.private_addresses == (NetworkAddress("10.1.2.3"),)
    assert (found.tags, found.client_token) == ({"team": "a"}, "abc123")
    assert found.firewall_ids == ("web1",)
    assert found.extra["hnId"] == "12"
    assert found.extra["cpu"] == {"number": "1", "power": "1600"}
    assert "state" not in found.extra


def test_secrets_of_a_document_are_not_shown(converted, ve_document):
    found = converted(ve_document)
    assert found.extra["admin"]["password"] == "adm1n-s3cret"
    assert "s3cret" not in repr(found)
    assert "s3cret" not in str(to_builtins(found, extra=True))


@pytest.mark.parametrize(
    "content",
    [
        b"<ve/>",
        b"<ve><name/><state/><network/><platform/><cpu/><ve-disk/></ve>",
        b'<ve><ram-size>much</ram-size><cpu number="x"/><ve-disk size="1.5"/></ve>',
        b'<ve><network private-ip="/"><public-ip/><public-ip address=""/></network></ve>',
    ],
)
def test_a_server_that_tells_next_to_nothing(converted, content):
    found = converted(content)
    assert (found.id, found.name, found.state, found.busy) == ("web1", "web1", "UNKNOWN", False)
    assert (found.hardware, found.public_addresses, found.private_addresses) == (None, (), ())


@pytest.mark.parametrize(
    ("told", "state", "busy"),
    [
        ("CREATE", "PENDING", True),
        ("CREATION_IN_PROGRESS", "PENDING", True),
        ("CREATED", "STOPPED", False),
        ("START_IN_PROGRESS", "PENDING", True),
        ("STARTED", "RUNNING", False),
        ("STOP_IN_PROGRESS", "STOPPING", True),
        ("STOPPED", "STOPPED", False),
        ("DELETE_IN_PROGRESS", "STOPPING", True),
        ("DELETED", "FINISH", False),
        ("started", "RUNNING", False),
        ("TRANSMOGRIFYING", "UNKNOWN", False),
        ("MIGRATION_IN_PROGRESS", "UNKNOWN", True),
        ("", "UNKNOWN", False),
    ],
)
def test_states(told, state, busy):
    assert view(told)[:3] == (state, told, busy)
    assert view(told).actions == INSTANCE_STATES.actions(state)


def test_a_load_balancer():
    content = (
        b"<load-balancer><name>lb1</name><subscription-id>7</subscription-id><state>STARTED</state>"
        b'<network private-ip="10.0.0.1/24"><public-ip address="192.0.2.1/24"/></network>'
        b'<used-by ve-name="web1" ip="10.0.0.2"/><used-by ve-name="web2"/><used-by/>'
        b"</load-balancer>"
    )
    found = convert.load_balancer("lisbon", "lb1", parse(content), content)
    assert (found.id, found.realm_id, found.platform_state) == ("lb1", "7", "STARTED")
    assert found.public_addresses == ("192.0.2.1",)
    assert found.instance_ids == ("web1", "web2")
    assert found.listeners == convert.LISTENERS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2013-09-01 19:19:17.84091+04", datetime(2013, 9, 1, 15, 19, 17, 840910, tzinfo=UTC)),
        ("2013-09-01 19:19:17+0430", datetime(2013, 9, 1, 14, 49, 17, tzinfo=UTC)),
        ("2013-09-01T19:19:17-02", datetime(2013, 9, 1, 21, 19, 17, tzinfo=UTC)),
        ("2013-09-01 19:19:17", datetime(2013, 9, 1, 19, 19, 17, tzinfo=UTC)),
        ("2013-02-31 19:19:17+00", None),
        ("0001-01-01 00:00:00+14", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times(text, expected):
    assert convert.time(text) == expected
