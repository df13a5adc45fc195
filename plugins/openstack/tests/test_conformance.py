from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from anabranch.testing.conformance import DriverConformance
from anabranch_openstack.simulator import simulator


class TestConformance(DriverConformance):
    kind = "openstack"
    simulator = simulator
    budget = MappingProxyType({"list_networks": 2, "list_quotas": 4})

    def make_account(self, entry: Mapping[str, Any]) -> tuple[str, str, str]:
        auth = entry["auth"]
        user = f"Default/{auth['username']}+{auth['project_name']}"
        return f"{auth['auth_url']};{entry['region_name']}", user, auth["password"]
