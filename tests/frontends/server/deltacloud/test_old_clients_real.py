"""The Ruby client of 2013 itself against a daemon, where Ruby and a copy of the client are there.

`ANABRANCH_DELTACLOUD_CLIENT` names the folder `client/lib` of a checkout of apache/deltacloud. Ruby
needs Nokogiri and Faraday before 2.0 (Debian: ruby-nokogiri, ruby-faraday).
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLIENT = os.environ.get("ANABRANCH_DELTACLOUD_CLIENT", "")
PROGRAM = str(Path(sys.executable).with_name("anabranch"))
CALLS = """
require 'json'
require 'uri'
Fixnum = Integer unless Object.const_defined?(:Fixnum)
require 'deltacloud/client'

client = Deltacloud::Client(ARGV[0], 'mockuser', 'mockpassword')
instance = client.create_instance('img1', :name => 'made', :hwp_id => 'm1-large')
told = [instance.name, instance.hardware_profile._id, instance.state]
instance.stop!
told << instance.state << instance.destroy!
begin
  client.instance(instance._id)
rescue Deltacloud::Client::NotFound => error
  told << error.driver
end
volume = client.storage_volume('vol1')
volume.attach('inst1', '/dev/sdd')
told << volume.mount[:instance]
blob = client.create_blob('bucket1', 'made', 'text', :user_metadata => { :key => :value })
told << blob.user_metadata['key'] << client.destroy_blob('bucket1', 'made')
lists = client.entrypoints & %w(realms images instances hardware_profiles keys addresses buckets
  drivers firewalls load_balancers metrics storage_volumes storage_snapshots)
told << lists.map { |name| client.send(name).size }.sum
told << Deltacloud::Client.valid_credentials?('foo', 'bar', ARGV[0])
puts JSON.generate(told)
"""


@pytest.mark.skipif(
    not (CLIENT and shutil.which("ruby")), reason="no Ruby, or no ANABRANCH_DELTACLOUD_CLIENT"
)
def test_the_client_itself_gets_what_it_wants(tmp_path):
    command = [PROGRAM, "serve", "--driver", "mock", "--port", "0"]
    environment = {**os.environ, "HOME": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as daemon:
        try:
            found = re.search(r"at (\S+/api)", daemon.stderr.readline())
            done = subprocess.run(
                ["ruby", "-W0", "-I", CLIENT, "-e", CALLS, found[1]],
                capture_output=True,
                text=True,
                timeout=60,
            )
        finally:
            daemon.terminate()
            daemon.stderr.close()
    assert done.returncode == 0, done.stderr
    *told, lists, valid = json.loads(done.stdout)
    assert told == ["made", "m1-large", "RUNNING", "STOPPED", True, "mock", "inst1", "value", True]
    assert lists > 20
    assert valid is False
