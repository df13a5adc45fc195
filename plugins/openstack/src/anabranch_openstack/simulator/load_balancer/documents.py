"""Load balancers and what belongs to them, as octavia shows it."""

from __future__ import annotations

from anabranch_openstack.simulator.load_balancer.records import Balancer, Listener, Member, Pool
from anabranch_openstack.simulator.wire import Document, compact_time

__all__ = [
    "balancer_document",
    "created_document",
    "listener_document",
    "member_document",
    "pool_document",
    "status_document",
]


def balancer_document(balancer: Balancer) -> Document:
    """A load balancer, with the ids of its parts."""
    return {
        "id": balancer.id,
        "name": balancer.name,
        "description": balancer.description,
        "provisioning_status": balancer.status,
        "operating_status": _operating(balancer),
        "admin_state_up": True,
        "project_id": balancer.project_id,
        "created_at": _time(balancer.created),
        "updated_at": None if balancer.status == "PENDING_CREATE" else _time(balancer.created),
        "vip_address": balancer.vip_address,
        "vip_port_id": balancer.vip_port_id,
        "vip_subnet_id": balancer.vip_subnet_id,
        "vip_network_id": balancer.vip_network_id,
        "vip_sg_ids": [],
        "additional_vips": [],
        "listeners": [{"id": ident} for ident in balancer.listeners],
        "pools": [{"id": ident} for ident in balancer.pools],
        "provider": "octavia",
        "flavor_id": None,
        "vip_qos_policy_id": None,
        "tags": balancer.tags,
        "availability_zone": None,
        "vip_vnic_type": "normal",
        "tenant_id": balancer.project_id,
    }


def created_document(balancer: Balancer) -> Document:
    """The answer to a create: the load balancer with its parts in full."""
    listeners = [listener_document(balancer, item) for item in balancer.listeners.values()]
    pools = [pool_document(balancer, item) for item in balancer.pools.values()]
    for document in (*listeners, *pools):
        del document["loadbalancers"]
    return {
        **balancer_document(balancer),
        "listeners": listeners,
        "pools": [{**pool, "healthmonitor": None} for pool in pools],
    }


def listener_document(balancer: Balancer, listener: Listener) -> Document:
    """A listener."""
    return {
        "id": listener.id,
        "name": listener.name,
        "description": "",
        "provisioning_status": balancer.status,
        "operating_status": _operating(balancer),
        "admin_state_up": True,
        "protocol": listener.protocol,
        "protocol_port": listener.port,
        "connection_limit": -1,
        "default_tls_container_ref": None,
        "sni_container_refs": [],
        "project_id": balancer.project_id,
        "default_pool_id": listener.pool_id or None,
        "l7policies": [],
        "insert_headers": {},
        "created_at": _time(listener.created),
        "updated_at": None,
        "loadbalancers": [{"id": balancer.id}],
        "timeout_client_data": 50000,
        "timeout_member_connect": 5000,
        "timeout_member_data": 50000,
        "timeout_tcp_inspect": 0,
        "tags": listener.tags,
        "client_ca_tls_container_ref": None,
        "client_authentication": "NONE",
        "client_crl_container_ref": None,
        "allowed_cidrs": None,
        "tls_ciphers": None,
        "tls_versions": None,
        "alpn_protocols": None,
        "hsts_max_age": None,
        "hsts_include_subdomains": False,
        "hsts_preload": False,
        "tenant_id": balancer.project_id,
    }


def pool_document(balancer: Balancer, pool: Pool) -> Document:
    """A pool, with the ids of its members."""
    return {
        "id": pool.id,
        "name": pool.name,
        "description": "",
        "provisioning_status": balancer.status,
        "operating_status": _operating(balancer),
        "admin_state_up": True,
        "protocol": pool.protocol,
        "lb_algorithm": pool.algorithm,
        "session_persistence": None,
        "project_id": balancer.project_id,
        "loadbalancers": [{"id": balancer.id}],
        "listeners": [{"id": pool.listener_id}] if pool.listener_id else [],
        "created_at": _time(pool.created),
        "updated_at": None,
        "members": [{"id": ident} for ident in pool.members],
        "tags": pool.tags,
        "tls_container_ref": None,
        "ca_tls_container_ref": None,
        "crl_container_ref": None,
        "tls_enabled": False,
        "tls_ciphers": None,
        "tls_versions": None,
        "alpn_protocols": None,
        "tenant_id": balancer.project_id,
    }


def member_document(balancer: Balancer, member: Member) -> Document:
    """A member of a pool."""
    return {
        "id": member.id,
        "name": member.name,
        "operating_status": "NO_MONITOR",
        "provisioning_status": member.status,
        "admin_state_up": True,
        "address": member.address,
        "protocol_port": member.port,
        "weight": member.weight,
        "backup": False,
        "subnet_id": member.subnet_id,
        "project_id": balancer.project_id,
        "created_at": _time(member.created),
        "updated_at": None,
        "monitor_address": None,
        "monitor_port": None,
        "tags": member.tags,
        "vnic_type": "normal",
        "tenant_id": balancer.project_id,
    }


def status_document(balancer: Balancer) -> Document:
    """The tree of a load balancer; pools without a listener are not in it."""
    status = {
        "operating_status": _operating(balancer),
        "provisioning_status": balancer.status,
    }

    def pool(found: Pool) -> Document:
        members = [
            {
                "id": m.id,
                "name": m.name,
                "operating_status": "NO_MONITOR",
                "provisioning_status": m.status,
                "address": m.address,
                "protocol_port": m.port,
            }
            for m in found.members.values()
        ]
        return {
            "id": found.id,
            "name": found.name,
            **status,
            "health_monitor": None,
            "members": members,
        }

    listeners = [
        {
            "id": item.id,
            "name": item.name,
            **status,
            "pools": [pool(balancer.pools[item.pool_id])] if item.pool_id else [],
        }
        for item in balancer.listeners.values()
    ]
    return {"id": balancer.id, "name": balancer.name, **status, "listeners": listeners}


def _operating(balancer: Balancer) -> str:
    return "OFFLINE" if balancer.status == "PENDING_CREATE" else "ONLINE"


def _time(moment: float) -> str:
    return compact_time(moment).removesuffix("Z")
