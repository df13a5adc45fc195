"""What Deltacloud's driver, pacicli and lunacloud-cli send and need (page, 7.2 to 7.4)."""

import ipaddress
import re
from urllib.parse import quote

import pytest

DELTACLOUD_VE = """
  <ve>
    <name>{name}</name>
    <cpu number="1" power="1600"/>
    <ram-size>512</ram-size>
    <bandwidth>10240</bandwidth>
    <no-of-public-ip>1</no-of-public-ip>
    <no-of-public-ipv6>0</no-of-public-ipv6>
    <ve-disk local="true" size="10"/>
    <platform>
      <template-info name="{template}"/>
      <os-info technology="{technology}" type="{type}"/>
    </platform>
    <backup-schedule name="weekly"/>
    <admin login="root"{password}/>
  </ve>
"""


class Deltacloud:
    """Takes 2xx for success, and what is not there for a crash."""

    def __init__(self, api):
        self.api = api

    def request(self, method, path, body=None):
        headers = {"Accept": "*/*", "Content-Type": "application/x-www-form-urlencoded"}
        if method in ("POST", "PUT"):
            body = body or ""  # Content-Length: 0
        reply = self.api.call(method, path, body, headers=headers)
        assert 200 <= reply.status < 300, reply
        return reply

    def instance(self, name):
        shown = self.request("GET", f"/ve/{name}").xml
        network = shown.find("network")
        return {
            "owner": int(shown.find("subscription-id").text),
            "profile": (
                int(shown.find("cpu").attrib["number"]),
                int(shown.find("ram-size").text),
                int(shown.find("ve-disk").attrib["size"]),
            ),
            "image": shown.find("platform/template-info").attrib["name"],
            "state": shown.find("state").text,
            "login": shown.find("admin").attrib["login"],
            "private": network.attrib["private-ip"].split("/")[0],
            "public": [a.attrib["address"].split("/")[0] for a in network.findall("public-ip")],
        }

    def create(self, name, template, password=""):
        image = self.request("GET", f"/template/{template}").xml
        body = DELTACLOUD_VE.format(
            name=name,
            template=template,
            technology=image.attrib["technology"],
            type=image.attrib["osType"],
            password=f' password="{password}"' if password else "",
        )
        made = self.request("POST", "/ve", body).xml
        return made.find("password").text, self.instance(name)

    def image(self, name):
        shown = self.request("GET", f"/template/{name}").xml
        return [child.attrib["value"] for child in shown][:2]

    def balancer(self, name):
        shown = self.request("GET", f"/load-balancer/{name}").xml
        return {
            "name": shown.find("name").text,
            "address": shown.find("network/public-ip").attrib["address"].split("/")[0],
            "instances": [
                self.instance(used.attrib["ve-name"]) for used in shown.findall("used-by")
            ],
        }


@pytest.fixture
def deltacloud(api):
    return Deltacloud(api)


def test_deltacloud_shows_a_server_right_after_it_made_it(deltacloud, clock):
    password, shown = deltacloud.create("web1", "centos-6-x86_64")
    assert len(password) == 8
    assert shown == {
        "owner": 1000077,
        "profile": (1, 512, 10),
        "image": "centos-6-x86_64",
        "state": "CREATION_IN_PROGRESS",
        "login": "root",
        "private": "10.0.0.12",
        "public": ["198.18.0.12"],
    }
    clock.now += 4
    for verb, state in (("start", "STARTED"), ("stop", "STOPPED")):
        deltacloud.request("PUT", f"/ve/web1/{verb}")
        clock.now += 4
        assert deltacloud.instance("web1")["state"] == state
    deltacloud.request("DELETE", "/ve/web1")


def test_deltacloud_with_a_password_of_its_own(deltacloud):
    assert deltacloud.create("web1", "centos-6-x86_64", "chosen-one")[0] == "chosen-one"


def test_deltacloud_lists_one_by_one(deltacloud, cloud):
    names = [info.attrib["name"] for info in deltacloud.request("GET", "/ve").xml]
    assert {deltacloud.instance(name)["owner"] for name in names} == {1000077}
    assert cloud.requests.count("/ve") == 11


def test_deltacloud_reads_options_by_their_place(deltacloud):
    assert deltacloud.image("debian-7.0-x86_64") == ["x86_64", "Debian 7.0"]


