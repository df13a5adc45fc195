"""Volumes, snapshots and images in time."""

from __future__ import annotations

import pytest


@pytest.fixture
def volume(api):
    zone = api.rows("listZones")[0]["id"]
    offering = api.rows("listDiskOfferings", name="Small")[0]["id"]
    return api.done("createVolume", name="v", zoneid=zone, diskofferingid=offering)["id"]


def test_a_volume_has_no_storage_before_it_is_attached(api, cloud, volume):
    machine = cloud.machines[0].id
    assert api.rows("listVolumes", id=volume)[0]["state"] == "Allocated"
    assert api.refused("createSnapshot", volumeid=volume)[0] == 431
    attached = api.done("attachVolume", id=volume, virtualmachineid=machine)
    assert (attached["state"], attached["deviceid"]) == ("Ready", 1)
    row = api.rows("listVirtualMachines", id=machine)[0]
    assert row["diskofferingname"] == "Small"
    assert api.failed("attachVolume", id=volume, virtualmachineid=machine)[0] == 431
    assert api.refused("deleteVolume", id=volume)[0] == 431
    found = api.done("detachVolume", virtualmachineid=machine, deviceid=1)
    assert (found["id"], found["state"]) == (volume, "Ready")
    assert "virtualmachineid" not in found
    assert api.failed("detachVolume", id=volume)[0] == 431
    assert api.call("deleteVolume", id=volume) == {"success": True}
    assert api.refused("listVolumes", id=volume)[0] == 431


def test_attaching_lasts(api, slow, clock):
    zone = api.rows("listZones")[0]["id"]
    offering = api.rows("listDiskOfferings", name="Small")[0]["id"]
    reply = api.call("createVolume", name="v", zoneid=zone, diskofferingid=offering)
    clock.now += 4.1
    job = api.call("attachVolume", id=reply["id"], virtualmachineid=slow.machines[0].id)["jobid"]
    assert api.rows("listVolumes", id=reply["id"])[0]["state"] == "Attaching"
    clock.now += 4.1
    assert api.job(job)["jobresult"]["volume"]["vmname"] == slow.machines[0].name


def test_a_volume_of_another_zone_is_not_attached(api, cloud, volume):
    assert (
        "same zone"
        in api.failed("attachVolume", id=volume, virtualmachineid=cloud.machines[9].id)[1]
    )


def test_sizes_of_volumes(api, volume):
    zone = api.rows("listZones")[0]["id"]
    custom = api.rows("listDiskOfferings", name="Custom")[0]["id"]
    made = api.done("createVolume", zoneid=zone, diskofferingid=custom, size=7)
    assert made["size"] == 7 << 30
    assert api.done("resizeVolume", id=made["id"], size=9)["size"] == 9 << 30
    assert api.refused("resizeVolume", id=made["id"], size=3)[0] == 431
    assert api.done("resizeVolume", id=made["id"], size=3, shrinkok="true")["size"] == 3 << 30
    assert "customizable" in api.refused("resizeVolume", id=volume, size=50)[1]
    medium = api.rows("listDiskOfferings", name="Medium")[0]["id"]
    assert api.done("resizeVolume", id=volume, diskofferingid=medium)["size"] == 20 << 30
    assert api.refused("createVolume", zoneid=zone, diskofferingid=custom, size=5000)[0] == 431
    assert api.refused("createVolume", name="x")[0] == 431


def test_the_trash(api, volume):
    assert api.done("destroyVolume", id=volume)["state"] == "Destroy"
    assert api.call("recoverVolume", id=volume)["volume"]["state"] == "Ready"
    api.run("destroyVolume", id=volume, expunge="true")
    assert api.refused("recoverVolume", id=volume)[0] == 431


def test_snapshots_in_time(api, slow, clock):
    root = api.rows("listVolumes", virtualmachineid=slow.machines[0].id)[0]["id"]
    reply = api.call("createSnapshot", volumeid=root, **{"tags[0].key": "a", "tags[0].value": "b"})
    row = api.rows("listSnapshots", id=reply["id"])[0]
    assert (row["state"], row["tags"][0]["key"]) == ("Creating", "a")
    clock.now += 4.1
    assert api.job(reply["jobid"])["jobresult"]["snapshot"]["state"] == "BackedUp"
    early = api.call("createSnapshot", volumeid=root, asyncbackup="true")
    clock.now += 4.1
    assert api.job(early["jobid"])["jobresult"]["snapshot"]["state"] == "BackingUp"
    clock.now += 4.1
    assert api.rows("listSnapshots", id=early["id"])[0]["state"] == "BackedUp"


