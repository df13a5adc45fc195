"""The documents are those of Apache Deltacloud: the samples of deltacloud.md, one by one."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from anabranch import InstanceAction, InstanceState, SecretStr
from anabranch.models import (
    Address,
    Authentication,
    Blob,
    Bucket,
    Hardware,
    HardwareProfile,
    HardwareProperty,
    Image,
    Instance,
    Key,
    NetworkAddress,
    NetworkAddressKind,
    Realm,
    StorageSnapshot,
    StorageVolume,
    StorageVolumeState,
)
from anabranch_server.deltacloud import documents
from anabranch_server.deltacloud.links import View

from .documents_samples import MADE, NOTHING, offering, same


def host(name: str) -> NetworkAddress:
    return NetworkAddress(name, NetworkAddressKind.HOSTNAME)


INSTANCE = Instance(
    cloud="mock",
    id="inst4",
    name="foo",
    owner_id="mockuser",
    image_id="img1",
    realm_id="eu",
    state=InstanceState.RUNNING,
    actions=(InstanceAction.REBOOT, InstanceAction.STOP, InstanceAction.CREATE_IMAGE),
    hardware_profile_id="m1-large",
    hardware=Hardware(memory_mib=8192, cpu=2),
    public_addresses=(host("img1.inst4.public.com"),),
    private_addresses=(host("img1.inst4.private.com"),),
    key_id="test-key",
)
DOES = offering(
    "reboot_instance", "start_instance", "stop_instance", "destroy_instance", "run_instance",
    "create_image",
)  # fmt: skip
INSTANCE_SAMPLE = """
<instance href='http://broker.test/api/instances/inst4' id='inst4'>
  <name>foo</name>
  <owner_id>mockuser</owner_id>
  <image href='http://broker.test/api/images/img1' id='img1'></image>
  <realm href='http://broker.test/api/realms/eu' id='eu'></realm>
  <state>RUNNING</state>
  <hardware_profile href='http://broker.test/api/hardware_profiles/m1-large' id='m1-large'>
    <property kind='fixed' name='memory' unit='MB' value='8192'></property>
    <property kind='fixed' name='cpu' unit='count' value='2'></property>
  </hardware_profile>
  <actions>
    <link href='http://broker.test/api/instances/inst4/reboot' method='post' rel='reboot' />
    <link href='http://broker.test/api/instances/inst4/stop' method='post' rel='stop' />
    <link href='http://broker.test/api/instances/inst4/run;id=inst4' method='post' rel='run' />
    <link href='http://broker.test/api/images;instance_id=inst4' method='post' rel='create_image' />
  </actions>
  <public_addresses><address type='hostname'>img1.inst4.public.com</address></public_addresses>
  <private_addresses><address type='hostname'>img1.inst4.private.com</address></private_addresses>
  <storage_volumes></storage_volumes>
  <authentication type='key'>
    <login>
      <keyname>test-key</keyname>
    </login>
  </authentication>
