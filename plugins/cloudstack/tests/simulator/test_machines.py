"""Machines in time: jobs, their order, and every way in which one fails."""

from __future__ import annotations

import base64

import pytest

from anabranch.testing.simulation import Behaviour, serve
from anabranch_cloudstack.simulator import simulator

MISSING = "00000000-0000-0000-0000-000000000000"


def state_of(api, machine):
    rows = api.rows("listVirtualMachines", id=machine, details="min")
    return rows[0]["state"] if rows else None


def test_a_change_lasts_as_long_as_it_is_told_whoever_asks(api, slow, clock, deployable):
    reply = api.call("deployVirtualMachine", **deployable, name="new1")
    assert set(reply) == {"id", "jobid"}
    for _ in range(3):
        job = api.job(reply["jobid"])
        assert job["jobstatus"] == 0
        assert "jobresult" not in job
        assert "completed" not in job
    row = api.rows("listVirtualMachines", id=reply["id"])[0]
    assert (row["state"], row["jobid"], row["jobstatus"]) == ("Starting", reply["jobid"], 0)
    assert [row["jobid"] for row in api.rows("listAsyncJobs")] == [reply["jobid"]]
    clock.now += 3.9
    assert api.job(reply["jobid"])["jobstatus"] == 0
    clock.now += 0.2
    job = api.job(reply["jobid"])
    assert (job["jobstatus"], job["jobresultcode"]) == (1, 0)
    inner = job["jobresult"]["virtualmachine"]
    assert (inner["state"], inner["jobid"], inner["jobstatus"]) == ("Running", reply["jobid"], 0)
    assert job["jobinstanceid"] == reply["id"]
    assert "jobid" not in api.rows("listVirtualMachines", id=reply["id"])[0]
    assert api.call("listAsyncJobs") == {}


def test_with_no_delay_the_next_poll_sees_the_end(api, deployable):
    job = api.run("deployVirtualMachine", **deployable)
    assert job["jobstatus"] == 1
    assert job["jobresult"]["virtualmachine"]["name"].startswith("VM-")


def test_jobs_of_one_machine_wait_for_each_other(api, slow, clock):
    machine = slow.machines[0].id
    stop = api.call("stopVirtualMachine", id=machine)["jobid"]
    start = api.call("startVirtualMachine", id=machine)["jobid"]
    again = api.call("startVirtualMachine", id=machine)["jobid"]
    other = api.call("stopVirtualMachine", id=slow.machines[1].id)["jobid"]
    clock.now += 4.1
    states = [api.job(job)["jobstatus"] for job in (stop, start, again, other)]
    assert states == [1, 0, 0, 1]
    assert state_of(api, machine) == "Starting"
    clock.now += 4
    assert [api.job(job)["jobstatus"] for job in (start, again)] == [1, 2]
    assert "already running" in api.job(again)["jobresult"]["errortext"]


def test_verbs_are_judged_by_the_state(api, cloud):
    running, stopped = cloud.machines[0].id, cloud.machines[3].id
    assert api.done("stopVirtualMachine", id=running)["state"] == "Stopped"
    assert api.done("stopVirtualMachine", id=running)["state"] == "Stopped"
    assert api.done("startVirtualMachine", id=running)["state"] == "Running"
    assert api.failed("startVirtualMachine", id=running)[0] == 431
    assert api.done("rebootVirtualMachine", id=running)["state"] == "Running"
    assert api.failed("rebootVirtualMachine", id=stopped)[0] == 431
    assert api.refused("startVirtualMachine", id=MISSING)[0] == 431
    assert api.refused("startVirtualMachine")[0] == 431
    assert api.refused("recoverVirtualMachine", id=running)[0] == 431
    assert api.failed("expungeVirtualMachine", id=running)[0] == 431


