from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from anabranch.testing.conformance import DriverConformance
from anabranch_cloudstack.simulator import simulator


class TestConformance(DriverConformance):
    kind = "cloudstack"
    simulator = simulator
    budget = MappingProxyType({"list_firewalls": 2, "list_images": 3, "list_quotas": 2})

    def make_account(self, entry: Mapping[str, Any]) -> tuple[str, str, str]:
        return entry["endpoint"], entry["key"], entry["secret"]
