"""pyone, OpenNebula's own client, unmodified."""

from __future__ import annotations

import pyone
import pytest

from anabranch.testing.simulation import Behaviour


def ids(pool) -> list[int]:
    return [item.ID for item in pool]


def test_machines_are_listed(one):
    pool = one.vmpool.infoextended(-2, -1, -1, -1).VM
    assert ids(pool) == [4, 3, 2, 1, 0]
    first = pool[-1]
    assert first.NAME == "lisbon-000"
    assert (first.STATE, first.LCM_STATE) == (pyone.VM_STATE.ACTIVE, pyone.LCM_STATE.RUNNING)
    assert first.TEMPLATE["NIC"]["IP"] == "10.0.0.10"
    assert first.TEMPLATE["DISK"]["IMAGE"] == "debian-12"
    assert first.USER_TEMPLATE["DESCRIPTION"] == "seed template"
    assert first.HISTORY_RECORDS.HISTORY[-1].HOSTNAME == "dummy1"
    assert ids(one.vmpool.info(-3, 0, -2, -1).VM) == [4, 3]
    assert one.vmpool.info(-2, 77, 99, -1).VM == []


def test_all_pools_are_listed(one):
    everything = -2, -1, -1
    assert [i.NAME for i in one.imagepool.info(*everything).IMAGE] == [
        "rocky-9",
        "ubuntu-24.04",
        "debian-12",
    ]
    templates = one.templatepool.info(*everything).VMTEMPLATE
    assert [t.TEMPLATE["MEMORY"] for t in templates] == ["2048", "512", "128"]
    networks = one.vnpool.info(*everything).VNET
    assert [n.NAME for n in networks] == ["private", "public"]
    assert [r.SIZE for r in networks[0].AR_POOL.AR] == [4000, 500]
    groups = one.secgrouppool.info(*everything).SECURITY_GROUP
    assert ids(groups) == [100, 0]
    assert [d.NAME for d in one.datastorepool.info().DATASTORE] == ["files", "default", "system"]
    assert one.zonepool.info().ZONE[0].TEMPLATE["ENDPOINT"] == "http://localhost:2633/RPC2"
    assert one.hostpool.info().HOST == []
    assert one.clusterpool.info().CLUSTER == []
    assert one.system.version() == "7.4.0"


def test_a_machine_lives(one, cloud, clock):
    cloud.behaviour = Behaviour(state_delay=5.0)
    extra = {"TEMPLATE": {"CPU": "0.5", "LABELS": "a,b", "CONTEXT": {"NOTE": "<&>"}}}
    number = one.template.instantiate(1, "alpha", False, extra, False)
    assert one.vm.info(number).STATE == pyone.VM_STATE.PENDING
    clock.now += 6
    machine = one.vm.info(number)
    assert (machine.NAME, machine.LCM_STATE) == ("alpha", pyone.LCM_STATE.RUNNING)
    assert machine.TEMPLATE["CPU"] == "0.5"
    assert machine.TEMPLATE["CONTEXT"]["NOTE"] == "<&>"
    assert machine.USER_TEMPLATE["LABELS"] == "a,b"
    for verb, state in (
        ("suspend", "SUSPENDED"),
        ("resume", "ACTIVE"),
        ("poweroff", "POWEROFF"),
        ("resume", "ACTIVE"),
        ("stop", "STOPPED"),
        ("resume", "ACTIVE"),
        ("undeploy-hard", "UNDEPLOYED"),
        ("resume", "ACTIVE"),
        ("reboot", "ACTIVE"),
        ("terminate", "DONE"),
    ):
        assert one.vm.action(verb, number) == number
        clock.now += 6
        assert pyone.VM_STATE[state] == one.vm.info(number).STATE, verb
    actions = [pyone.HISTORY_ACTION(h.ACTION).name for h in machine_history(one, number)]
    assert actions == ["suspend", "poweroff", "stop", "undeploy-hard", "terminate"]


def machine_history(one, number):
    return one.vm.info(number).HISTORY_RECORDS.HISTORY