def test_deltacloud_balances(deltacloud, clock):
    deltacloud.request("POST", "/load-balancer/create/lb1")
    clock.now += 4
    for name in ("lisbon-0001", "lisbon-0002"):
        deltacloud.request("POST", f"/load-balancer/lb1/{name}")
    clock.now += 4
    shown = deltacloud.balancer("lb1")
    assert shown["name"] == "lb1"
    assert [instance["profile"][1] for instance in shown["instances"]] == [512, 1024]


def boolean(text):
    assert text in ("true", "false"), text


def moment(text):
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+(\d\d|\d{4})", text), text


def cidr(text):
    assert "/" in text
    ipaddress.ip_interface(text)


TYPES = {
    # what pacicli declares, by attribute or element; all that is not here is text
    int: (
        *("id", "hnId", "customer-id", "subscription-id", "ram-size", "bandwidth", "number"),
        *("power", "size", "primary-disk-id", "template-id", "last-operation-rc", "port"),
        *("min-hdd-size", "high-watermark-for-delivery", "low-watermark-for-delivery"),
        *("backups-to-keep", "no-of-incremental", "im-backup-id", "backup-size", "local-port"),
        *("remote-port", "cpu", "ram", "local-disk", "nbd", "no-of-public-ip"),
        *("no-of-public-ipv6", "private-incoming-traffic", "public-outgoing-traffic", "ve-id"),
        *("life-time-in-minutes", "value", "used", "cpu-number", "cpu-power", "image-size"),
        *("app-template-id", "version", "min", "max", "step", "threshold", "period"),
    ),
    boolean: (
        *("local", "active", "default", "enabled", "successful", "is-lb", "is-load-balancer"),
        *("primary", "custom-ns", "installed-ok", "deleted", "allow-migration", "allow-restart"),
        *("update-delivered-ok", "uninstalled-ok"),
    ),
    moment: (
        *("started", "ended", "event-timestamp", "installed-at", "uninstalled-at", "updated"),
        "update-delivered",
    ),
    cidr: ("private-ip", "remote-net"),
    ipaddress.ip_address: ("gateway", "ip"),
}
TYPE_OF = {name: read for read, names in TYPES.items() for name in names}
# the same word with another meaning: where it stands decides
TYPE_OF_PLACE = {
    ("public-ip", "address"): cidr,
    ("public-ipv6", "address"): cidr,
    ("ve-disk", "created"): boolean,
    ("ve-image", "created"): moment,
    ("image-info", "created"): moment,
    ("option", "value"): str,
}


class Pacicli:
    """Demands the status that it knows, and decodes into typed fields."""

    def __init__(self, api):
        self.api = api
        self.typed = set()

    def request(self, method, path, body=None, status=200):
        headers = {"Content-Type": "application/xml", "Accept-Encoding": "gzip"}
        reply = self.api.call(method, path, body, headers=headers)
        assert reply.status == status, reply
        return reply

    def read(self, path):
        document = self.request("GET", path).xml
        for element in document.iter():
            fields = {**element.attrib, **({element.tag: element.text} if element.text else {})}
            for name, text in fields.items():
                key = (element.tag, name) if (element.tag, name) in TYPE_OF_PLACE else name
                read = TYPE_OF_PLACE.get(key) or TYPE_OF.get(key)
                if read is not None:
                    read(text)
                    self.typed.add(key)
        return document


@pytest.fixture
def pacicli(api):
    return Pacicli(api)


DAY = quote("2027-01-15 00:00 MSK") + "/" + quote("2027-01-16 00:00 +04")


