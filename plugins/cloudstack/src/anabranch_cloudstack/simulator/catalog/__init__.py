"""What a cloud offers: zones, offerings, templates, and the commands themselves."""
