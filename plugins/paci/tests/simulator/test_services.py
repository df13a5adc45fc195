"""Firewalls, backups, autoscale, applications, images and balancers."""

from urllib.parse import quote

import pytest

DAY = "2027-01-15%2000:00%20UTC/2027-01-16%2000:00%20UTC"

FIREWALL = (
    '<firewall><rule name="ssh" protocol="TCP" local-port="22" remote-port="0">'
    "<remote-net>192.0.2.0/24</remote-net><remote-net>2001:db8::/32</remote-net></rule>"
    '<rule name="dns" protocol="UDP" local-port="53" remote-port="0"/></firewall>'
)


def test_a_firewall_is_made_replaced_and_deleted(api):
    path = "/ve/lisbon-0001/firewall"
    assert len(api.get(path)) == 0
    assert api.do("POST", path, FIREWALL, 200).headers["Content-Type"] == "text/plain"
    ssh, dns = api.get(path)
    assert ssh.attrib.items() >= {"name": "ssh", "protocol": "TCP", "local-port": "22"}.items()
    assert int(ssh.get("id")) != int(dns.get("id"))
    assert [net.text for net in ssh] == ["192.0.2.0/24", "2001:db8::/32"]
    api.do("POST", path, FIREWALL, 409)
    api.do(
        "PUT",
        path,
        '<firewall><rule name="x" protocol="TCP" local-port="1" remote-port="2"/></firewall>',
        200,
    )
    assert [rule.get("name") for rule in api.get(path)] == ["x"]
    api.do("DELETE", path, status=200)
    assert len(api.get(path)) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name="ssh"', ""),
        ('protocol="TCP"', ""),
        ('"22"', '"65536"'),
        ('"22"', '"ssh"'),
        ("192.0.2.0/24", "everywhere"),
    ],
)
def test_rules_that_make_no_sense_are_refused(api, old, new):
    api.do("PUT", "/ve/lisbon-0001/firewall", FIREWALL.replace(old, new, 1), 400)
    assert len(api.get("/ve/lisbon-0001/firewall")) == 0


def test_schedules_are_assigned_and_removed(api):
    weekly, daily = api.get("/schedule")
    assert (weekly.get("name"), daily.get("name")) == ("weekly", "daily")
    assert int(daily.get("backups-to-keep")) > 0
    assert daily.findtext("description")
    api.do("PUT", "/ve/lisbon-0002/schedule/daily")
    assert api.ve("lisbon-0002").find("backup-schedule").get("name") == "daily"
    api.do("PUT", "/ve/lisbon-0002/nobackup/")
    assert api.ve("lisbon-0002").find("backup-schedule") is None
    api.do("PUT", "/ve/lisbon-0002/schedule/never", status=404)


def test_a_backup_is_made_restored_and_deleted(api, clock):
    path = f"/ve/lisbon-0001/backups/{DAY}"
    api.do("POST", "/ve/lisbon-0001/backup")
    assert len(api.get(path)) == 0
    clock.now += 4
    (backup,) = api.get(path)
    identity = backup.get("cloud-backup-id")
    assert identity.startswith("{")
    assert backup.get("ended") == "2027-01-15 08:00:04+00"
    one = f"/ve/lisbon-0001/backup/{quote(identity)}"
    assert "%7B" in one
    assert api.get(one).attrib == backup.attrib
    assert len(api.get(path.replace("2027", "2026"))) == 0

    restore = f"/ve/lisbon-0001/restore/{quote(identity)}"
    api.do("PUT", restore, status=409)
    api.do("PUT", "/ve/lisbon-0001/stop")
    clock.now += 4
    api.do("PUT", restore)
    api.do("PUT", restore.replace("%7B", "%7Bff"), status=404)

    api.do("DELETE", one)
    clock.now += 4
    api.do("GET", one, status=404)
    assert len(api.get(path)) == 0


AUTOSCALE = (
    '<autoscale-data><autoscale-rule metric="cpu" allow-migration="true" allow-restart="false">'
    '<limits min="1000" max="4000" step="500"/><thresholds><up threshold="80" period="60"/>'
    '<down threshold="20" period="120"/></thresholds></autoscale-rule></autoscale-data>'
)


