"""Whatever is asked is answered: no combination of parameters breaks the simulator itself."""

from __future__ import annotations

import random

import httpx
import msgspec
import pytest

from anabranch.testing.simulation import Behaviour
from anabranch_cloudstack.simulator import simulator
from anabranch_cloudstack.simulator.table import COMMANDS

CODES = {200, 400, 401, 430, 431, 432, 530, 531, 532, 533, 535, 536, 537}
WORDS = ["", "x", "true", "tcp", "icmp", "all", "10.1.0.7", "10.9.0.0/16", "10.1.1.1", "Running"]
NUMBERS = ["-1", "0", "1", "22", "80", "500", "70000", "999999999999"]


def value(draw, parameter, ids):
    if parameter.type == "uuid" or parameter.name.endswith(("id", "ids")):
        return draw.choice(ids) if draw.random() < 0.9 else draw.choice(WORDS)
    if parameter.type in ("integer", "long"):
        return draw.choice(NUMBERS)
    if parameter.type == "boolean":
        return draw.choice(["true", "false", "maybe"])
    if parameter.type == "date":
        return draw.choice(["2027-01-15", "2027-01-15T08:00:00+0000", "2027-99-99", "soon"])
    return draw.choice(WORDS)


def parameters(draw, command, ids):
    sent = {}
    for parameter in command.parameters:
        if draw.random() < (0.95 if parameter.required else 0.2):
            if parameter.type == "map":
                for number in range(draw.randint(1, 2)):
                    for key in ("key", "value", "networkid", "vmid", "vmip", "cpuNumber"):
                        name = f"{parameter.name}[{number}].{key}"
                        sent[name] = draw.choice([*WORDS, draw.choice(ids)])
            else:
                sent[parameter.name] = value(draw, parameter, ids)
    return sent


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_that_is_asked_breaks_it(make_api, clock, seed):
    draw = random.Random(seed)
    behaviour = Behaviour(state_delay=seed % 2)
    cloud = simulator.cloud("any", instances=12, odd=True, clock=clock, behaviour=behaviour)
    apis = [make_api(cloud.settings("http://any", user=user)) for user in ("demo", "admin")]
    table = sorted(COMMANDS.of((4, 22)).values(), key=lambda command: command.name)
    transport = httpx.ASGITransport(cloud.app)
    async with httpx.AsyncClient(transport=transport) as client:
        for _ in range(400):
            ids = [record.id for record in cloud.state.everything()]
            command = draw.choice(table)
            api = draw.choice(apis)
            clock.now += draw.random()
            form = api.signed(command.name, **parameters(draw, command, ids))
            reply = await client.post("http://any/client/api", data=form)
            assert reply.status_code in CODES, (form, reply.text)
            assert list(msgspec.json.decode(reply.content)), form