</instance>"""


def test_an_instance():
    document = documents.show_xml("instances", INSTANCE, DOES)

    same(document, INSTANCE_SAMPLE)
    assert document.startswith(b"<?xml version='1.0' encoding='utf-8' ?>\n<instance href=")
    listed = documents.index_xml("instances", [INSTANCE, INSTANCE], DOES)
    same(listed, f"<instances>{INSTANCE_SAMPLE * 2}</instances>")


def test_an_instance_in_json():
    plain = json.loads(documents.encode(documents.show_plain("instances", INSTANCE, DOES)))[
        "instance"
    ]

    root = "http://broker.test/api"
    expected = {
        "id": "inst4",
        "href": f"{root}/instances/inst4",
        "name": "foo",
        "state": "RUNNING",
        "owner": "mockuser",
        "owner_id": "mockuser",
        "image": {"href": f"{root}/images/img1", "id": "img1", "rel": "image"},
        "realm": {"href": f"{root}/realms/eu", "id": "eu", "rel": "realm"},
        "hardware_profile": {
            "id": "m1-large",
            "href": f"{root}/hardware_profiles/m1-large",
            "rel": "hardware_profile",
            "properties": {"memory": "8192", "cpu": "2"},
        },
        "public_addresses": [{"address": "img1.inst4.public.com", "type": "hostname"}],
        "private_addresses": [{"address": "img1.inst4.private.com", "type": "hostname"}],
        "create_image": True,
        "storage_volumes": [],
        "authentication_type": "key",
        "authentication": {"keyname": "test-key"},
    }
    assert {key: plain[key] for key in expected} == expected
    assert plain["actions"][0] == {
        "href": f"{root}/instances/inst4/reboot", "rel": "reboot", "method": "post",
    }  # fmt: skip
    assert [one["rel"] for one in plain["actions"]] == ["reboot", "stop", "run", "create_image"]
    assert documents.show_plain("instances", INSTANCE, DOES) == {"instance": plain}
    assert documents.index_plain("instances", [INSTANCE], DOES) == {"instances": [plain]}
    assert json.loads(documents.index_json("instances", [INSTANCE], DOES)) == {"instances": [plain]}
    assert documents.show_plain("instances", INSTANCE, DOES, wrapped=False) == plain


def test_actions_are_those_of_the_state_that_the_cloud_offers():
    def links(view: View, *actions: InstanceAction) -> list[tuple[str, ...]]:
        item = Instance(cloud="mock", id="i/1", state=InstanceState.STOPPED, actions=actions)
        root = ElementTree.fromstring(documents.show_xml("instances", item, view))
        return [tuple(one.attrib.values()) for one in root.findall("actions/link")]

    every = tuple(InstanceAction)
    assert links(NOTHING, *every) == []
    assert links(DOES) == []
    assert links(offering("start_instance"), *every) == [
        ("http://broker.test/api/instances/i%2F1/start", "post", "start")
    ]
    assert links(offering("destroy_instance", "stop_instance"), InstanceAction.DESTROY) == [
        ("http://broker.test/api/instances/i%2F1", "delete", "destroy")
    ]
    assert links(offering("create_image", qualified=True), InstanceAction.CREATE_IMAGE) == [
        ("http://broker.test/api/images;instance_id=mock%2Fi%2F1", "post", "create_image")
    ]


def test_qualified_ids_have_their_cloud_before_a_slash():
    view = offering("reboot_instance", "create_image", qualified=True)
    plain = documents.show_plain("instances", INSTANCE, view)["instance"]

    assert plain["id"] == "mock/inst4"
    assert plain["href"] == "http://broker.test/api/instances/mock/inst4"
    assert plain["image"]["id"] == "mock/img1"
    assert plain["authentication"] == {"keyname": "mock/test-key"}
    assert [one["href"] for one in plain["actions"]] == [
        "http://broker.test/api/instances/mock/inst4/reboot",
        "http://broker.test/api/images;instance_id=mock%2Finst4",
    ]


def test_a_password_is_told_by_what_made_it_and_by_no_list():
    told = Authentication(username="root", password=SecretStr("s3cret"))
    item = Instance(cloud="mock", id="i", state=InstanceState.PENDING, authentication=told)

    same(
        documents.show_xml("instances", item, NOTHING),
        """<instance href='http://broker.test/api/instances/i' id='i'>
          <name></name><state>PENDING</state><actions></actions>
          <public_addresses></public_addresses><private_addresses></private_addresses>
          <storage_volumes></storage_volumes>
          <authentication type='password'>
            <login><username>root</username><password>s3cret</password></login>
          </authentication>
        </instance>""",
    )
    for secrets in (True, False):
        for document in (
            documents.index_xml("instances", [item], NOTHING, secrets=secrets),
            documents.index_json("instances", [item], NOTHING, secrets=secrets),
        ):
            assert (b"s3cret" in document) is secrets


def test_realms():
    us = Realm(cloud="mock", id="us", name="United States")
    same(
        documents.index_xml(
            "realms", [us, Realm(cloud="mock", id="eu", name="EU", limit=3)], NOTHING
        ),
        """<realms>
          <realm href='http://broker.test/api/realms/us' id='us'>
            <name>United States</name>
            <state>AVAILABLE</state>
          </realm>
          <realm href='http://broker.test/api/realms/eu' id='eu'>
            <name>EU</name>
            <state>AVAILABLE</state>
            <limit>3</limit>
          </realm>
        </realms>""",
    )
    assert json.loads(documents.index_json("realms", [us], NOTHING)) == {
        "realms": [
            {
                "id": "us",
                "href": "http://broker.test/api/realms/us",
                "name": "United States",
                "state": "AVAILABLE",
                "limit": "unlimited",
            }
        ]
    }


def test_a_hardware_profile():
    item = HardwareProfile(
        cloud="mock",
        id="m1-large",
        name="m1-large",
        cpu=HardwareProperty(value=1, first=1, last=6),
        memory_mib=HardwareProperty(value=10240, first=7680.0, last=15360),
        storage_gb=HardwareProperty(value=850, choices=(850, 1024)),
        architecture=HardwareProperty(value="x86_64"),
    )
    param = "href='http://broker.test/api/instances' method='post'"
    same(
        documents.show_xml("hardware_profiles", item, NOTHING),
        f"""<hardware_profile
            href='http://broker.test/api/hardware_profiles/m1-large' id='m1-large'>
          <id>m1-large</id>
          <name>m1-large</name>
          <property kind='range' name='cpu' unit='count' value='1'>
            <param {param} name='hwp_cpu' operation='create' />
            <range first='1' last='6' />
          </property>
          <property kind='range' name='memory' unit='MB' value='10240'>
            <param {param} name='hwp_memory' operation='create' />
            <range first='7680' last='15360' />
          </property>
          <property kind='enum' name='storage' unit='GB' value='850'>
            <param {param} name='hwp_storage' operation='create' />
            <enum> <entry value='850' /> <entry value='1024' /> </enum>
          </property>
          <property kind='fixed' name='architecture' unit='label' value='x86_64' />
        </hardware_profile>""",
    )
    plain = documents.show_plain("hardware_profiles", item, NOTHING)["hardware_profile"]
    assert plain["properties"] == {
        "cpu": "1", "memory": "10240", "storage": "850", "architecture": "x86_64",
    }  # fmt: skip


def test_an_image():
    item = Image(
        cloud="mock",
        id="img1",
        name="img1",
        description="Fedora 10",
        owner_id="fedoraproject",
        architecture="x86_64",
        created_at=MADE,
        hardware_profile_ids=("m1-small",),
    )
    same(
        documents.show_xml("images", item, offering("create_instance", "destroy_image")),
        """<image href='http://broker.test/api/images/img1' id='img1'>
          <name>img1</name>
          <description>Fedora 10</description>
          <owner_id>fedoraproject</owner_id>
          <architecture>x86_64</architecture>
          <state>AVAILABLE</state>
          <creation_time>2009-07-30T14:35:11Z</creation_time>
          <hardware_profiles>
            <hardware_profile href='http://broker.test/api/hardware_profiles/m1-small' id='m1-small'
              rel='hardware_profile'></hardware_profile>
          </hardware_profiles>
          <actions>
            <link href='http://broker.test/api/instances;image_id=img1' method='post'
              rel='create_instance' />
            <link href='http://broker.test/api/images/img1' method='delete' rel='destroy_image' />
          </actions>
        </image>""",
    )
    plain = documents.show_plain("images", item, NOTHING)["image"]
    assert plain["owner"] == "fedoraproject"
    assert plain["hardware_profiles"] == [
        {
            "id": "m1-small",
            "href": "http://broker.test/api/hardware_profiles/m1-small",
            "rel": "hardware_profile",
        }
    ]


def test_what_clients_rely_on_is_there_even_if_nothing_is_told():
    same(
        documents.show_xml("images", Image(cloud="mock", id="i", name="i"), NOTHING),
        """<image href='http://broker.test/api/images/i' id='i'>
          <name>i</name><description></description><owner_id></owner_id>
          <architecture></architecture><state>AVAILABLE</state><actions></actions>
        </image>""",
    )
    volume = StorageVolume(cloud="mock", id="v", instance_id="inst1")
    same(
        documents.show_xml("storage_volumes", volume, NOTHING),
        """<storage_volume href='http://broker.test/api/storage_volumes/v' id='v'>
          <name></name><state>UNKNOWN</state>
          <mount>
            <instance href='http://broker.test/api/instances/inst1' id='inst1'></instance>
            <device name=''></device>
          </mount>
        </storage_volume>""",
    )


def test_a_key_tells_its_private_key_line_by_line_once():
    pem = "-----BEGIN-----\nabc\n def\n-----END-----\n"
    item = Key(
        cloud="mock", id="k", name="k", fingerprint="5e:ce", private_key=SecretStr(pem), state="UP"
    )
    document = documents.show_xml("keys", item, offering("destroy_key"))

    root = ElementTree.fromstring(document)
    assert root.findtext("pem") == pem
    assert [one.tag for one in root] == ["name", "actions", "fingerprint", "pem", "state"]
    assert root.attrib == {"href": "http://broker.test/api/keys/k", "id": "k", "type": "key"}
    assert b"<pem>-----BEGIN-----\nabc&#10; def\n" in document
    plain = documents.show_plain("keys", item, NOTHING)["key"]
    assert (plain["pem_rsa_key"], plain["fingerprint"]) == (pem, "5e:ce")
    assert (plain["credential_type"], plain["username"], plain["password"]) == ("key", None, None)
    assert b"BEGIN" not in documents.index_xml("keys", [item], NOTHING)
    assert b"BEGIN" not in documents.index_json("keys", [item], NOTHING)


def test_an_address_can_be_given_or_taken_back():
    view = offering("destroy_address", "associate_address", "disassociate_address")
    given = Address(cloud="mock", id="192.168.0.1", ip="192.168.0.1", instance_id="inst1")
    same(
        documents.show_xml("addresses", given, view),
        """<address href='http://broker.test/api/addresses/192.168.0.1' id='192.168.0.1'>
          <ip>192.168.0.1</ip>
          <actions>
            <link href='http://broker.test/api/addresses/192.168.0.1' method='delete'
              rel='destroy' />
            <link href='http://broker.test/api/addresses/192.168.0.1/disassociate' method='post'
              rel='disassociate' />
          </actions>
          <instance href='http://broker.test/api/instances/inst1' id='inst1'></instance>
        </address>""",
    )
    free = documents.show_plain("addresses", Address(cloud="mock", id="a", ip="a"), view)["address"]
    assert free["associated"] is False
    assert [one["rel"] for one in free["actions"]] == ["destroy", "associate"]


def test_storage():
    volume = StorageVolume(
        cloud="mock", id="vol3", name="vol3", created_at=MADE, capacity_gb=1.0, device="/dev/sda1",
        realm_id="us", state=StorageVolumeState.IN_USE, instance_id="inst1",
    )  # fmt: skip
    same(
        documents.show_xml("storage_volumes", volume, NOTHING),
        """<storage_volume href='http://broker.test/api/storage_volumes/vol3' id='vol3'>
          <created>2009-07-30T14:35:11Z</created>
          <capacity unit='GB'>1</capacity>
          <name>vol3</name>
          <device>/dev/sda1</device>
          <realm href='http://broker.test/api/realms/us' id='us'></realm>
          <realm_id>us</realm_id>
          <state>IN-USE</state>
          <mount>
            <instance href='http://broker.test/api/instances/inst1' id='inst1'></instance>
            <device name='/dev/sda1'></device>
          </mount>
        </storage_volume>""",
    )
    snapshot = StorageSnapshot(
        cloud="mock", id="snap1", name="snap1", created_at=MADE, storage_volume_id="vol1"
    )
    same(
        documents.show_xml("storage_snapshots", snapshot, NOTHING),
        """<storage_snapshot href='http://broker.test/api/storage_snapshots/snap1' id='snap1'>
          <name>snap1</name>
          <created>2009-07-30T14:35:11Z</created>
          <storage_volume href='http://broker.test/api/storage_volumes/vol1' id='vol1'>
          </storage_volume>
        </storage_snapshot>""",
    )
    free = StorageVolume(cloud="mock", id="v", state=StorageVolumeState.AVAILABLE)
    plain = documents.show_plain("storage_volumes", free, NOTHING)["storage_volume"]
    assert (plain["instance"], plain["capacity"], plain["actions"]) == ({}, None, [])


@pytest.mark.parametrize(
    ("state", "rels"),
    [
        (StorageVolumeState.AVAILABLE, ["attach", "create_snapshot", "destroy"]),
        (StorageVolumeState.IN_USE, ["detach", "create_snapshot"]),
        (StorageVolumeState.ERROR, ["destroy"]),
        (StorageVolumeState.ATTACHING, []),
    ],
)
def test_the_state_of_a_volume_says_what_can_be_done(state: StorageVolumeState, rels: list[str]):
    view = offering(
        "attach_storage_volume", "detach_storage_volume", "destroy_storage_volume",
        "create_storage_snapshot",
    )  # fmt: skip
    item = StorageVolume(cloud="mock", id="vol1", state=state)
    found = documents.show_plain("storage_volumes", item, view)["storage_volume"]["actions"]
    assert [one["rel"] for one in found] == rels


def test_buckets_and_blobs():
    bucket = Bucket(cloud="mock", id="bucket1", name="bucket1", blob_count=7)
    blob = Blob(
        cloud="mock", id="blob1", bucket_id="bucket1", content_length=17, content_type="text/plain",
        last_modified=MADE, metadata={"SOMENEWKEY": "NEWVALUE"},
    )  # fmt: skip
    same(
        documents.show_xml("buckets", documents.BucketContents(bucket, [blob]), NOTHING),
        """<bucket href='http://broker.test/api/buckets/bucket1' id='bucket1'>
          <name>bucket1</name>
          <size>1</size>
          <blob href='http://broker.test/api/buckets/bucket1/blob1' id='blob1'></blob>
        </bucket>""",
    )
    same(
        documents.show_xml("blobs", blob, NOTHING),
        """<blob href='http://broker.test/api/buckets/bucket1/blob1' id='blob1'>
          <bucket>bucket1</bucket>
          <content_length>17</content_length>
          <content_type>text/plain</content_type>
          <last_modified>2009-07-30T14:35:11Z</last_modified>
          <user_metadata>
            <entry key='SOMENEWKEY'><![CDATA[NEWVALUE]]></entry>
          </user_metadata>
          <content href='http://broker.test/api/buckets/bucket1/blob1/content' rel='blob_content'>
          </content>
        </blob>""",
    )
    part = documents.BucketContents(bucket, [blob], whole=False)
    assert documents.show_plain("buckets", part, NOTHING)["bucket"]["size"] == 7
    opened = documents.BlobContents(blob, "content of blob 1")
    plain = documents.show_plain("blobs", opened, NOTHING)["blob"]
    assert plain["content"] == "content of blob 1"
    assert plain["bucket"]["id"] == "bucket1"