def test_a_volume_lives(one):
    text = {"NAME": "vol", "TYPE": "DATABLOCK", "SIZE": "64", "PERSISTENT": "YES"}
    volume = one.image.allocate({"TEMPLATE": text}, 1, False)
    assert one.image.info(volume).STATE == pyone.IMAGE_STATES.READY
    one.vm.attach(0, f'DISK=[IMAGE_ID="{volume}"]')
    assert one.image.info(volume).VMS.ID == [0]
    assert one.image.info(volume).STATE == pyone.IMAGE_STATES.USED_PERS
    assert [d["DISK_ID"] for d in one.vm.info(0).TEMPLATE["DISK"]] == ["0", "2"]
    assert one.vm.disksnapshotcreate(0, 2, "snap") == 0
    assert one.vm.info(0).SNAPSHOTS[0].SNAPSHOT[0].NAME == "snap"
    assert one.vm.snapshotcreate(0, "whole") == 0
    assert one.vm.info(0).TEMPLATE["SNAPSHOT"][0]["NAME"] == "whole"
    one.vm.detach(0, 2)
    assert one.image.info(volume).STATE == pyone.IMAGE_STATES.READY
    one.image.delete(volume)
    with pytest.raises(pyone.OneNoExistsException):
        one.image.info(volume)


def test_a_network_and_a_group_live(one):
    network = one.vn.reserve(0, 'NAME="ip"\nSIZE="1"')
    assert one.vn.info(network).AR_POOL.AR[0].IP == "172.16.0.10"
    group = one.secgroup.allocate(
        'NAME="ssh"\nRULE=[PROTOCOL="TCP",RANGE="22",RULE_TYPE="inbound"]'
    )
    one.vm.attachnic(0, f'NIC=[NETWORK_ID="{network}",SECURITY_GROUPS="{group}"]')
    nic = one.vm.info(0).TEMPLATE["NIC"][1]
    assert (nic["IP"], nic["SECURITY_GROUPS"]) == ("172.16.0.10", f"0,{group}")
    lease = one.vn.info(network).AR_POOL.AR[0].LEASES.LEASE[0]
    assert (lease.IP, lease.VM) == ("172.16.0.10", 0)
    assert one.secgroup.info(group).UPDATED_VMS.ID == [0]
    one.vm.detachnic(0, 1)
    one.secgroup.delete(group)
    one.vn.delete(network)
    assert ids(one.vnpool.info(-3, -1, -1).VNET) == []


def test_the_user(one):
    me = one.user.info(-1)
    assert (me.NAME, me.GNAME, me.GROUPS.ID) == ("tenant", "users", [1])
    assert me.VM_QUOTA.VM[0].VMS_USED == "5"
    assert "SSH_PUBLIC_KEY" in me.TEMPLATE
    token = one.user.login("tenant", "", 3600, -1)
    assert [t.TOKEN for t in one.user.info(-1).LOGIN_TOKEN] == [token]


ERRORS = [
    (pyone.OneNoExistsException, "info", (4711,)),
    (pyone.OneActionException, "action", ("resume", 0)),
    (pyone.OneAuthorizationException, "action", ("resched", 0)),
    (pyone.OneInternalException, "update", (0, "a b", 1)),
    (pyone.OneApiException, "update", (0, "", 7)),
    (pyone.OneException, "rename", (0, "<")),
    (pyone.OneException, "info", ("0",)),
]


@pytest.mark.parametrize(("error", "method", "parameters"), ERRORS)
def test_errors_are_told_apart(one, error, method, parameters):
    with pytest.raises(error) as caught:
        getattr(one.vm, method)(*parameters)
    assert type(caught.value) is error


def test_a_wrong_password(rpc):
    stranger = pyone.OneServer(rpc.endpoint, session="tenant:wrong")
    with pytest.raises(pyone.OneAuthenticationException):
        stranger.system.version()


def test_what_is_monitored(one, clock):
    clock.now += 60
    sample = one.vm.monitoring(0).MONITORING[0]
    assert (sample.ID, float(sample.CPU)) == (0, 2.5)
    assert len(one.vmpool.monitoring(-2, 0).MONITORING) == 4