def test_reverting_wants_a_stopped_machine(api, cloud):
    root = api.rows("listVolumes", virtualmachineid=cloud.machines[0].id)[0]["id"]
    snapshot = api.done("createSnapshot", volumeid=root)["id"]
    assert api.failed("revertSnapshot", id=snapshot)[0] == 431
    api.run("stopVirtualMachine", id=cloud.machines[0].id)
    assert api.done("revertSnapshot", id=snapshot)["id"] == snapshot
    assert api.call("listSnapshotPolicies", volumeid=root) == {}


def test_templates_of_volumes_and_their_end(api, cloud):
    os_type = api.rows("listOsTypes")[0]["id"]
    running, stopped = cloud.machines[0].id, cloud.machines[3].id
    wanted = {"name": "mine", "displaytext": "mine", "ostypeid": os_type}
    root = api.rows("listVolumes", virtualmachineid=running)[0]["id"]
    assert api.refused("createTemplate", **wanted, volumeid=root)[0] == 431
    assert api.refused("createTemplate", **wanted)[0] == 431
    root = api.rows("listVolumes", virtualmachineid=stopped)[0]["id"]
    image = api.done("createTemplate", **wanted, volumeid=root)
    assert image["isready"] is True
    assert api.call("listTemplates", templatefilter="executable", id=image["id"])["count"] == 1
    api.call("updateTemplatePermissions", id=image["id"], ispublic="true", isfeatured="true")
    featured = api.rows("listTemplates", templatefilter="featured")
    assert image["id"] in {row["id"] for row in featured}
    api.run("deleteTemplate", id=image["id"])
    builtin = api.rows("listTemplates", templatefilter="featured", name="ubuntu-24.04")
    assert len({row["zoneid"] for row in builtin}) == 3  # one row for each zone, with one id
    assert len({row["id"] for row in builtin}) == 1
    assert api.refused("deleteTemplate", id=builtin[0]["id"])[0] == 531


def test_a_registered_template_is_ready_later(api, slow, clock):
    zone = api.rows("listZones")[0]["id"]
    os_type = api.rows("listOsTypes")[0]["id"]
    wanted = {"name": "new", "displaytext": "new", "hypervisor": "KVM", "format": "QCOW2"}
    wanted |= {"ostypeid": os_type, "zoneid": zone}
    for url in ("http://127.0.0.1/x", "http://localhost/x", "http://10.1.2.3/x", "ftp://e.org/x"):
        assert api.refused("registerTemplate", **wanted, url=url)[0] == 431
    (row,) = api.rows("registerTemplate", **wanted, url="http://images.example.org/x.qcow2")
    assert (row["isready"], row["status"]) == (False, "42% Downloaded")
    assert api.call("listTemplates", templatefilter="executable", id=row["id"]) == {}
    clock.now += 4.1
    ready = api.rows("listTemplates", templatefilter="executable", id=row["id"])[0]
    assert (ready["isready"], ready["status"]) == (True, "Download Complete")


def test_isos_in_the_drive(api, cloud):
    machine = cloud.machines[0].id
    assert api.call("listIsos") == {}
    iso = api.rows("listIsos", isofilter="featured")[0]["id"]
    assert api.done("attachIso", id=iso, virtualmachineid=machine)["isoname"] == "netinst"
    assert api.call("listVirtualMachines", isoid=iso)["count"] == 1
    assert "isoid" not in api.done("detachIso", virtualmachineid=machine)
    assert api.failed("detachIso", virtualmachineid=machine)[0] == 431


def test_what_is_removed_while_it_is_made_fails_its_job(api, slow, clock):
    zone = api.rows("listZones")[0]["id"]
    offering = api.rows("listDiskOfferings", name="Small")[0]["id"]
    reply = api.call("createVolume", name="v", zoneid=zone, diskofferingid=offering)
    assert api.call("deleteVolume", id=reply["id"]) == {"success": True}
    clock.now += 4.1
    job = api.job(reply["jobid"])
    assert (job["jobstatus"], job["jobresultcode"]) == (2, 530)


def test_a_volume_that_is_being_attached_is_not_deleted(api, slow, clock):
    zone = api.rows("listZones")[0]["id"]
    offering = api.rows("listDiskOfferings", name="Small")[0]["id"]
    volume = api.call("createVolume", name="v", zoneid=zone, diskofferingid=offering)["id"]
    clock.now += 4.1
    api.call("attachVolume", id=volume, virtualmachineid=slow.machines[0].id)
    assert api.refused("deleteVolume", id=volume)[0] == 431
