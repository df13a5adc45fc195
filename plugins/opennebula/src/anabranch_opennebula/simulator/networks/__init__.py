"""Virtual networks: address ranges, leases, reservations."""