def test_destroyed_machines_can_be_recovered_until_they_are_expunged(api, admin, cloud, clock):
    machine = cloud.machines[0].id
    assert api.done("destroyVirtualMachine", id=machine)["state"] == "Destroyed"
    assert api.call("listVirtualMachines", id=machine) == {}
    rows = admin.rows("listVirtualMachines", id=machine, listall="true")
    assert [row["state"] for row in rows] == ["Destroyed"]
    assert api.done("destroyVirtualMachine", id=machine)["state"] == "Destroyed"
    assert api.failed("startVirtualMachine", id=machine)[0] == 530
    assert api.call("recoverVirtualMachine", id=machine)["virtualmachine"]["state"] == "Stopped"
    assert api.done("startVirtualMachine", id=machine)["state"] == "Running"
    api.run("destroyVirtualMachine", id=machine)
    assert api.run("expungeVirtualMachine", id=machine)["jobresult"] == {"success": True}
    assert api.call("listVirtualMachines", id=machine) == {}
    assert "Unable to find UUID" in api.refused("expungeVirtualMachine", id=machine)[1]
    clock.now += 61
    assert "entity does not exist" in api.refused("listVirtualMachines", id=machine)[1]


def test_destroy_with_expunge_tells_nothing_of_the_machine(api, slow, clock):
    machine = slow.machines[0]
    job = api.call("destroyVirtualMachine", id=machine.id, expunge="true")["jobid"]
    assert state_of(api, machine.id) == "Stopping"
    clock.now += 4.1
    assert state_of(api, machine.id) is None  # Expunging, which users do not see
    assert api.job(job)["jobstatus"] == 0
    clock.now += 4
    assert "id" not in api.job(job)["jobresult"]["virtualmachine"]
    assert machine.id not in slow.state.machines
    assert api.refused("startVirtualMachine", id=machine.id)[0] == 431


def test_what_users_may_not_expunge(make_api):
    cloud = simulator.cloud("careful", instances=2, expunge_by_users=False, show_destroyed=True)
    with serve([cloud]) as urls:
        api = make_api(cloud.settings(urls["careful"]))
        machine = cloud.machines[0].id
        assert api.refused("destroyVirtualMachine", id=machine, expunge="true")[0] == 531
        api.done("destroyVirtualMachine", id=machine)
        assert state_of(api, machine) == "Destroyed"
        assert api.refused("recoverVirtualMachine", id=machine)[0] == 531
        assert api.refused("expungeVirtualMachine", id=machine)[0] == 531
        capability = api.call("listCapabilities")["capability"]
        assert capability["allowuserexpungerecovervm"] is False
        assert capability["allowuserviewdestroyedvm"] is True


def test_a_deployment_without_a_host_leaves_a_machine_in_error(api, deployable):
    offering = api.rows("listServiceOfferings", name="Gigantic")[0]["id"]
    reply = api.call("deployVirtualMachine", **{**deployable, "serviceofferingid": offering})
    job = api.job(reply["jobid"])
    assert (job["jobstatus"], job["jobresultcode"]) == (2, 533)
    assert set(job["jobresult"]) == {"errorcode", "errortext"}
    assert state_of(api, reply["id"]) == "Error"
    assert api.failed("startVirtualMachine", id=reply["id"])[0] == 530
    api.done("destroyVirtualMachine", id=reply["id"], expunge="true")
    assert state_of(api, reply["id"]) is None


