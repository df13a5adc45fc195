"""The accounts of a simulated cloud, their roles and their limits."""

from __future__ import annotations

import hashlib
import uuid
from typing import Literal

import msgspec

__all__ = ["DEFAULT_LIMITS", "Account", "Role", "make_accounts"]

Role = Literal["Root Admin", "User", "Read-Only User"]

DEFAULT_LIMITS: dict[str, int] = {
    "user_vm": -1,
    "public_ip": 20,
    "volume": -1,
    "snapshot": 20,
    "template": 20,
    "project": 10,
    "network": 20,
    "vpc": 20,
    "cpu": -1,
    "memory": -1,
    "primary_storage": -1,
    "secondary_storage": 400,
    "backup": 20,
    "backup_storage": 400,
    "bucket": 20,
    "object_storage": 400,
    "gpu": 20,
}
"""What an account may have of each of the 17 resource types, in their order; -1 is unlimited."""

_READING = ("list", "get", "query", "find", "quota")


class Account(msgspec.Struct, kw_only=True):
    """One account with its one user."""

    name: str
    id: str
    number: int
    user_id: str
    role: Role
    role_id: str
    domain: str
    domain_id: str
    domain_path: str
    api_key: str
    secret: str
    limits: dict[str, int]

    @property
    def is_admin(self) -> bool:
        """Whether it sees and may do everything."""
        return self.role == "Root Admin"

    def may(self, command: str, *, user: bool) -> bool:
        """Whether its role may run a command.

        Args:
            command: The command's name.
            user: Whether the role User has it.
        """
        if self.role == "Read-Only User":
            return user and command.startswith(_READING)
        return user or self.is_admin


def make_accounts(cloud: str, limits: dict[str, int]) -> dict[str, Account]:
    """The accounts of a cloud by name: `demo`, `other`, `auditor` and `admin`.

    Args:
        cloud: The cloud's name, from which ids and keys are made.
        limits: What `demo` may have, beyond the defaults.
    """
    space = uuid.uuid5(uuid.NAMESPACE_DNS, f"{cloud}.cloudstack.invalid")
    root = ("ROOT", str(uuid.uuid5(space, "domain-root")), "ROOT")
    tenant = ("tenant", str(uuid.uuid5(space, "domain-tenant")), "ROOT/tenant")
    people: tuple[tuple[str, Role, tuple[str, str, str], dict[str, int]], ...] = (
        ("demo", "User", tenant, DEFAULT_LIMITS | limits),
        ("other", "User", tenant, dict(DEFAULT_LIMITS)),
        ("auditor", "Read-Only User", tenant, dict(DEFAULT_LIMITS)),
        ("admin", "Root Admin", root, dict.fromkeys(DEFAULT_LIMITS, -1)),
    )
    return {
        name: Account(
            name=name,
            id=str(uuid.uuid5(space, f"account-{name}")),
            number=2 + index,
            user_id=str(uuid.uuid5(space, f"user-{name}")),
            role=role,
            role_id=str(uuid.uuid5(space, f"role-{role}")),
            domain=domain[0],
            domain_id=domain[1],
            domain_path=domain[2],
            api_key=_key(cloud, name, "key"),
            secret=_key(cloud, name, "secret"),
            limits=own,
        )
        for index, (name, role, domain, own) in enumerate(people)
    }


def _key(*parts: str) -> str:
    """86 characters, as CloudStack makes its keys."""
    return hashlib.sha512("/".join(parts).encode()).hexdigest()[:86]