def test_autoscale_rules_are_made_replaced_and_deleted(api):
    path = "/ve/lisbon-0001/autoscale"
    assert len(api.get(path)) == 0
    assert api.ve("lisbon-0001").find("autoscale") is None
    made = api.do("POST", path, AUTOSCALE, 200).xml
    rule = made.find("current/autoscale-rule")
    assert (rule.get("metric"), rule.get("version"), rule.get("enabled")) == ("cpu", "1", "true")
    assert rule.find("limits").attrib == {"min": "1000", "max": "4000", "step": "500"}
    assert rule.find("thresholds/down").attrib == {"threshold": "20", "period": "120"}
    api.do("POST", path, AUTOSCALE, 409)
    api.do("PUT", path, AUTOSCALE.replace("cpu", "ram"), 200)
    rule = api.get(path).find("current/autoscale-rule")
    assert (rule.get("metric"), rule.get("version")) == ("ram", "2")
    shown = api.ve("lisbon-0001")
    assert shown.find("autoscale/current/autoscale-rule").get("metric") == "ram"
    assert int(shown.find("current-resource-consumption").get("ram")) > 0
    api.do("PUT", path, AUTOSCALE.replace("cpu", "disk"), 400)
    api.do("PUT", path, AUTOSCALE.replace("<limits", "<other"), 400)
    assert api.do("DELETE", path, status=200).headers["Content-Type"] == "text/plain"
    assert len(api.get(path)) == 0
    for history in ("/history/5", f"/history/{DAY}?average-period=60&tail=true"):
        assert api.get(path + history).tag == "resource-consumption-and-autoscale-history"
    api.do("GET", path + "/history/many", status=400)
    api.do("GET", path + "/history/then/now", status=400)


def test_applications_come_and_go(api, clock):
    names = [app.get("name") for app in api.get("/application-template")]
    assert names == ["mysql", "php", "mod_ssl"]
    one = api.get("/application-template/php/centos-6-x86_64")
    assert (one.tag, one.get("for-os")) == ("application-template", "centos-6-x86_64")
    api.do("GET", "/application-template/php/debian-7.0-x86_64", status=404)

    def installed():
        return {
            (app.get("app-template"), app.get("uninstalled-at") is not None)
            for app in api.ve("lisbon-0001").findall("app-info")
        }

    api.do("PUT", "/ve/lisbon-0001/install/mysql")
    assert installed() == set()
    clock.now += 4
    assert installed() == {("mysql", False)}
    api.do("PUT", "/ve/lisbon-0001/install?name=php&name=mod_ssl")
    clock.now += 4
    assert installed() == {("mysql", False), ("php", False), ("mod_ssl", False)}
    api.do("DELETE", "/ve/lisbon-0001/application/php")
    clock.now += 4
    assert installed() == {("mysql", False), ("php", True), ("mod_ssl", False)}
    api.do("DELETE", "/ve/lisbon-0001/application/php", status=404)
    api.do("POST", "/ve/lisbon-0001/application?name=php")
    clock.now += 4
    assert installed() == {("php", False)}
    api.do("POST", "/ve/lisbon-0001/recreate")
    clock.now += 4
    assert installed() == {("php", False)}
    api.do("POST", "/ve/lisbon-0001/recreate?drop-apps=true")
    clock.now += 4
    assert installed() == set()
    api.do("PUT", "/ve/lisbon-0001/install", status=400)
    api.do("PUT", "/ve/lisbon-0002/install/mysql", status=404)  # another OS


def test_templates_have_what_clients_read(api):
    templates = {t.get("name"): t for t in api.get("/template")}
    for template in templates.values():
        assert template.get("technology") in ("CT", "VM")
        assert [option.get("name") for option in template] == ["arch", "os"]
        assert int(template.get("id")) > 0
        assert int(template.get("min-hdd-size")) > 0
    assert templates["fedora-core-14-x86_64"].get("active") == "false"
    assert [t.get("default") for t in templates.values()].count("true") == 1


def test_an_image_is_made_of_a_stopped_server(api, clock):
    api.do("POST", "/image/lisbon-0001/create/kept", status=409)
    api.do("POST", "/image/lisbon-0008/create/kept")
    api.do("GET", "/image/kept", status=404)
    clock.now += 4
    kept = next(i for i in api.get("/image") if i.get("name") == "kept")
    assert (kept.get("image-of"), kept.get("size")) == ("lisbon-0008", "250")
    shown = api.get("/image/kept")
    assert shown.tag == "ve-image"
    assert shown.get("image-of") == "lisbon-0008"
    assert shown.find("disks").attrib.items() >= {"primary": "true", "size": "250"}.items()
    api.do("POST", "/image/lisbon-0008/create/kept", status=409)
    api.do("POST", "/image/nothing/create/other", status=404)
    api.do("DELETE", "/image/kept")
    assert api.get("/image/kept") is not None
    clock.now += 4
    api.do("GET", "/image/kept", status=404)


@pytest.fixture
def balancer(api, clock):
    api.do("POST", "/load-balancer/create/lb1")
    clock.now += 4
    return "/load-balancer/lb1"