def test_a_deployment_with_everything(api, cloud, deployable):
    disk = api.rows("listDiskOfferings", name="Custom")[0]["id"]
    network = api.rows("listNetworks", name="demo-net")[0]["id"]
    data = base64.b64encode(b"#cloud-config").decode()
    key = api.call("createSSHKeyPair", name="second")["keypair"]
    assert key["privatekey"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    group = api.done("createAffinityGroup", name="apart", type="host anti-affinity")["id"]
    offering = api.rows("listServiceOfferings", name="Custom")[0]["id"]
    machine = api.done(
        "deployVirtualMachine",
        **{**deployable, "serviceofferingid": offering},
        **{"details[0].cpuNumber": 3, "details[0].cpuSpeed": 700, "details[0].memory": 768},
        **{"iptonetworklist[0].networkid": network, "iptonetworklist[0].ip": "10.1.0.200"},
        name="all",
        displayname="All & <everything>",
        keypairs="demo-key,second",
        userdata=data,
        diskofferingid=disk,
        size=12,
        rootdisksize=30,
        group="crew",
        affinitygroupids=group,
    )
    assert (machine["cpunumber"], machine["cpuspeed"], machine["memory"]) == (3, 700, 768)
    assert machine["nic"][0]["ipaddress"] == machine["ipaddress"] == "10.1.0.200"
    assert machine["displayname"] == "All & <everything>"
    assert machine["keypairs"] == "demo-key,second"
    assert machine["group"] == "crew"
    assert [g["name"] for g in machine["affinitygroup"]] == ["apart"]
    volumes = api.rows("listVolumes", virtualmachineid=machine["id"])
    sizes = {v["type"]: v["size"] >> 30 for v in volumes}
    assert sizes == {"ROOT": 30, "DATADISK": 12}
    assert {v["state"] for v in volumes} == {"Ready"}
    kept = api.call("getVirtualMachineUserData", virtualmachineid=machine["id"])
    assert kept["virtualmachineuserdata"]["userdata"] == data
    assert (
        api.failed(
            "removeNicFromVirtualMachine",
            virtualmachineid=machine["id"],
            nicid=machine["nic"][0]["id"],
        )[0]
        == 431
    )
    assert (
        api.refused("deployVirtualMachine", **deployable, networkids=network, name="all")[0] == 431
    )


def test_a_machine_that_is_not_started_is_stopped_and_its_volume_without_storage(api, deployable):
    machine = api.done("deployVirtualMachine", **deployable, startvm="false")
    assert machine["state"] == "Stopped"
    assert "lastupdated" not in machine
    assert api.rows("listVolumes", virtualmachineid=machine["id"])[0]["state"] == "Allocated"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "bad name!"}, "Invalid value provided for API arg: name"),
        ({"name": "1st"}, "Invalid value provided for API arg: name"),
        ({"name": "x" * 64}, "Invalid value provided for API arg: name"),
        ({"templateid": MISSING}, "entity does not exist"),
        ({"templateid": ""}, "entity does not exist"),
        ({"zoneid": MISSING}, "entity does not exist"),
        ({"networkids": MISSING}, "entity does not exist"),
        ({"keypair": "nobody"}, "was not found"),
        ({"userdata": "***"}, "base64"),
        ({"userdata": base64.b64encode(b"x" * 32769).decode()}, "max length"),
        ({"rootdisksize": 1}, "smaller than template size"),
        ({"rootdisksize": "big"}, "Invalid value provided for API arg: rootdisksize"),
        ({"securitygroupnames": "default"}, "security group feature is not enabled"),
        ({"ipaddress": "192.0.2.1"}, "Unable to use IP"),
        ({"affinitygroupnames": "none"}, "affinity group"),
    ],
)
def test_deployments_that_are_refused_at_once(api, cloud, deployable, change, text):
    before = len(cloud.machines)
    code, said = api.refused("deployVirtualMachine", **{**deployable, **change})
    assert (code, len(cloud.machines)) == (431, before)
    assert text in said


def test_user_data_by_get_may_be_four_kilobytes(api, deployable):
    data = base64.b64encode(b"x" * 4000).decode()
    assert (
        api.get(api.signed("deployVirtualMachine", **deployable, userdata=data)).status_code == 431
    )
    assert api.reply("deployVirtualMachine", **deployable, userdata=data).status_code == 200


