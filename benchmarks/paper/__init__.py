"""What the Deltacloud API adds to the operations of a platform, beside a paper of 2014.

The paper measured each operation on the platform itself and through Deltacloud; its three tables
stand here as `opennebula.csv`, `openstack.csv` and `paci.csv`: seconds, and bytes of request and
response. Here each call of a simulated platform takes the seconds that the paper has for it, and
the same operation is timed on the platform's own protocol and through `/api`.
"""