def test_pacicli_knows_the_status_of_every_verb(pacicli, clock, ve_body):
    def verb(method, path, body=None, status=202):
        text = pacicli.request(method, path, body, status).text
        assert text
        assert not text.startswith("<")
        clock.now += 4

    assert pacicli.request("POST", "/ve/", ve_body(), 202).xml.tag == "pwd-response"
    clock.now += 4
    verb("PUT", "/ve/web1/start")
    pacicli.request("PUT", "/ve/web1/start", status=304)
    verb("PUT", "/ve/web1", "<reconfigure-ve><ram-size>1024</ram-size></reconfigure-ve>")
    verb("PUT", "/ve/web1/schedule/daily")
    verb("PUT", "/ve/web1/nobackup/")
    verb("POST", "/ve/web1/backup")
    identity = pacicli.read(f"/ve/web1/backups/{DAY}")[0].get("cloud-backup-id")
    verb("PUT", "/ve/web1/install/php")
    verb("DELETE", "/ve/web1/application/php")
    verb("PUT", "/ve/web1/firewall", "<firewall/>", 200)
    verb("DELETE", "/ve/web1/firewall", status=200)
    verb("DELETE", "/ve/web1/autoscale", status=200)
    verb("PUT", "/ve/web1/stop")
    verb("PUT", f"/ve/web1/restore/{quote(identity)}")
    verb("DELETE", f"/ve/web1/backup/{quote(identity)}")
    verb("POST", "/image/web1/create/kept")
    verb("POST", "/ve/web2/from/kept")
    verb("DELETE", "/image/kept")
    pacicli.request("POST", "/load-balancer/create/lb1", status=202)
    clock.now += 4
    pacicli.request("POST", "/load-balancer/lb1/web1", status=202)
    clock.now += 4
    verb("PUT", "/load-balancer/lb1/restart")
    clock.now += 4
    verb("DELETE", "/load-balancer/lb1/web1")
    verb("DELETE", "/load-balancer/lb1")
    verb("DELETE", "/ve/web1")
    pacicli.request("GET", "/ve/web1", status=404)


def test_pacicli_can_decode_every_document(pacicli, clock):
    clock.now += 0.25
    pacicli.request("POST", "/ve/lisbon-0001/backup", status=202)
    pacicli.request("POST", "/ve/lisbon-0001/console", status=202)
    pacicli.request("PUT", "/ve/lisbon-0001/install/php", status=202)
    pacicli.request("POST", "/load-balancer/create/lb1", status=202)
    clock.now += 4
    pacicli.request("DELETE", "/ve/lisbon-0001/application/php", status=202)
    pacicli.request("POST", "/load-balancer/lb1/lisbon-0001", status=202)
    firewall = (
        '<firewall><rule name="ssh" protocol="TCP" local-port="22" remote-port="0">'
        "<remote-net>192.0.2.0/24</remote-net></rule></firewall>"
    )
    pacicli.request("POST", "/ve/lisbon-0001/firewall", firewall)
    autoscale = (
        '<autoscale-data><autoscale-rule metric="cpu"><limits min="1" max="3" step="1"/>'
        '<thresholds><up threshold="8" period="6"/><down threshold="2" period="6"/></thresholds>'
        "</autoscale-rule></autoscale-data>"
    )
    pacicli.request("POST", "/ve/lisbon-0001/autoscale", autoscale)
    clock.now += 4
    for path in (
        "/ve",
        "/ve/lisbon-0001",
        "/ve/lisbon-0002",
        "/ve/lisbon-0001/history/10",
        f"/ve/lisbon-0001/usage/{DAY}",
        f"/ve/lisbon-0001/backups/{DAY}",
        "/ve/lisbon-0001/firewall",
        "/ve/lisbon-0001/autoscale",
        "/schedule",
        "/image",
        "/image/lisbon-golden",
        "/template",
        "/application-template",
        "/load-balancer",
        "/load-balancer/lb1",
        "/load-balancer/lb1/history/10",
    ):
        pacicli.read(path)
    assert pacicli.typed == {*TYPE_OF, *TYPE_OF_PLACE}
    assert ".25+00" in pacicli.read(f"/ve/lisbon-0001/backups/{DAY}")[0].get("ended")


def test_lunacloud_cli_wants_both_kinds_of_address(api):
    headers = {"Content-Type": "application/xml"}
    listed = api.call("GET", "/ve/", headers=headers).xml
    assert {(info.attrib["name"], info.attrib["state"]) for info in listed} >= {
        ("lisbon-0002", "STARTED"),
        ("lisbon-0008", "STOPPED"),
    }
    shown = api.call("GET", "/ve/lisbon-0002", headers=headers).xml
    assert shown.find("network/public-ip").attrib["address"] == "198.18.0.3/24"
    assert shown.find("network/public-ipv6").attrib["address"] == "2001:db8::2/64"
    statuses = [
        api.call("PUT", f"/ve/lisbon-0002/{verb}", headers=headers).status
        for verb in ("start", "stop")
    ]
    assert statuses == [304, 202]
    assert api.call("GET", "/ve/nothing", headers=headers).status == 404
