"""The commands that the recorded walk does not use, and the filters of lists."""

from __future__ import annotations

import base64


def test_filters_of_machines(api, cloud, deployable):
    machine = cloud.machines[0]
    network = machine.nics[0].network
    basic = cloud.machines[9]
    group = basic.security_groups[0]
    wanted = {
        "networkid": (network, 9),
        "templateid": (machine.image, 10),
        "serviceofferingid": (machine.offering, 4),
        "securitygroupid": (group, 1),
        "keypair": ("demo-key", 10),
        "hypervisor": ("VMware", None),
        "displayvm": ("false", None),
        "keyword": (machine.name, 1),
    }
    for name, (value, count) in wanted.items():
        assert api.call("listVirtualMachines", **{name: value}).get("count") == count, name
    destroyed = api.done("deployVirtualMachine", **deployable)["id"]
    api.run("destroyVirtualMachine", id=destroyed)
    assert api.call("listVirtualMachines", state="Destroyed") == {}
    assert api.call("listVirtualMachines", state="Present")["count"] == 10


def test_updates_of_machines(api, cloud):
    running, basic = cloud.machines[0].id, cloud.machines[9].id
    data = base64.b64encode(b"new").decode()
    changed = api.call(
        "updateVirtualMachine",
        id=running,
        name="other",
        displayname="Other",
        group="g",
        userdata=data,
    )["virtualmachine"]
    assert (changed["name"], changed["displayname"], changed["group"]) == ("other", "Other", "g")
    row = api.rows("listVirtualMachines", id=running, userdata="true")[0]
    assert row["userdata"] == data
    assert api.refused("updateVirtualMachine", id=running, name="not a name")[0] == 431
    detail = {"details[0].rootDiskController": "virtio"}
    assert api.refused("updateVirtualMachine", id=running, **detail)[0] == 431
    stopped = cloud.machines[3].id
    changed = api.call("updateVirtualMachine", id=stopped, **detail)["virtualmachine"]
    assert changed["details"]["rootDiskController"] == "virtio"
    group = api.call("createSecurityGroup", name="web")["securitygroup"]["id"]
    assert api.refused("updateVirtualMachine", id=running, securitygroupids=group)[0] == 431
    assert api.refused("updateVirtualMachine", id=basic, securitygroupids=group)[0] == 431
    api.run("stopVirtualMachine", id=basic)
    changed = api.call("updateVirtualMachine", id=basic, securitygroupids=group)["virtualmachine"]
    assert [g["name"] for g in changed["securitygroup"]] == ["web"]
    api.call("updateSecurityGroup", id=group, name="www")
    row = api.rows("listVirtualMachines", id=basic)[0]
    assert [g["name"] for g in row["securitygroup"]] == ["www"]


def test_restoring_keeps_the_state(api, slow, clock):
    machine = slow.machines[0].id
    template = api.rows("listTemplates", templatefilter="featured", name="debian-12")[0]["id"]
    job = api.call("restoreVirtualMachine", virtualmachineid=machine, templateid=template)["jobid"]
    assert api.rows("listVirtualMachines", id=machine)[0]["state"] == "Restoring"
    clock.now += 4.1
    restored = api.job(job)["jobresult"]["virtualmachine"]
    assert (restored["state"], restored["templatename"]) == ("Running", "debian-12")


def test_affinity_groups_of_stopped_machines(api, cloud):
    group = api.done("createAffinityGroup", name="apart", type="host anti-affinity")["id"]
    assert api.refused("createAffinityGroup", name="apart", type="host affinity")[0] == 431
    assert api.refused("createAffinityGroup", name="b", type="unknown")[0] == 431
    running, stopped = cloud.machines[0].id, cloud.machines[3].id
    wanted = {"affinitygroupids": group}
    assert api.failed("updateVMAffinityGroup", id=running, **wanted)[0] == 431
    machine = api.done("updateVMAffinityGroup", id=stopped, **wanted)
    assert [g["name"] for g in machine["affinitygroup"]] == ["apart"]
    assert api.rows("listAffinityGroups")[0]["virtualmachineIds"] == [stopped]
    assert api.call("listAffinityGroups", virtualmachineid=stopped)["count"] == 1
    assert api.call("listVirtualMachines", affinitygroupid=group)["count"] == 1
    assert api.run("deleteAffinityGroup", name="apart")["jobstatus"] == 1
    assert api.rows("listVirtualMachines", id=stopped)[0]["affinitygroup"] == []