def test_custom_offerings_want_figures_within_their_bounds(api, deployable):
    wide = api.rows("listServiceOfferings", name="Custom")[0]
    assert wide["iscustomized"] is True
    assert not {"cpunumber", "cpuspeed", "memory"} & set(wide)
    narrow = api.rows("listServiceOfferings", name="Custom within bounds")[0]
    assert narrow["serviceofferingdetails"]["maxcpunumber"] == "4"
    deployable["serviceofferingid"] = narrow["id"]
    assert api.refused("deployVirtualMachine", **deployable)[0] == 431
    figures = {"details[0].cpuNumber": 9, "details[0].memory": 512}
    assert "between 1 and 4" in api.refused("deployVirtualMachine", **deployable, **figures)[1]
    figures = {"details[0].cpuNumber": 2, "details[1].memory": 512}
    assert api.done("deployVirtualMachine", **deployable, **figures)["cpuspeed"] == 500


def test_a_disabled_zone_takes_nothing_from_users(api, deployable):
    zone = api.rows("listZones", name="off-1")[0]
    assert zone["allocationstate"] == "Disabled"
    assert api.refused("deployVirtualMachine", **{**deployable, "zoneid": zone["id"]})[0] == 531


def test_a_basic_zone_has_security_groups_and_no_networks(api, deployable):
    zone = api.rows("listZones", name="basic-1")[0]
    assert (zone["networktype"], zone["securitygroupsenabled"]) == ("Basic", True)
    deployable["zoneid"] = zone["id"]
    network = api.rows("listNetworks", name="demo-net")[0]["id"]
    assert "Basic" in api.refused("deployVirtualMachine", **deployable, networkids=network)[1]
    machine = api.done("deployVirtualMachine", **deployable)
    assert [group["name"] for group in machine["securitygroup"]] == ["default"]


def test_the_default_network_is_used_made_or_has_to_be_named(api, cloud, url, make_api, deployable):
    zone = deployable["zoneid"]
    first = api.done("deployVirtualMachine", **deployable)
    assert first["nic"][0]["networkname"] == "demo-net"
    offering = api.rows("listNetworkOfferings", availability="Required")[0]["id"]
    api.call("createNetwork", name="n2", displaytext="", zoneid=zone, networkofferingid=offering)
    assert "please specify networkIds" in api.refused("deployVirtualMachine", **deployable)[1]
    other = make_api(cloud.settings(url, user="other"))
    assert (
        other.done("deployVirtualMachine", **deployable)["nic"][0]["networkname"] == "other-network"
    )
    assert other.call("listNetworks", name="other-network")["count"] == 1
    assert [a["issourcenat"] for a in other.rows("listPublicIpAddresses")] == [True]


@pytest.mark.parametrize(
    ("limits", "code"),
    [({"user_vm": 2}, 535), ({"cpu": 2}, 535), ({"memory": 1500}, 535), ({"volume": 2}, 535)],
)
def test_limits_of_the_account(make_api, limits, code):
    cloud = simulator.cloud("tight", instances=2, limits=limits)
    with serve([cloud]) as urls:
        api = make_api(cloud.settings(urls["tight"]))
        zone = api.rows("listZones")[0]["id"]
        offering = api.rows("listServiceOfferings")[0]["id"]
        template = api.rows("listTemplates", templatefilter="featured")[0]["id"]
        wanted = {"zoneid": zone, "serviceofferingid": offering, "templateid": template}
        refused, text = api.refused("deployVirtualMachine", **wanted)
        assert refused == code
        assert "is exceeded" in text
        assert len(cloud.machines) == 2
        (name, limit), *_ = limits.items()
        rows = {r["resourcetypename"]: r["max"] for r in api.rows("listResourceLimits")}
        assert (len(rows), rows[name]) == (17, limit)
        account = api.rows("listAccounts")[0]
        assert (account["vmtotal"], account["networklimit"]) == (2, "20")


