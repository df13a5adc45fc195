"""Whatever a client sends, the answer is XML-RPC."""

from __future__ import annotations

import itertools
import xmlrpc.client
from xml.etree import ElementTree

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anabranch.testing.simulation import Behaviour
from anabranch_opennebula.simulator import simulator
from anabranch_opennebula.simulator.app import METHODS
from anabranch_opennebula.simulator.seeds import PASSWORD

NAMES = st.sampled_from(
    [
        *("NAME", "CPU", "MEMORY", "VCPU", "SIZE", "TYPE", "DISK", "NIC", "NIC_ALIAS", "CONTEXT"),
        *("IMAGE_ID", "NETWORK_ID", "SECURITY_GROUPS", "PARENT", "PARENT_ID", "AR", "IP", "RULE"),
        *("PROTOCOL", "RULE_TYPE", "RANGE", "LEASES", "NETWORK", "DISK_ID", "NIC_ID", "OS"),
        *("GRAPHICS", "GLOBAL_PREFIX", "PERSISTENT", "DEV_PREFIX", "TEMPLATE_ID", "1A", "ü", ""),
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [
            *("", "0", "1", "2", "-1", "3.5", "1e400", "nan", "²", "9" * 30, "YES", "10.0.0.10"),
            *("IP4", "IP4_6", "ETHER", "DATABLOCK", "TCP", "inbound", "NIC0", "fs", "fe80::1"),
            *("$USER[SSH_PUBLIC_KEY]", "0,1,x", "]]>", "<a/>", 'q"', "a\nb", "\\"),
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
)
VECTORS = st.lists(st.tuples(NAMES, VALUES), max_size=4).map(
    lambda parts: "[" + ",".join(f'{name}="{value}"' for name, value in parts) + "]"
)
ATTRIBUTES = st.lists(st.tuples(NAMES, st.one_of(VALUES.map('"{}"'.format), VECTORS)), max_size=5)
TEXTS = st.one_of(
    VALUES,
    ATTRIBUTES.map(lambda pairs: "\n".join(f"{name}={value}" for name, value in pairs)),
    st.sampled_from(["<T><a:b xmlns:a='x'>1</a:b></T>", "<T><?pi?><A><B><C/></B></A></T>", "<T/>"]),
    st.sampled_from(["terminate", "poweroff", "resume", "hold", "suspend", "tenant"]),
    st.sampled_from(
        [
            *('DISK=[IMAGE_ID="1"]', 'DISK=[TYPE="fs",SIZE="9"]', 'NIC=[NETWORK_ID="0"]'),
            *('NIC_ALIAS=[NETWORK_ID="1",PARENT="NIC0"]', 'NAME="r"\nSIZE="2"'),
            *('NAME="v"\nTYPE="DATABLOCK"\nSIZE="5"\nPERSISTENT="YES"', 'DISK=[IMAGE_ID="3"]'),
            'NAME="g"\nRULE=[PROTOCOL="TCP",RANGE="22",RULE_TYPE="inbound"]',
        ]
    ),
)
NUMBERS = st.one_of(
    st.integers(0, 3), st.integers(-6, 12), st.sampled_from([100, 2**31 - 1, -(2**31)])
)
PARAMETERS = {"i": NUMBERS, "b": st.booleans(), "s": TEXTS}


@st.composite
def calls(draw):
    name = draw(st.sampled_from(sorted(METHODS)))
    letters = METHODS[name].parameters.replace("|", "")[1:]
    user = draw(st.sampled_from(["tenant", "oneadmin", "limited"]))
    return name, f"{user}:{PASSWORD}", [draw(PARAMETERS[letter]) for letter in letters]


async def post(cloud, body: bytes) -> bytes:
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/RPC2", "headers": []}
    await cloud.app(scope, receive, send)
    assert sent[0]["status"] == 200
    return sent[1]["body"]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(calls(), min_size=5, max_size=40), st.sampled_from([0.0, 1.0, 3.0]))
def test_any_call_in_any_order(made, delay):
    ticks = itertools.count(1_800_000_000)
    cloud = simulator.cloud(
        "lisbon",
        instances=4,
        behaviour=Behaviour(state_delay=delay),
        odd=("odd-capacity", "odd-address", "no-disk"),
        clock=lambda: float(next(ticks)),
    )
    cloud.hypervisor.attach_fails = delay == 1.0

    async def run():
        for name, session, parameters in made:
            body = xmlrpc.client.dumps((session, *parameters), name).encode()
            answer, _ = xmlrpc.client.loads(await post(cloud, body))
            success, payload = answer[0][:2]
            if success and isinstance(payload, str) and payload.startswith("<"):
                ElementTree.fromstring(payload)

    anyio.run(run)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_body(body):
    cloud = simulator.cloud("lisbon", instances=0)
    with pytest.raises(xmlrpc.client.Fault) as caught:
        xmlrpc.client.loads(anyio.run(post, cloud, body))
    assert caught.value.faultCode == -503
