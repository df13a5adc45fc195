"""Swift: containers and objects."""