def test_changes_of_size_want_a_stopped_machine(api, cloud):
    large = api.rows("listServiceOfferings", name="Large Instance")[0]["id"]
    running, stopped = cloud.machines[0].id, cloud.machines[3].id
    assert (
        api.refused("changeServiceForVirtualMachine", id=running, serviceofferingid=large)[0] == 431
    )
    assert api.failed("scaleVirtualMachine", id=running, serviceofferingid=large)[0] == 530
    changed = api.call("changeServiceForVirtualMachine", id=stopped, serviceofferingid=large)
    assert changed["virtualmachine"]["memory"] == 8192
    medium = api.rows("listServiceOfferings", name="Medium Instance")[0]["id"]
    assert api.done("scaleVirtualMachine", id=stopped, serviceofferingid=medium)["memory"] == 1024
    others = api.rows("listServiceOfferings", virtualmachineid=stopped)
    assert medium not in {offering["id"] for offering in others}


def test_passwords_are_told_once(api, deployable):
    template = api.rows("listTemplates", templatefilter="featured", name="debian-12")[0]
    assert template["passwordenabled"] is True
    deployable["templateid"] = template["id"]
    machine = api.done("deployVirtualMachine", **deployable, keypair="demo-key")
    assert machine["password"]
    assert "password" not in api.rows("listVirtualMachines", id=machine["id"])[0]
    assert api.call("getVMPassword", id=machine["id"])["password"]["encryptedpassword"]
    assert api.failed("resetPasswordForVirtualMachine", id=machine["id"])[0] == 431
    api.done("stopVirtualMachine", id=machine["id"])
    again = api.done("resetPasswordForVirtualMachine", id=machine["id"])
    assert again["password"] != machine["password"]
    reset = api.done("resetSSHKeyForVirtualMachine", id=machine["id"], keypair="demo-key")
    assert reset["keypairs"] == "demo-key"
    assert api.refused("getVMPassword", id=machine["id"])[0] == 431


def test_figures_come_a_minute_after_the_start(api, cloud, clock):
    machine = cloud.machines[0].id
    assert "cpuused" in api.rows("listVirtualMachines", id=machine)[0]
    api.done("rebootVirtualMachine", id=machine)
    assert "cpuused" not in api.rows("listVirtualMachines", id=machine)[0]
    assert api.rows("listVirtualMachinesUsageHistory", id=machine)[0]["stats"] == []
    clock.now += 300
    row = api.rows("listVirtualMachinesMetrics", id=machine)[0]
    assert row["cpuused"].endswith("%")
    assert isinstance(row["memorykbs"], int)
    assert row["networkread"].endswith(" MiB")
    assert len(api.rows("listVirtualMachinesUsageHistory", id=machine)[0]["stats"]) == 4
    since = "2027-01-15T08:04:00+0000"
    later = api.rows("listVirtualMachinesUsageHistory", id=machine, startdate=since)[0]["stats"]
    assert {s["timestamp"] for s in later} == {"2027-01-15T08:05:00+0000"}
    assert api.refused("listVirtualMachinesUsageHistory", startdate="soon")[0] == 431


def test_consoles_want_a_running_machine(api, cloud):
    console = api.call("createConsoleEndpoint", virtualmachineid=cloud.machines[0].id)
    assert console["consoleendpoint"]["websocket"]["token"] in console["consoleendpoint"]["url"]
    none = api.call("createConsoleEndpoint", virtualmachineid=cloud.machines[3].id)
    assert none["consoleendpoint"]["success"] is False


def test_snapshots_of_machines_hold_nics_and_volumes(api, cloud):
    machine = cloud.machines[0].id
    snapshot = api.done(
        "createVMSnapshot", virtualmachineid=machine, name="s", snapshotmemory="true"
    )
    assert (snapshot["state"], snapshot["type"]) == ("Ready", "DiskAndMemory")
    network = api.rows("listNetworks", name="demo-net")[0]
    offering = api.rows("listNetworkOfferings", availability="Required")[0]["id"]
    other = api.call(
        "createNetwork", name="n2", zoneid=network["zoneid"], networkofferingid=offering
    )
    wanted = {"virtualmachineid": machine, "networkid": other["network"]["id"]}
    assert "snapshots" in api.failed("addNicToVirtualMachine", **wanted)[1]
    assert api.done("revertToVMSnapshot", vmsnapshotid=snapshot["id"])["state"] == "Running"
    api.run("deleteVMSnapshot", vmsnapshotid=snapshot["id"])
    assert api.call("listVMSnapshot") == {}
    assert len(api.done("addNicToVirtualMachine", **wanted)["nic"]) == 2


