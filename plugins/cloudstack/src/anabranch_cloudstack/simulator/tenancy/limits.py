"""What accounts may have, and what they have."""

from __future__ import annotations

from anabranch_cloudstack.simulator.accounts import Account
from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.sizing import usage
from anabranch_cloudstack.simulator.listing import listed
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid, stamp

__all__ = ["commands", "limit_keys"]

commands = Commands()

_KEYS = {
    "network": "network",
    "vpc": "vpc",
    "cpu": "cpu",
    "memory": "memory",
    "primary_storage": "primarystorage",
    "secondary_storage": "secondarystorage",
    "user_vm": "vm",
    "public_ip": "ip",
    "volume": "volume",
    "snapshot": "snapshot",
    "template": "template",
    "backup": "backup",
    "backup_storage": "backupstorage",
    "bucket": "bucket",
    "object_storage": "objectstorage",
    "gpu": "gpu",
    "project": "project",
}


@commands.add("listResourceLimits", "resourcetype:integer resourcetypename", listing=True)
def list_limits(call: Call) -> Document:
    """Lists what an account may have of each resource type; -1 is unlimited."""
    account = _account(call)
    rows = [
        {
            "account": account.name,
            "domainid": account.domain_id,
            "domain": account.domain,
            "domainpath": account.domain_path,
            "resourcetype": str(number),
            "resourcetypename": name,
            "max": limit,
        }
        for number, (name, limit) in enumerate(account.limits.items())
        if call.text("resourcetype", str(number)) == str(number)
        and call.text("resourcetypename", name) == name
    ]
    return listed(call, "resourcelimit", rows)


@commands.add(
    "updateResourceLimit",
    "resourcetype!:integer max:long account domainid:uuid projectid:uuid",
    user=False,
)
def update_limit(call: Call) -> Document:
    """Says what an account may have of a resource type."""
    account = _account(call)
    number = call.number("resourcetype") or 0
    names = list(account.limits)
    if not 0 <= number < len(names):
        raise invalid(f"Please specify a valid resource type: {number}")
    name = names[number]
    account.limits[name] = call.number("max") or 0
    limit = {
        "account": account.name,
        "domainid": account.domain_id,
        "domain": account.domain,
        "domainpath": account.domain_path,
        "resourcetype": str(number),
        "resourcetypename": name,
        "max": account.limits[name],
    }
    return {"resourcelimit": limit}


@commands.add("listAccounts", "id name accounttype:integer state", listing=True)
def list_accounts(call: Call) -> Document:
    """Lists accounts: the own one, for an administrator all."""
    state = call.state
    everyone = call.account.is_admin and call.flag("listall")
    rows = [
        _document(state, account)
        for account in state.accounts.values()
        if (everyone or account is call.account)
        and call.text("id", account.id) == account.id
        and call.text("name", account.name) == account.name
    ]
    return listed(call, "account", rows)


@commands.add("listUsers", "id username state", listing=True)
def list_users(call: Call) -> Document:
    """Lists users: the own one, for an administrator all."""
    everyone = call.account.is_admin and call.flag("listall")
    rows = [
        _user(account)
        for account in call.state.accounts.values()
        if everyone or account is call.account
    ]
    return listed(call, "user", rows)


def limit_keys(limits: dict[str, int], used: dict[str, int]) -> Document:
    """The keys `…limit`, `…total` and `…available` of an account or a project."""
    document: Document = {}
    for name, key in _KEYS.items():
        limit, total = limits[name], used.get(name, 0)
        unlimited = limit < 0
        document[f"{key}limit"] = "Unlimited" if unlimited else str(limit)
        document[f"{key}total"] = total
        document[f"{key}available"] = "Unlimited" if unlimited else str(limit - total)
    if limits["secondary_storage"] >= 0:  # the one that is a fraction
        document["secondarystoragetotal"] = 0.0
        document["secondarystorageavailable"] = f"{float(limits['secondary_storage'])}"
    return document


def _account(call: Call) -> Account:
    name = call.text("account", call.account.name)
    account = call.state.accounts.get(name)
    if account is None or (account is not call.account and not call.account.is_admin):
        raise Refusal(531, f"Can't find account {name}", 4365)
    return account


def _user(account: Account) -> Document:
    return {
        "id": account.user_id,
        "username": account.name,
        "firstname": account.name,
        "lastname": account.name,
        "email": f"{account.name}@example.invalid",
        "state": "enabled",
        "account": account.name,
        "accounttype": 1 if account.is_admin else 0,
        "usersource": "native",
        "roleid": account.role_id,
        "rolename": account.role,
        "domainid": account.domain_id,
        "domain": account.domain,
        "accountid": account.id,
        "apikey": account.api_key,
    }


def _document(state: State, account: Account) -> Document:
    machines = [m for m in state.machines.values() if m.account == account.name]
    return {
        "id": account.id,
        "name": account.name,
        "accounttype": 1 if account.is_admin else 0,
        "roleid": account.role_id,
        "roletype": "Admin" if account.is_admin else "User",
        "rolename": account.role,
        "domainid": account.domain_id,
        "domain": account.domain,
        "domainpath": account.domain_path,
        "receivedbytes": 0,
        "sentbytes": 0,
        "created": stamp(state.born),
        **limit_keys(account.limits, usage(state, account)),
        "vmstopped": sum(machine.state == "Stopped" for machine in machines),
        "vmrunning": sum(machine.running for machine in machines),
        "state": "enabled",
        "user": [_user(account)],
        "isdefault": account.is_admin,
        "groups": [],
        "accountdetails": {},
    }
