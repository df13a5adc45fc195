"""Networks, addresses, and the rules on them."""