def test_registered_user_data(api, admin, deployable, cloud):
    data = base64.b64encode(b"#!/bin/sh").decode()
    one = api.call("registerUserData", name="u", userdata=data, params="a,b")["userdata"]
    assert api.refused("registerUserData", name="u", userdata=data)[0] == 431
    machine = api.done("deployVirtualMachine", **deployable, userdataid=one["id"], name="with")[
        "id"
    ]
    kept = api.call("getVirtualMachineUserData", virtualmachineid=machine)
    assert kept["virtualmachineuserdata"]["userdata"] == data
    both = {"userdataid": one["id"], "userdata": data}
    assert api.refused("deployVirtualMachine", **deployable, **both)[0] == 431
    assert admin.refused("resetUserDataForVirtualMachine", id=machine, userdata=data)[0] == 431
    stopped = cloud.machines[3].id
    admin.call("resetUserDataForVirtualMachine", id=stopped, userdata=data)
    assert cloud.machines[3].user_data == data
    assert api.call("deleteUserData", id=one["id"]) == {"success": True}
    assert api.call("listUserData") == {}


def test_templates_are_copied_updated_and_deleted_by_zone(api, cloud):
    golden = api.rows("listTemplates", templatefilter="self")[0]
    zone = api.rows("listZones", name="basic-1")[0]["id"]
    assert api.refused("copyTemplate", id=golden["id"])[0] == 431
    api.done("copyTemplate", id=golden["id"], destzoneid=zone)
    assert api.call("listTemplates", templatefilter="self")["count"] == 2
    changed = api.call("updateTemplate", id=golden["id"], displaytext="of old")["template"]
    assert changed["displaytext"] == "of old"
    api.run("deleteTemplate", id=golden["id"], zoneid=golden["zoneid"])
    rows = api.rows("listTemplates", templatefilter="self")
    assert [row["zoneid"] for row in rows] == [zone]
    api.run("deleteTemplate", id=golden["id"])
    assert api.call("listTemplates", templatefilter="self") == {}
    url = "https://images.example.org/x.iso"
    (iso,) = api.rows(
        "registerIso", name="own", displaytext="own", url=url, zoneid=zone, bootable="true"
    )
    assert (iso["bootable"], iso["isready"]) == (True, True)
    assert api.call("updateIso", id=iso["id"], bootable="false")["iso"]["bootable"] is False
    api.run("deleteIso", id=iso["id"])
    assert api.call("listIsos", isofilter="self") == {}


def test_machines_from_an_iso_want_a_disk(api, deployable):
    iso = api.rows("listIsos", isofilter="featured")[0]["id"]
    disk = api.rows("listDiskOfferings", name="Medium")[0]["id"]
    wanted = {**deployable, "templateid": iso}
    assert api.refused("deployVirtualMachine", **wanted)[0] == 431
    machine = api.done("deployVirtualMachine", **wanted, hypervisor="KVM", diskofferingid=disk)
    assert machine["isoid"] == iso
    (root,) = api.rows("listVolumes", virtualmachineid=machine["id"])
    assert (root["type"], root["size"] >> 30) == ("ROOT", 20)


def test_addresses_are_reserved_and_asked_for(api, cloud):
    free = api.rows("listPublicIpAddresses", state="Free")
    assert free[0]["state"] == "Free"
    assert "account" not in free[0]
    reserved = api.call("reserveIpAddress", id=free[0]["id"])["ipaddress"]
    assert reserved["state"] == "Reserved"
    assert api.refused("reserveIpAddress", id=free[0]["id"])[0] == 431
    assert api.call("releaseIpAddress", id=free[0]["id"]) == {"success": True}
    assert api.refused("releaseIpAddress", id=free[0]["id"])[0] == 431
    zone = free[0]["zoneid"]
    wanted = free[3]["ipaddress"]
    taken = api.done("associateIpAddress", zoneid=zone, ipaddress=wanted)
    assert (taken["ipaddress"], taken["state"]) == (wanted, "Allocating")
    assert api.refused("associateIpAddress", zoneid=zone, ipaddress=wanted)[0] == 431
    assert api.rows("listPublicIpAddresses", ipaddress=wanted)[0]["state"] == "Allocated"
    everything = api.call("listPublicIpAddresses", allocatedonly="false")["count"]
    assert everything == len(cloud.state.addresses)