def test_tags_are_added_and_removed_and_never_replaced(api, cloud):
    machine = cloud.machines[0].id
    where = {"resourceids": machine, "resourcetype": "UserVm"}
    api.run("createTags", **where, **{"tags[0].key": "a", "tags[0].value": "1"})
    assert api.failed("createTags", **where, **{"tags[0].key": "a", "tags[0].value": "2"})[0] == 530
    tags = api.rows("listVirtualMachines", id=machine)[0]["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == {"role": "db", "a": "1"}
    assert api.call("listTags", resourceid=machine, key="a")["count"] == 1
    api.run("deleteTags", **where, **{"tags[0].key": "a"})
    assert api.call("listTags", resourceid=machine)["count"] == 1
    assert (
        api.refused("createTags", **{**where, "resourcetype": "Volume"}, **{"tags[0].key": "k"})[0]
        == 431
    )


def test_projects_are_apart(api, deployable):
    project = api.done("createProject", name="p", displaytext="p")["id"]
    machine = api.done("deployVirtualMachine", **deployable, projectid=project, name="inside")
    assert machine["project"] == "p"
    assert api.call("listVirtualMachines", name="inside") == {}
    assert api.call("listVirtualMachines", projectid=project)["count"] == 1
    assert api.call("listVirtualMachines", projectid="-1")["count"] == 1
    assert api.rows("listProjects")[0]["vmtotal"] == 1


def test_a_behaviour_put_in_place_of_the_old_one_counts_at_once(api, cloud, clock):
    cloud.behaviour = Behaviour(state_delay=10)
    job = api.call("stopVirtualMachine", id=cloud.machines[0].id)["jobid"]
    clock.now += 9
    assert api.job(job)["jobstatus"] == 0
    clock.now += 2
    assert api.job(job)["jobstatus"] == 1


def test_every_detail_of_a_deployment_is_kept_and_told(api, deployable):
    details = {"details[0].anabranch_client_token": "t-1", "details[1].x": "y"}
    machine = api.done("deployVirtualMachine", **deployable, **details)
    row = api.rows("listVirtualMachines", id=machine["id"], details="min")[0]
    assert row["details"] == {"anabranch_client_token": "t-1", "x": "y"}


def test_jobs_are_forgotten_after_a_day(api, cloud, clock):
    job = api.call("stopVirtualMachine", id=cloud.machines[0].id)["jobid"]
    clock.now += 24 * 3600 - 1
    assert api.job(job)["jobstatus"] == 1
    clock.now += 24 * 3600 + 1
    assert api.refused("queryAsyncJobResult", jobid=job)[0] == 431


def test_a_release_takes_no_notice_of_parameters_to_come(make_api):
    cloud = simulator.cloud("old", instances=1, version="4.16.1.0")
    with serve([cloud]) as urls:
        api = make_api(cloud.settings(urls["old"]))
        wanted = {
            "zoneid": api.rows("listZones")[0]["id"],
            "serviceofferingid": api.rows("listServiceOfferings")[0]["id"],
            "templateid": api.rows("listTemplates", templatefilter="featured")[0]["id"],
        }
        assert "keypair" not in api.done("deployVirtualMachine", **wanted, keypairs="demo-key")
        machine = api.done("deployVirtualMachine", **wanted, keypair="demo-key")
        assert machine["keypair"] == "demo-key"
