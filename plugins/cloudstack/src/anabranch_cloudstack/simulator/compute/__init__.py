"""Virtual machines, and what belongs to them."""