def test_a_network_that_is_renamed_is_renamed_in_its_machines(api, cloud):
    network = api.rows("listNetworks", name="demo-net")[0]["id"]
    api.run("updateNetwork", id=network, name="renamed")
    assert (
        api.rows("listVirtualMachines", id=cloud.machines[0].id)[0]["nic"][0]["networkname"]
        == "renamed"
    )
    assert api.call("listNetworks", supportedservices="Lb,Firewall")["count"] == 1
    assert api.call("listNetworks", forvpc="true") == {}


def test_vpcs_are_updated_and_restarted(api, deployable):
    offering = api.rows("listVPCOfferings")[0]["id"]
    wanted = {"name": "v", "zoneid": deployable["zoneid"], "vpcofferingid": offering}
    assert api.refused("createVPC", **wanted, cidr="no cidr")[0] == 431
    vpc = api.done("createVPC", **wanted)
    assert vpc["cidr"] == "10.0.0.0/16"
    assert api.done("updateVPC", id=vpc["id"], name="w")["name"] == "w"
    assert api.run("restartVPC", id=vpc["id"])["jobresult"] == {"success": True}


def test_stickiness_can_be_taken_off(api, cloud):
    network = cloud.machines[0].nics[0].network
    wanted = {"networkid": network, "name": "lb", "publicport": 80, "privateport": 80}
    balancer = api.done("createLoadBalancerRule", **wanted, algorithm="source")["id"]
    policy = {"lbruleid": balancer, "name": "p", "methodname": "SourceBased"}
    assert api.refused("createLBStickinessPolicy", **{**policy, "methodname": "Luck"})[0] == 431
    parameter = {"param[0].name": "expires", "param[0].value": "5"}
    made = api.done("createLBStickinessPolicy", **policy, **parameter)
    (row,) = made["stickinesspolicy"]
    assert row["params"] == {"expires": "5"}
    assert api.failed("createLBStickinessPolicy", **policy)[0] == 431
    api.run("deleteLBStickinessPolicy", id=row["id"])
    listed = api.rows("listLBStickinessPolicies", lbruleid=balancer)
    assert listed[0]["stickinesspolicy"] == []


def test_what_operators_see(api, admin, cloud):
    assert {row["path"] for row in admin.rows("listDomains")} == {"ROOT", "ROOT/tenant"}
    assert len(admin.rows("listHosts")) == 3
    assert admin.call("listRouters") == {}
    assert admin.rows("listUsageTypes")[0] == {"id": 1, "name": "RUNNING_VM"}
    assert admin.call("listUsageRecords", startdate="2026-11-01", enddate="2026-11-22") == {}
    assert admin.refused("listUsageRecords", startdate="soon", enddate="2026-11-22")[0] == 431
    assert len(admin.rows("listAccounts", listall="true")) == 4
    assert {u["rolename"] for u in admin.rows("listUsers", listall="true")} >= {
        "Root Admin",
        "User",
    }
    limit = admin.call("updateResourceLimit", account="demo", resourcetype=0, max=3)
    assert limit["resourcelimit"]["max"] == 3
    assert api.rows("listResourceLimits", resourcetype=0)[0]["max"] == 3
    assert admin.refused("updateResourceLimit", account="nobody", resourcetype=0)[0] == 531
    assert api.call("quotaIsEnabled") == {"isenabled": {"isenabled": False}}
    assert "dns1" in admin.rows("listZones")[0]
    assert "dns1" not in api.rows("listZones")[0]


def test_what_accounts_have_is_shown_to_themselves(api):
    assert api.call("listVirtualMachines", account="demo")["count"] == 10
    assert api.call("listVirtualMachines", account="other") == {}


def test_what_is_everyones_is_changed_by_nobody_but_operators(api, admin):
    template = api.rows("listTemplates", templatefilter="featured")[0]["id"]
    network = api.rows("listNetworks", type="Shared")[0]["id"]
    assert api.refused("updateTemplate", id=template, displaytext="mine")[0] == 531
    assert api.refused("updateTemplatePermissions", id=template, ispublic="false")[0] == 531
    assert api.refused("deleteNetwork", id=network)[0] == 531
    assert (
        admin.call("updateTemplate", id=template, displaytext="ours")["template"]["displaytext"]
        == "ours"
    )
