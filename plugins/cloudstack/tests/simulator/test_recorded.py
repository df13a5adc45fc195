"""Everything that a real 4.22 was asked in one walk, asked of the simulator: the same shapes.

`shapes.json` holds, for every recorded exchange, the status and the keys and types of the body,
rows of a list laid over each other (`key?` is not in all of them); `@1` is an object that comes
more than once.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anabranch.testing.simulation import serve
from anabranch_cloudstack.simulator import simulator

RECORDED = json.loads((Path(__file__).parent.parent / "data" / "shapes.json").read_text())
OBJECTS, SHAPES = RECORDED["objects"], RECORDED["exchanges"]

CONDITIONAL = {
    # by the history of the object, and not by the command
    *("cpuused", "networkkbsread", "networkkbswrite", "diskkbsread", "diskkbswrite"),
    *("memorykbs", "memoryintfreekbs", "memorytargetkbs", "diskioread", "diskiowrite"),
    *("attached", "pooltype", "isolationuri", "broadcasturi", "size"),
}


def differences(have, want, path=""):
    """Where a body differs from a recorded shape."""
    if isinstance(want, str) and want in OBJECTS:
        want = OBJECTS[want]
    if isinstance(want, dict):
        if not isinstance(have, dict):
            yield f"{path} is {type(have).__name__}, not an object"
            return
        known = {key.rstrip("?"): shape for key, shape in want.items()}
        for key in want:
            if not key.endswith("?") and key not in have and key not in CONDITIONAL:
                yield f"{path}.{key} is missing"
        for key, value in have.items():
            if key in known:
                yield from differences(value, known[key], f"{path}.{key}")
            elif key not in CONDITIONAL and not path.endswith((".details", ".params")):
                yield f"{path}.{key} is not in the recording"
    elif isinstance(want, list):
        if not isinstance(have, list):
            yield f"{path} is {type(have).__name__}, not a list"
        elif want:
            for row in have:
                yield from differences(row, want[0], f"{path}[]")
    elif type(have).__name__ != want:
        yield f"{path} is {type(have).__name__}, not {want}"


class Walk:
    """Asks, and keeps what differs."""

    def __init__(self, api):
        self.api = api
        self.seen = {}

    def compare(self, name, reply):
        recorded = SHAPES[name]
        body = reply.json()
        found = list(differences(body, recorded["shape"]))
        if reply.status_code != recorded["status"]:
            found.append(f"{reply.status_code} {body}, not {recorded['status']}")
        (document,) = body.values()
        found += [
            f"{key} is {document.get(key)}, not {recorded[key]}"
            for key in ("cserrorcode", "cmd", "jobresultcode")
            if key in recorded and document.get(key) != recorded[key]
        ]
        self.seen[name] = found
        return document

    def ask(self, name, /, **parameters):
        """Ask what one recording asked, with our own ids, and follow the job if there is one."""
        reply = self.api.reply(name.partition("-")[0], **parameters)
        document = self.compare(name, reply)
        if "jobid" in document and reply.status_code == 200:
            job = self.api.reply("queryAsyncJobResult", jobid=document["jobid"])
            if f"job:{name}" in SHAPES:
                self.compare(f"job:{name}", job)
            result = job.json()["queryasyncjobresultresponse"].get("jobresult", {})
            return {"id": document.get("id")} | result
        return document


@pytest.fixture(scope="module")
def walk(make_api):
    cloud = simulator.cloud("recorded", instances=0)
    state = cloud.state  # the real one was empty at first
    state.key_pairs.clear()
    del state.images[next(i.id for i in state.images.values() if i.account)]
    del state.networks[next(n.id for n in state.networks.values() if n.account)]
    for address in state.addresses.values():
        address.account, address.network, address.state = "", "", "Free"
        address.source_nat = False
    with serve([cloud]) as urls:
        walk = Walk(make_api(cloud.settings(urls["recorded"])))
        stroll(walk)
        yield walk


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_recorded_exchange_has_the_shape_of_the_real_one(walk, name):
    assert walk.seen[name] == []


def stroll(walk):
    ask = walk.ask
    zones = ask("listZones")["zone"]
    zone, basic = zones[0]["id"], zones[1]["id"]
    offerings = {
        o["name"]: o["id"] for o in ask("listServiceOfferings-withcustom")["serviceoffering"]
    }
    small = offerings["Small Instance"]
    disks = {o["name"]: o["id"] for o in ask("listDiskOfferings")["diskoffering"]}
    template = ask("listTemplates-executable", templatefilter="executable")["template"][0]["id"]
    common = {"zoneid": zone, "serviceofferingid": small, "templateid": template}
    ask("listTemplates-featured", templatefilter="featured")
    ask("listTemplates-zone", templatefilter="executable", zoneid=zone)
    ask("listTemplates-community", templatefilter="community")
    ask("listTemplates-all", templatefilter="all")
    ask("listTemplates-nofilter")
    ask("listIsos-self", isofilter="self")
    ask("listHypervisors"), ask("listHypervisors-zone", zoneid=zone)
    ask("listRegions"), ask("listOsCategories"), ask("listCapabilities"), ask("listResourceLimits")
    ask("listVirtualMachines-empty"), ask("listVolumes-empty"), ask("listSSHKeyPairs-empty")
    (
        ask("listNetworks-empty"),
        ask("listProjects"),
        ask("listAsyncJobs"),
        ask("listApis-unknown", name="x"),
    )
    ask("getVMUserData", virtualmachineid="x"), ask("listDomains")
    network_offering = ask("listNetworkOfferings-isolated", guestiptype="Isolated", state="Enabled")
    source_nat = next(
        o["id"] for o in network_offering["networkoffering"] if o["availability"] == "Required"
    )
    ask("listNetworkOfferings-all")
    tier_offering = ask("listNetworkOfferings-vpc", forvpc="true", state="Enabled")[
        "networkoffering"
    ][0]["id"]
    vpc_offering = ask("listVPCOfferings")["vpcoffering"][0]["id"]
    ask("createNetwork-missing", name="net1")
    net = ask(
        "createNetwork",
        name="net1",
        displaytext="net one",
        zoneid=zone,
        networkofferingid=source_nat,
    )
    net = net["network"]["id"]
    ask("createSSHKeyPair", name="k1"), ask("createSSHKeyPair-dup", name="k1")
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICGuyAXl8c+sHJH3ubhRiY1wSpQT7nR3LL4kSVPvcV+B root@vm"
    ask("registerSSHKeyPair", name="k2", publickey=key)
    ask("registerSSHKeyPair-dup", name="k3", publickey=key)
    ask("registerSSHKeyPair-bad", name="k4", publickey="not-a-key")
    ask("listSSHKeyPairs")
    data = "I2Nsb3VkLWNvbmZpZwpob3N0bmFtZTogeAo="
    vm = ask(
        "deployVirtualMachine",
        **common,
        name="vm1",
        displayname="VM One",
        networkids=net,
        keypair="k1",
        userdata=data,
    )["id"]
    ask("listVirtualMachines-one", id=vm)
    ask("listVirtualMachines-detailsmin", details="min")
    ask("listVirtualMachines-statePresent", state="Present")
    ask("listVirtualMachines-stateRunning", state="Running")
    ask("listVirtualMachines-stateStopped", state="Stopped")
    ask("listVirtualMachines-notfound", id="00000000-0000-0000-0000-000000000000")
    ask("listVirtualMachines-arrcomma", ids="a,b")
    ask("listVirtualMachines-projectall", projectid="-1")
    ask("getVirtualMachineUserData", virtualmachineid=vm)
    ask("getVMPassword", id=vm)
    ask("deployVirtualMachine-noparam", name="x")
    ask("deployVirtualMachine-badname", **common, networkids=net, name="bad name!")
    ask("deployVirtualMachine-dupname", **common, networkids=net, name="vm1")
    missing = "00000000-0000-0000-0000-000000000000"
    ask("deployVirtualMachine-badtemplate", **{**common, "templateid": missing})
    ask("deployVirtualMachine-basicnet", **{**common, "zoneid": basic}, name="bn", networkids=net)
    groups = ask("listSecurityGroups")["securitygroup"]
    ask(
        "deployVirtualMachine-sgadvanced",
        **common,
        networkids=net,
        securitygroupids=groups[0]["id"],
    )
    ask(
        "deployVirtualMachine-customnodetails",
        **{**common, "serviceofferingid": offerings["Custom"]},
        networkids=net,
    )
    bounded = {**common, "serviceofferingid": offerings["Custom within bounds"], "networkids": net}
    out = {"details[0].cpuNumber": 9, "details[0].memory": 512}
    ask("deployVirtualMachine-customoutofrange", **bounded, **out)
    custom = {**common, "serviceofferingid": offerings["Custom"], "networkids": net, "name": "cu1"}
    figures = {"details[0].cpuNumber": 1, "details[0].cpuSpeed": 500, "details[0].memory": 512}
    cu1 = ask("deployVirtualMachine-custom", **custom, **figures)["id"]
    huge = {**common, "serviceofferingid": offerings["Gigantic"], "networkids": net, "name": "cu5"}
    error = ask("deployVirtualMachine-nocapacity2", **huge)["id"]
    ask("destroyVirtualMachine-error", id=error, expunge="true")
    nostart = {**common, "networkids": net, "name": "vmns", "startvm": "false", "rootdisksize": 20}
    nostart = ask("deployVirtualMachine-nostart", **nostart)["id"]
    ask("destroyVirtualMachine-nostart", id=nostart, expunge="true")
    ask("stopVirtualMachine", id=vm), ask("stopVirtualMachine-again", id=vm)
    ask("startVirtualMachine", id=vm), ask("startVirtualMachine-again", id=vm)
    ask("rebootVirtualMachine", id=vm), ask("updateVirtualMachine", id=vm, displayname="VM uno")
    medium = offerings["Medium Instance"]
    ask("changeServiceForVirtualMachine-running", id=vm, serviceofferingid=medium)
    ask("scaleVirtualMachine-running", id=vm, serviceofferingid=medium)
    ask("resetPasswordForVirtualMachine-running", id=vm)
    ask("stopVirtualMachine-forced", id=cu1, forced="true")
    ask("listVirtualMachines-stopped", id=cu1)
    ask("rebootVirtualMachine-stopped", id=cu1)
    ask("resetSSHKeyForVirtualMachine", id=cu1, keypair="k1")
    ask("restoreVirtualMachine", virtualmachineid=cu1)
    ask("destroyVirtualMachine-plain", id=cu1), ask("destroyVirtualMachine-twice", id=cu1)
    ask("listVirtualMachines-destroyed", id=cu1), ask("startVirtualMachine-destroyed", id=cu1)
    ask("expungeVirtualMachine", id=cu1), ask("expungeVirtualMachine-again", id=cu1)
    ask("listVirtualMachines-expunged", id=cu1)
    ask("createConsoleEndpoint", virtualmachineid=vm)
    ask("listVirtualMachinesMetrics"), ask("listVirtualMachinesUsageHistory")
    tags = {
        "tags[0].key": "env",
        "tags[0].value": "dev",
        "tags[1].key": "a b",
        "tags[1].value": "c=d",
    }
    uservm = {"resourceids": vm, "resourcetype": "UserVm"}
    ask("createTags", **uservm, **tags), ask("createTags-dup", **uservm, **tags), ask("listTags")
    ask("listVirtualMachines-tagged", **{"tags[0].key": "env", "tags[0].value": "dev"})
    ask("deleteTags", **uservm, **{"tags[0].key": "env"})
    ask("registerUserData", name="ud1", userdata="I2Nsb3VkLWNvbmZpZwo="), ask("listUserData")
    ask("listAffinityGroupTypes")
    ask("createAffinityGroup", name="ag", type="host anti-affinity"), ask("listAffinityGroups")
    addresses(walk, vm, net)
    groups_walk(walk, {**common, "zoneid": basic})
    storage(walk, vm, zone, disks)
    vpc(walk, zone, vpc_offering, tier_offering, vm, common)
    ask("updateNetwork", id=net, displaytext="zz"), ask("restartNetwork", id=net, cleanup="false")
    ask("listNetworks"), ask("deleteNetwork-inuse", id=net)
    ask("createProject", name="prj", displaytext="prj"), ask("listProjects-one")
    ask("destroyVirtualMachine-cl", id=vm, expunge="true"), ask("deleteNetwork-cl", id=net)


def addresses(walk, vm, net):
    ask = walk.ask
    ask("listPublicIpAddresses")
    ask("listPublicIpAddresses-free", state="Free", pagesize=2, page=1)
    ask("associateIpAddress-noparam")
    ip = ask("associateIpAddress", networkid=net)["id"]
    ask("listPublicIpAddresses-one", id=ip)
    ports = {"startport": 22, "endport": 22, "cidrlist": "10.0.0.0/8,192.168.0.0/16"}
    rule = ask("createFirewallRule", ipaddressid=ip, protocol="tcp", **ports)["id"]
    ask("createFirewallRule-conflict", ipaddressid=ip, protocol="tcp", startport=20, endport=23)
    ask("createFirewallRule-icmp", ipaddressid=ip, protocol="icmp", icmptype=-1, icmpcode=-1)
    ask("listFirewallRules"), ask("deleteFirewallRule", id=rule)
    ask("createEgressFirewallRule", networkid=net, protocol="tcp", startport=1, endport=65535)
    ask("listEgressFirewallRules")
    forward = {"ipaddressid": ip, "protocol": "tcp", "publicport": 2222, "privateport": 22}
    forward |= {"virtualmachineid": vm, "openfirewall": "false"}
    rule = ask("createPortForwardingRule", **forward)["id"]
    ask("createPortForwardingRule-conflict", **forward), ask("listPortForwardingRules")
    ask("enableStaticNat-conflict", ipaddressid=ip, virtualmachineid=vm)
    balance = {"publicipid": ip, "name": "lb1", "publicport": 80, "privateport": 8080}
    ask("createLoadBalancerRule-badalg", **balance, algorithm="nope")
    lb = ask("createLoadBalancerRule", **balance, algorithm="roundrobin", protocol="tcp")["id"]
    ask("listLoadBalancerRules"), ask("assignToLoadBalancerRule", id=lb, virtualmachineids=vm)
    ask("listLoadBalancerRuleInstances", id=lb)
    ask("listLoadBalancerRuleInstances-ips", id=lb, lbvmips="true")
    ask("createLBStickinessPolicy", lbruleid=lb, name="st1", methodname="LbCookie")
    ask("listLBStickinessPolicies", lbruleid=lb), ask("listLBHealthCheckPolicies", lbruleid=lb)
    ask("createLBHealthCheckPolicy", lbruleid=lb, pingpath="/")
    ask("updateLoadBalancerRule", id=lb, algorithm="leastconn")
    ask("removeFromLoadBalancerRule", id=lb, virtualmachineids=vm)
    ask("deleteLoadBalancerRule", id=lb), ask("deletePortForwardingRule", id=rule)
    other = walk.api.call("associateIpAddress", networkid=net)["id"]
    ask("enableStaticNat", ipaddressid=other, virtualmachineid=vm)
    ask("listPublicIpAddresses-static", id=other)
    ask("createIpForwardingRule", ipaddressid=other, protocol="tcp", startport=80, endport=81)
    ask("listIpForwardingRules"), ask("disassociateIpAddress-inuse", id=other)
    ask("disassociateIpAddress", id=ip)
    source = next(a["id"] for a in walk.api.rows("listPublicIpAddresses") if a["issourcenat"])
    ask("disassociateIpAddress-sourcenat", id=source)


def groups_walk(walk, common):
    ask = walk.ask
    group = ask("createSecurityGroup", name="sg1", description="d")["securitygroup"]["id"]
    ask("createSecurityGroup-dup", name="sg1")
    multi = ask("createSecurityGroup-m", name="multi")["securitygroup"]["id"]
    rule = {"securitygroupid": group, "protocol": "TCP", "startport": 22, "endport": 22}
    ask("authorizeSecurityGroupIngress", **rule, cidrlist="0.0.0.0/0")
    ask("authorizeSecurityGroupIngress-dup", **rule, cidrlist="0.0.0.0/0")
    icmp = {"securitygroupid": group, "protocol": "ICMP", "icmptype": 8, "icmpcode": 0}
    ask("authorizeSecurityGroupIngress-icmp", **icmp, cidrlist="10.0.0.0/8")
    web = {"securitygroupid": group, "protocol": "TCP", "startport": 80, "endport": 80}
    source = {
        "usersecuritygrouplist[0].account": "demo",
        "usersecuritygrouplist[0].group": "default",
    }
    ask("authorizeSecurityGroupIngress-group", **web, **source)
    two = {"securitygroupid": multi, "protocol": "TCP", "startport": 1, "endport": 2}
    ask("authorizeSecurityGroupIngress-multi", **two, cidrlist="10.0.0.0/8,11.0.0.0/8")
    ask("authorizeSecurityGroupEgress", securitygroupid=group, protocol="all", cidrlist="0.0.0.0/0")
    listed = ask("listSecurityGroups-one", id=group)["securitygroup"][0]
    ask("revokeSecurityGroupIngress", id=listed["ingressrule"][0]["ruleid"])
    vm = ask("deployVirtualMachine-basicsg", **common, name="bvm1", securitygroupids=group)["id"]
    ask("deleteSecurityGroup-inuse", id=group), ask("deleteSecurityGroup-default", name="default")
    ask("destroyVirtualMachine-basic", id=vm, expunge="true")
    ask("deleteSecurityGroup", id=group), ask("deleteSecurityGroup-m", id=multi)


def storage(walk, vm, zone, disks):
    ask = walk.ask
    ask("listVolumes", virtualmachineid=vm)
    volume = ask("createVolume", name="v1", zoneid=zone, diskofferingid=disks["Small"])["id"]
    ask("createVolume-customnosize", name="v3", zoneid=zone, diskofferingid=disks["Custom"])
    custom = {"name": "v2", "zoneid": zone, "diskofferingid": disks["Custom"], "size": 7}
    custom = ask("createVolume-custom", **custom)["id"]
    ask("createSnapshot-allocated", volumeid=custom)
    ask("attachVolume", id=volume, virtualmachineid=vm)
    ask("attachVolume-again", id=volume, virtualmachineid=vm)
    ask("listVolumes-attached", id=volume), ask("listVolumes-r", virtualmachineid=vm)
    ask("listVolumes-all"), ask("resizeVolume", id=custom, size=9), ask("deleteVolume", id=custom)
    snapshot = ask("createSnapshot", volumeid=volume, name="s1")["id"]
    ask("listSnapshots")
    root = walk.api.rows("listVolumes", virtualmachineid=vm, type="ROOT")[0]["id"]
    root_snapshot = ask("createSnapshot-root", volumeid=root)["id"]
    os_type = walk.api.rows("listOsTypes")[0]["id"]
    image = {
        "snapshotid": root_snapshot,
        "name": "tpl1",
        "displaytext": "tpl1",
        "ostypeid": os_type,
    }
    image = ask("createTemplate", **image)["id"]
    ask("listTemplates-self2", templatefilter="self"), ask("deleteTemplate", id=image)
    restored = ask("createVolume-fromsnap", name="vsn", snapshotid=snapshot)["id"]
    ask("deleteVolume-x", id=restored), ask("deleteSnapshot", id=snapshot)
    policy = {"volumeid": root, "intervaltype": "DAILY", "schedule": "00:02", "timezone": "UTC"}
    ask("createSnapshotPolicy", **policy, maxsnaps=2)
    whole = ask("createVMSnapshot", virtualmachineid=vm, name="vs1")["id"]
    (
        ask("listVMSnapshot"),
        ask("detachVolume", id=volume),
        ask("deleteVMSnapshot", vmsnapshotid=whole),
    )
    url = "http://127.0.0.1/x.qcow2"
    template = {"name": "rt", "displaytext": "rt", "url": url, "zoneid": zone, "ostypeid": os_type}
    ask("registerTemplate", **template, hypervisor="KVM", format="RAW")
    ask("registerIso", **template)


def vpc(walk, zone, vpc_offering, tier_offering, vm, common):
    ask = walk.ask
    cloud = {"name": "vpc1", "displaytext": "vpc1", "cidr": "10.9.0.0/16", "zoneid": zone}
    vpc = ask("createVPC", **cloud, vpcofferingid=vpc_offering)["id"]
    acl = ask("createNetworkACLList", name="acl1", vpcid=vpc)["id"]
    ask("listNetworkACLLists")
    ports = {"protocol": "tcp", "startport": 443, "endport": 443, "cidrlist": "0.0.0.0/0"}
    ports |= {"action": "Allow", "traffictype": "Ingress", "number": 10}
    item = ask("createNetworkACL", aclid=acl, **ports)["id"]
    ask("listNetworkACLs", aclid=acl)
    tier = {"name": "tier1", "displaytext": "tier1", "zoneid": zone, "vpcid": vpc}
    tier |= {"networkofferingid": tier_offering, "netmask": "255.255.255.0"}
    ask("createNetwork-tieroutside", **tier, gateway="10.8.1.1")
    network = ask("createNetwork-tier", **tier, gateway="10.9.1.1", aclid=acl)["network"]["id"]
    ask("createNetwork-tieroverlap", **tier, gateway="10.9.1.1")
    ask("replaceNetworkACLList", aclid=acl, networkid=network)
    ask("listNetworks-vpc", vpcid=vpc), ask("listVPCs")
    place = {"iptonetworklist[0].networkid": network, "iptonetworklist[0].ip": "10.9.1.77"}
    guest = ask("deployVirtualMachine-tier", **common, name="vmt", **place)["id"]
    ask("destroyVirtualMachine", id=guest), ask("recoverVirtualMachine", id=guest)
    ask("destroyVirtualMachine-expunge", id=guest, expunge="true")
    ask("listNics", virtualmachineid=vm)
    ask("addNicToVirtualMachine", virtualmachineid=vm, networkid=network)
    nics = ask("listNics-two", virtualmachineid=vm)["nic"]
    first, second = (nic["id"] for nic in nics)
    ask("addIpToNic", nicid=second), ask("listNics-secip", virtualmachineid=vm)
    ask("updateDefaultNicForVirtualMachine", virtualmachineid=vm, nicid=second)
    ask("removeNicFromVirtualMachine-default", virtualmachineid=vm, nicid=second)
    ask("updateDefaultNicForVirtualMachine-back", virtualmachineid=vm, nicid=first)
    ask("removeNicFromVirtualMachine", virtualmachineid=vm, nicid=second)
    ask("deleteNetworkACL", id=item)
    walk.api.run("deleteNetwork", id=network)
    ask("deleteVPC-cl", id=vpc)
