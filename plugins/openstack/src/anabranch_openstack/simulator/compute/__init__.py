"""Nova: servers, flavors and keypairs."""