def test_a_balancer_starts_by_itself(api, clock):
    assert len(api.get("/load-balancer")) == 0
    reply = api.do("POST", "/load-balancer/create/lb1")
    assert reply.xml.findtext("password")
    (listed,) = api.get("/load-balancer")
    assert listed.tag == "load-balancer"
    assert listed.attrib == {
        "name": "lb1",
        "state": "CREATION_IN_PROGRESS",
        "subscription-id": "1000077",
    }
    clock.now += 4
    shown = api.get("/load-balancer/lb1")
    assert shown.tag == "load-balancer"
    assert shown.findtext("state") == "STARTED"
    assert shown.find("network/public-ip").get("address")
    assert "lb1" not in [info.get("name") for info in api.get("/ve")]
    api.do("POST", "/load-balancer/create/lb1", status=409)


def test_servers_are_attached_and_detached(api, clock, balancer):
    api.do("POST", f"{balancer}/lisbon-0001")
    assert api.get(balancer).find("used-by") is None
    clock.now += 4
    (used,) = api.get(balancer).findall("used-by")
    private = api.ve("lisbon-0001").find("network").get("private-ip")
    assert used.attrib == {"ve-name": "lisbon-0001", "ip": private.partition("/")[0]}
    assert api.ve("lisbon-0001").findtext("load-balancer") == "lb1"
    api.do("POST", f"{balancer}/lisbon-0001", status=409)
    api.do("DELETE", balancer, status=409)
    api.do("DELETE", f"{balancer}/lisbon-0002", status=404)
    api.do("DELETE", f"{balancer}/lisbon-0001")
    clock.now += 4
    assert api.get(balancer).find("used-by") is None
    api.do("DELETE", balancer)
    clock.now += 4
    api.do("GET", balancer, status=404)


def test_a_server_that_is_attached_is_not_deleted(api, clock, balancer):
    api.do("POST", f"{balancer}/lisbon-0008")
    clock.now += 4
    api.do("DELETE", "/ve/lisbon-0008", status=409)


def test_a_server_that_goes_while_it_is_attached_leaves_nothing(api, clock, balancer):
    api.do("POST", f"{balancer}/lisbon-0008")
    clock.now += 1
    api.do("DELETE", "/ve/lisbon-0008")
    clock.now += 4
    api.do("GET", "/ve/lisbon-0008", status=404)
    assert api.get(balancer).find("used-by") is None


def test_a_server_that_is_going_is_not_attached_in_the_end(api, clock, balancer):
    api.do("DELETE", "/ve/lisbon-0008")
    clock.now += 1
    api.do("POST", f"{balancer}/lisbon-0008")
    clock.now += 4
    assert api.get(balancer).find("used-by") is None


def test_a_balancer_is_restarted(api, clock, balancer):
    api.do("PUT", f"{balancer}/restart")
    seen = []
    for _ in range(3):
        seen.append(api.get(balancer).findtext("state"))
        clock.now += 4
    assert seen == ["STOP_IN_PROGRESS", "START_IN_PROGRESS", "STARTED"]
    history = api.get(f"{balancer}/history/10")
    assert [s.get("state") for s in history][:2] == ["STARTED", "START_IN_PROGRESS"]
    assert {s.get("is-lb") for s in history} == {"true"}
    assert all(int(s.get("cpu")) for s in history)


@pytest.mark.parametrize("name", ["restart", "history", "create", "from", "start", "clone-to"])
def test_names_that_look_like_verbs(api, clock, balancer, ve_body, name):
    api.do("POST", "/ve", ve_body(name))
    clock.now += 4
    assert api.ve(name).findtext("name") == name
    api.do("PUT", f"/ve/{name}/start")
    api.do("POST", f"{balancer}/{name}")
    clock.now += 4
    assert api.get(balancer).find("used-by").get("ve-name") == name
    assert len(api.get(f"/ve/{name}/history/1")) == 1
    api.do("POST", f"/ve/{name}/clone-to/{name}2")
    api.do("POST", f"/ve/{name}3/from/lisbon-golden")
    api.do("DELETE", f"{balancer}/{name}")
    api.do("PUT", f"/ve/{name}/stop")
    clock.now += 4
    api.do("DELETE", f"/ve/{name}")


def test_a_balancer_called_create_cannot_be_attached_to(api, clock):
    """The literal goes first: the attachment makes a balancer instead."""
    api.do("POST", "/load-balancer/create/create")
    clock.now += 4
    api.do("POST", "/load-balancer/create/lisbon-0001")
    assert {lb.get("name") for lb in api.get("/load-balancer")} == {"create", "lisbon-0001"}
    assert api.get("/load-balancer/create").find("used-by") is None
