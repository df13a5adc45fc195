"""What belongs to an account: its limits, projects, tags and user data."""
